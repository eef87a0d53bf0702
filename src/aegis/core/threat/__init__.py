# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which tracks threaten the protected asset, how much, and why."""
