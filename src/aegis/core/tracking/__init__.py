# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Detections over time: where everything is, where it goes, and whether it exists."""
