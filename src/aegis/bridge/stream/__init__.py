# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The live stream: clients, their subscriptions and their frames."""
