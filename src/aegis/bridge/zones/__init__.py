"""Zones that people draw: kept in bridge.db, published for the threat nodes."""
