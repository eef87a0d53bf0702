"""Between the dataclasses of `aegis.core` and ROS messages: a file a subject."""
