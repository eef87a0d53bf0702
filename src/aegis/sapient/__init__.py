# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""SAPIENT (BSI Flex 335 v2): this graph as a sensor of others, and others' detections in our picture."""
