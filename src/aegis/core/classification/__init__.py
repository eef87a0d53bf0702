# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which class an object is of, from what the radar measures of it."""
