# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the REST bodies look like, for checking requests and for the OpenAPI page."""
