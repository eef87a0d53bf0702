"""Metrics and logs of the bridge and the graph."""
