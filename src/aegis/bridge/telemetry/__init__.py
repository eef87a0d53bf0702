# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Metrics and logs of the bridge and the graph."""
