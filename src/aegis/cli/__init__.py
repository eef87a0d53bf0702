# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The `aegis` command."""
