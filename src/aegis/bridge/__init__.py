# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What people outside ROS connect to: REST, WebSocket, web page, Foxglove."""
