# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Topics between sites: what goes first over a line of bounded rate, and in which order what comes is given on."""
