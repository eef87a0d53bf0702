# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pure algorithms: no ROS, float64, SI units and radians, injected random generators."""
