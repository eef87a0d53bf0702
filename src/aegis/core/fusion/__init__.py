"""Tracks of several trackers into one picture."""
