"""What happened from one time to another, in one file to hand over."""
