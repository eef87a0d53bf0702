# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Adapters between messages and core stages. The same objects run in live nodes and in `aegis process`."""
