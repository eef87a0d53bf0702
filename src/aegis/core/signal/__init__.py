# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Signal theory of the radar: what an echo is worth, and what noise makes of it."""
