# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Packets of TI's out-of-box demo."""

from driver_case import DriverCase
from ti_bytes import demo_stream

CASES = [DriverCase("ti_uart", demo_stream, frames=4, line="serial")]
