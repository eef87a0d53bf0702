# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The picture in other people's formats: GeoJSON, aircraft.json, Cursor on Target, ASTERIX."""
