# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Between the dataclasses of `aegis.core` and ROS messages: a file a subject."""
