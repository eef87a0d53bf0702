"""What a radar is: the simulator and, later, decoders of hardware formats. No ROS."""
