"""What people outside ROS connect to: REST, WebSocket, web page, Foxglove."""
