"""Aegis: a ROS 2 node graph from a radar's points to a ranked, explained picture."""

__version__ = "0.1.0"
