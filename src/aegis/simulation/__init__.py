# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A radar that looks at a scenario: at point level by the radar equation, or at signal level by its samples."""
