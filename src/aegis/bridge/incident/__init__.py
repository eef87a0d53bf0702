# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What happened from one time to another, as a file to take along."""
