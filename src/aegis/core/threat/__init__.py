"""Which tracks threaten the protected asset, how much, and why."""
