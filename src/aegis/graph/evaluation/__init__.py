# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From bags, files of truth and simulations to `core/evaluation`, and from there to text, JSON and a page."""
