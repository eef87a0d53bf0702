"""Pure algorithms: no ROS, float64, SI units and radians, injected random generators."""
