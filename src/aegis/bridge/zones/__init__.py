# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Zones that people draw: kept in bridge.db, published for the threat nodes."""
