# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Inner loops, compiled ahead of time: where the time of a scan or of a cube goes.

The modules here are Python in Cython's pure mode: `src/CMakeLists.txt` compiles each into an extension module, which Python then
takes instead of the source. Run as they are, they are the oracle of tests/core/test_kernels.py.

A kernel is given every array that it reads and writes: C-contiguous, writable, flags as uint8 (`mask.view(np.uint8)`). It makes no
Python object (`nogil`: Cython refuses it otherwise) and checks no index. Each is called from one function, in the module of the
room that it belongs to, which takes named groups of arrays, says what they are, and makes those to be written.
"""

from __future__ import annotations

from importlib.util import find_spec

_found = find_spec(f"{__name__}.gate")
if _found is None or _found.origin is None or _found.origin.endswith(".py"):
    raise ImportError(
        f"the modules of {__name__} are not compiled for this Python: `pip install ./msg .` in the checkout does it, or"
        " `colcon build`, or, to work on them, `pip install -e .`"
    )
