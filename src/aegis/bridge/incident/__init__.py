"""What happened from one time to another, as a file to take along."""
