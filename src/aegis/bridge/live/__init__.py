"""From the ROS thread to the clients: what was heard last, as frames and as the objects of JSON."""
