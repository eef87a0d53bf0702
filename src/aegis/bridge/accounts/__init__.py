# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Access: accounts, passwords, tokens, sessions, limits, and the audit."""
