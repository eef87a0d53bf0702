# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The graph's last messages, as frames and as JSON, on their way from the ROS thread to clients."""
