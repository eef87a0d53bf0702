# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tracks as bytes, to be kept over a restart."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np

from aegis.core.classification.stated import LOOK_STATED, STATED
from aegis.core.tracking import motion
from aegis.core.tracking.motion import Kinematics, Model
from aegis.core.tracking.rows import LOOKS, Rows

FORMAT = "aegis tracks 1"
# Columns that older snapshots lack, and what stands in for them; what classification remembers begins anew, all of it where
# one is lacking, but not for want of what detections stated.
SINCE = {"looked_ns": "updated_ns", "apart_ns": "updated_ns", "noted_ns": "updated_ns", "missed_ns": "looked_ns"}
NOT_KNOWN = frozenset({"held_by"})  # the same, and nothing does
UNSTATED = frozenset({*LOOK_STATED, *STATED})
ANEW = frozenset(LOOKS) - UNSTATED


def to_bytes(rows: Rows, now_ns: int, model: Model) -> bytes:
    """Return a snapshot."""
    out = io.BytesIO()
    about = json.dumps({"format": FORMAT, "model": model, "now_ns": now_ns})
    np.savez(out, about=np.frombuffer(about.encode(), dtype=np.uint8), **_arrays(rows))  # type: ignore[arg-type]
    return out.getvalue()


def from_bytes(data: bytes, model: Model, *, remember: bool = False) -> tuple[Rows, int]:
    """Return the rows and the time [ns] of a snapshot; `remember`: also the looks, where it has them.

    Raises:
        ValueError: it is no snapshot of ours, or of another motion model.
    """
    blank = Rows.empty(len(motion.MODES[model]), motion.dimension(model), remember=remember)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            n = len(file["id"])
            forgotten = ANEW if any(name not in file for name in ANEW) else frozenset()
            forgotten |= {name for name in UNSTATED if forgotten or name not in file}
            forgotten |= {name for name in NOT_KNOWN if name not in file}

            def kept(name: str) -> np.ndarray:
                return file[name] if name in file or name not in SINCE else kept(SINCE[name])

            found = {
                name: np.zeros(n, array.dtype) if name in forgotten else kept(name)
                for name, array in _arrays(blank).items()
            }
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"no snapshot of tracks: {error}") from error
    if about.get("format") != FORMAT or about.get("model") != model:
        raise ValueError(
            f"a snapshot of format '{about.get('format')}', motion '{about.get('model')}', not of '{model}'"
        )
    for name, wanted in _arrays(blank).items():
        array = found[name]
        if array.shape[1:] != wanted.shape[1:] or len(array) != n or array.dtype != wanted.dtype:
            raise ValueError(f"a snapshot whose '{name}' has shape {array.shape} and type {array.dtype}")
    rows = Rows.blank(Kinematics(found["x"], found["P"], found["weight"]), remember=remember)
    for name in rows.columns:
        rows[name] = found[name]
    return rows, int(about["now_ns"])


def _arrays(rows: Rows) -> dict[str, np.ndarray]:
    """Return all arrays by name."""
    return {**rows.kinematics._asdict(), **{name: rows[name] for name in rows.columns}}
