# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The picture for Foxglove and Lichtblick, by either of two servers."""
