# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Electronic warfare: what jams the radar, and advice that waits for a person."""
