"""Signal theory of the radar: what an echo is worth, and what noise makes of it."""
