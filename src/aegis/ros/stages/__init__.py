"""Adapters between messages and core stages. The same objects run in live nodes and in `aegis process`."""
