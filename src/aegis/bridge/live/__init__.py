"""The graph's last messages, as frames and as JSON, on their way from the ROS thread to clients."""
