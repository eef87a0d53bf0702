"""The ROS 2 side: graph table, conversion, stages' adapters, nodes, offline processing, supervision."""
