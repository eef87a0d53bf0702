"""What a bag shows, for a person and for CI: one page, and the same as JSON."""
