# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How the class models that ship were made, from our simulator alone: `aegis train`."""
