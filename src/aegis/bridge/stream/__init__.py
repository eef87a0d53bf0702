"""The live stream: clients, their subscriptions and their frames."""
