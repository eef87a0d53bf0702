# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`python -m aegis` is the `aegis` command."""

from aegis.cli.main import main

main()
