# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What stands before every route."""
