# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Messages of flat arrays to dataclasses and back, by a table of columns that is made from the fields of both.

A field has one name on both sides. The dataclass says what it is here, the message's definition how it travels, so that neither is
told twice. Where the two do not fit, making the table raises: the package of messages is then of another version than this code.

Arrays go in as `array.array` made from bytes (a numpy array assigned directly is converted item by item, about 80 times slower)
and come out through the buffer of the message's array.
"""

from __future__ import annotations

import array
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import fields
from enum import IntEnum
from functools import wraps
from typing import (
    Annotated,
    Any,
    Generic,
    NamedTuple,
    ParamSpec,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np

from aegis.core.types import Floats, Ints
from aegis.ros.messages.fields import PROOF, Message, StampedMessage, check_lengths, pack, set_header, stamp_of

DataT = TypeVar("DataT")
P = ParamSpec("P")
T = TypeVar("T")

HEADER = ("stamp_ns", "frame_id")  # of a dataclass: what is in the message's header
_CODES = {"double": "d", "float": "f", "uint64": "Q", "uint32": "I", "uint16": "H", "uint8": "B"}  # array's and numpy's
_FLOATS = {"double", "float"}
_INTEGERS = _CODES.keys() - _FLOATS
_SCALARS = {int: _INTEGERS, float: _FLOATS, str: {"string"}, bool: {"boolean"}}


class MalformedError(ValueError):
    """A message that cannot be read: its fields contradict each other, or hold what there is not. Its sender is at fault."""

    def __init__(self, kind: str, text: str) -> None:
        """Say of which kind of message it is, and what is wrong with it."""
        super().__init__(text if text.startswith(kind) else f"{kind}: {text}")
        self.kind = kind


def read_from_msg(convert: Callable[P, T]) -> Callable[P, T]:
    """Decorate what reads a message: a ValueError in it is the message's fault, and becomes a MalformedError."""

    @wraps(convert)
    def read(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return convert(*args, **kwargs)
        except MalformedError:
            raise
        except ValueError as error:
            raise MalformedError(type(args[0]).__name__, str(error)) from error

    return read


class Arrays(Protocol):
    """A dataclass of arrays."""

    stamp_ns: int
    frame_id: str


ArraysT = TypeVar("ArraysT", bound=Arrays)


class _Field(NamedTuple):
    """A field that a dataclass and a message share."""

    name: str
    hint: object  # its type in the dataclass
    wire: str  # its type in the message: "double", "sequence<uint8>"


class _Array(NamedTuple):
    """A column of numbers."""

    name: str
    code: str  # of the message's `array.array`
    wire: np.dtype[Any]
    dtype: np.dtype[Any]  # here
    row: tuple[int, ...]  # shape of one object's numbers; () for a single one
    size: int  # how many numbers that is


class ArrayConverter(Generic[ArraysT]):
    """Between a dataclass that holds an array for each property of its objects, and the message that carries them.

    `Floats`, `Ints` (with a `Row` where an object has more than one number) and `list[str]` are columns; int, str and bool are said
    once a message; `stamp_ns` and `frame_id` are in the message's header.
    """

    def __init__(self, dataclass: type[ArraysT], message: type[StampedMessage], *, apart: Collection[str] = ()) -> None:
        """Make the table.

        Args:
            dataclass: made of the message, and the message of it.
            message: a message class with a header.
            apart: fields of either that the caller converts.

        Raises:
            TypeError: the two do not fit.
        """
        self.dataclass, self.message = dataclass, message
        self._scalars: list[tuple[str, type]] = []
        self._arrays: list[_Array] = []
        self._texts: list[str] = []
        for field in _shared_fields(dataclass, message, {*HEADER, *apart}):
            kind = field.hint
            row: tuple[int, ...] = ()
            if get_origin(kind) is Annotated:
                kind, shape = get_args(kind)
                row = shape.shape
            item = _item_type(field.wire)
            if kind in _SCALARS and field.wire in _SCALARS[kind]:
                self._scalars.append((field.name, kind))
            elif (kind == Floats and item in _FLOATS) or (kind == Ints and item in _INTEGERS):
                code, dtype = _CODES[item], np.dtype(np.float64 if kind == Floats else np.int64)
                self._arrays.append(_Array(field.name, code, np.dtype(code), dtype, row, math.prod(row)))
            elif kind == list[str] and item == "string":
                self._texts.append(field.name)
            else:
                raise _unfit(message, f"field '{field.name}' is {field.wire}, where {dataclass.__name__} has {kind}")
        if not self._arrays or self._arrays[0].row:
            raise TypeError(f"the first column of {dataclass.__name__} must have one number per object")
        self._first = self._arrays[0].name

    def to_msg(self, data: ArraysT) -> StampedMessage:
        """Return the message of the data."""
        m = self.message()
        set_header(m, data.stamp_ns, data.frame_id)
        for name, kind in self._scalars:
            setattr(m, name, kind(getattr(data, name)))
        for name, code, wire, *_ in self._arrays:
            values = getattr(data, name)
            if code == "H":  # a count that it cannot hold becomes the largest that it can
                values = np.minimum(values, 65_535)
            setattr(m, name, array.array(code, np.ascontiguousarray(values, wire).tobytes()))
        for name in self._texts:
            setattr(m, name, [str(text) for text in getattr(data, name)])
        return m

    def from_msg(self, m: StampedMessage, **apart: object) -> ArraysT:
        """Return the data of a message.

        Args:
            m: the message.
            apart: the dataclass's fields that are converted by the caller.

        Raises:
            ValueError: arrays of lengths that do not fit the number of objects.
        """
        n = len(getattr(m, self._first))
        values = {"stamp_ns": stamp_of(m), "frame_id": m.header.frame_id, **apart}
        for name, kind in self._scalars:
            values[name] = kind(getattr(m, name))
        for name, _, _, dtype, row, size in self._arrays:
            column = np.array(getattr(m, name), dtype)
            if len(column) != n * size:
                check_lengths(m, n * size, [name])
            values[name] = column.reshape(n, *row) if row else column
        check_lengths(m, n, self._texts)
        for name in self._texts:
            values[name] = list(getattr(m, name))
        return self.dataclass(**values)


class RecordConverter(Generic[DataT]):
    """Between a list of dataclasses, one for each object, and the message that has an array for each of their fields.

    The fields are int, float, str, bool or an IntEnum. The message's header, proof and other fields are the caller's.
    """

    def __init__(self, dataclass: type[DataT], message: type[Message], *, apart: Collection[str] = ()) -> None:
        """Make the table.

        Args:
            dataclass: of one object.
            message: a message class with a header.
            apart: fields of either that the caller converts.

        Raises:
            TypeError: the two do not fit.
        """
        self.dataclass = dataclass
        self._columns: list[tuple[str, type, str]] = []  # name, type here, code of the message's array or ""
        for field in _shared_fields(dataclass, message, set(apart)):
            kind = get_args(field.hint)[0] if get_origin(field.hint) is Annotated else field.hint
            item = _item_type(field.wire)
            if not isinstance(kind, type) or item not in _SCALARS.get(int if issubclass(kind, IntEnum) else kind, ()):
                raise _unfit(message, f"field '{field.name}' is {field.wire}, where {dataclass.__name__} has {kind}")
            self._columns.append((field.name, kind, _CODES.get(item, "")))

    def fill(self, m: Message, records: Sequence[DataT]) -> None:
        """Put the records into a message."""
        for name, kind, code in self._columns:
            values = [getattr(record, name) for record in records]
            setattr(m, name, pack(code, values) if code else [kind(value) for value in values])

    def read(self, m: Message, **apart: Sequence[object]) -> list[DataT]:
        """Return the records of a message.

        Args:
            m: the message.
            apart: for each of the dataclass's fields that are converted by the caller, a value for each record.

        Raises:
            ValueError: arrays of different lengths, or a number that its enumeration has not.
        """
        names = [name for name, _, _ in self._columns]
        n = len(getattr(m, names[0]))
        check_lengths(m, n, names)
        columns = {name: [kind(value) for value in getattr(m, name)] for name, kind, _ in self._columns} | apart
        return [self.dataclass(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def _shared_fields(dataclass: type, message: type[Message], apart: Collection[str]) -> Iterator[_Field]:
    """Yield the fields of both that are not `apart`.

    Raises:
        TypeError: one of them lacks a field of the other.
    """
    hints = get_type_hints(dataclass, include_extras=True)
    here = [f.name for f in fields(dataclass) if f.name not in apart]
    wire = message.get_fields_and_field_types()
    for name in here:
        if name not in wire:
            raise _unfit(message, f"it has no field '{name}', which {dataclass.__name__} has")
        yield _Field(name, hints[name], wire[name])
    for name in wire.keys() - {*here, *apart, "header", PROOF}:
        raise _unfit(message, f"it has a field '{name}', which {dataclass.__name__} has not")


def _item_type(wire: str) -> str:
    """Return the type of the items of an array in a message; empty for what is no array of any length."""
    return wire.removeprefix("sequence<").removesuffix(">") if wire.startswith("sequence<") else ""


def _unfit(message: type, why: str) -> TypeError:
    return TypeError(f"aegis_msgs/{message.__name__} is not of this version of aegis: {why}; install ./msg again")
