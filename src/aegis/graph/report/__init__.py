# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a bag shows, for a person and for CI: one page, and the same as JSON."""
