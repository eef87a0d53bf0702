# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis soak`: the whole graph for hours, with clients that come and go and faults, and what that has shown."""
