# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Several bridges of one graph: what they share through PostgreSQL and Redis, so that any client can meet any of them."""
