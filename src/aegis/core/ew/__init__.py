"""Electronic warfare: what jams the radar, and advice that waits for a person."""
