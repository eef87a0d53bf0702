# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a radar is: the simulator and, later, decoders of hardware formats. No ROS."""
