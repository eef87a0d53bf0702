# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 side: graph table, conversion, stages' adapters, nodes, offline processing, supervision."""
