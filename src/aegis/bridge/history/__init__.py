# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The history: a database that is written outside the event loop and read through the API."""
