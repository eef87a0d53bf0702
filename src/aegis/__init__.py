# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Aegis: a ROS 2 node graph from a radar's points to a ranked, explained picture."""

import os

__version__ = "0.1.0"

# One thread a node, told before numpy is loaded. OpenBLAS' own threads turn idly for a tenth of a second after each product: at two
# scans a second the tracker, whose network multiplies matrices, took a fifth of a core for nothing.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
