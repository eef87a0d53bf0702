# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""DDS security (SROS2) for the graph: who may publish, hear, offer and call what, made from the table of nodes; keys for it."""
