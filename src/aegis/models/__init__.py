# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The class models on disk: those that ship, those that `aegis train` wrote, and a user's own."""
