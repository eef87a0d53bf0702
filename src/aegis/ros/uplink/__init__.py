# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Topics between sites, over zenoh: the record on disk, the line, who sends and who receives."""
