# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""On top of all stages: the table of nodes, their parameters, and the ways to run them."""
