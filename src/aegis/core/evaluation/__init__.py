# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How right a picture is, held against truth: pure functions on arrays. `evaluate` puts them together."""
