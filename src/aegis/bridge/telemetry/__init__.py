"""What the bridge says about itself and the graph: metrics and logs."""
