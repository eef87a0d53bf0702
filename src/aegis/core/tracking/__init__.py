"""Detections over time: where everything is, where it goes, and whether it exists."""
