# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From radar points to classified detections."""
