# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""One message's objects as JSON or MessagePack, each encoded once however many clients want them, or some of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import orjson
import ormsgpack
from numpy.typing import NDArray

Index = NDArray[np.intp] | None  # numbers of the wanted objects, ascending; None is all of them
Row = dict[str, Any]  # one object, of plain values
Body = Mapping[str, object]  # of a message or an answer; its values are plain, or `EncodedPart`s


class EncodedRows:
    """A list of objects and its encodings, each made when it is first wanted."""

    def __init__(self, make: Callable[[], Sequence[Row]]) -> None:
        """Prepare; `make` returns the objects."""
        self._make = make

    @cached_property
    def items(self) -> Sequence[Row]:
        """The objects."""
        return self._make()

    def __len__(self) -> int:
        return len(self.items)

    def encode(self) -> None:
        """Make the JSON array now, before a client waits for it."""
        _ = self.all_json

    @cached_property
    def all_json(self) -> bytes:
        """The JSON array of all objects."""
        return orjson.dumps(self.items)

    @cached_property
    def _json_pieces(self) -> list[bytes]:
        return [orjson.dumps(item) for item in self.items]

    @cached_property
    def _msgpack_pieces(self) -> list[bytes]:
        return [ormsgpack.packb(_without_nan(item)) for item in self.items]

    def json(self, index: Index = None) -> bytes:
        """Return the JSON array of the wanted objects."""
        if index is None:
            return self.all_json
        pieces = self._json_pieces
        return b"[" + b",".join([pieces[i] for i in index.tolist()]) + b"]"

    def msgpack(self, index: Index = None) -> bytes:
        """Return the MessagePack array of the wanted objects."""
        pieces = self._msgpack_pieces
        chosen = pieces if index is None else [pieces[i] for i in index.tolist()]
        return array_header(len(chosen)) + b"".join(chosen)


@dataclass(frozen=True)
class EncodedPart:
    """Some of a message's objects, as a value in the body of a message."""

    rows: EncodedRows
    index: Index = None

    def __len__(self) -> int:
        return len(self.rows) if self.index is None else len(self.index)


def json_bytes(body: Body) -> bytes:
    """Return a JSON object."""
    return orjson.dumps(
        {key: orjson.Fragment(v.rows.json(v.index)) if isinstance(v, EncodedPart) else v for key, v in body.items()}
    )


def msgpack_bytes(body: Body) -> bytes:
    """Return a MessagePack map."""
    out = [map_header(len(body))]
    for key, value in body.items():
        out.append(ormsgpack.packb(key))
        if isinstance(value, EncodedPart):
            out.append(value.rows.msgpack(value.index))
        else:
            out.append(ormsgpack.packb(_without_nan(value)))
    return b"".join(out)


def array_header(n: int) -> bytes:
    """Return how MessagePack begins an array of n values."""
    return bytes((0x90 | n,)) if n < 16 else _long_header(0xDC, n)


def map_header(n: int) -> bytes:
    """Return how MessagePack begins a map of n pairs."""
    return bytes((0x80 | n,)) if n < 16 else _long_header(0xDE, n)


def _long_header(code: int, n: int) -> bytes:
    return bytes((code,)) + n.to_bytes(2) if n < 1 << 16 else bytes((code + 1,)) + n.to_bytes(4)


def _without_nan(value: object) -> object:
    """Return the value with unknown numbers as null, as orjson writes them; MessagePack would keep a NaN."""
    if isinstance(value, float):
        return value if value - value == 0.0 else None
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return value
