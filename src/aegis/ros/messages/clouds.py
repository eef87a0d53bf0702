# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""PointCloud2, both ways."""

from __future__ import annotations

import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import PointCloud2, PointField

from aegis.core.types import Floats
from aegis.ros.messages.fields import make_header

_POINT_DTYPES = {
    PointField.INT8: "i1",
    PointField.UINT8: "u1",
    PointField.INT16: "i2",
    PointField.UINT16: "u2",
    PointField.INT32: "i4",
    PointField.UINT32: "u4",
    PointField.FLOAT32: "f4",
    PointField.FLOAT64: "f8",
}


class CloudError(ValueError):
    """A PointCloud2 cannot be read; `reason` is a short key for counting, the message says the rest."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def cloud_fields(message: PointCloud2, wanted: set[str]) -> dict[str, NDArray[np.float64]]:
    """Return the wanted fields that a cloud has, each as (points,) float64, whatever its datatype and byte order; inf as NaN.

    Of a cloud without points all are there and empty, whatever it says of fields and steps: many a driver leaves them out then.

    Raises:
        CloudError: a field has an unknown datatype, lies outside the point, or holds more than one element; or the
            cloud's dimensions do not fit its data.
    """
    height, width = int(message.height), int(message.width)
    point_step = int(message.point_step)
    n = height * width
    if n == 0:
        return {name: np.empty(0) for name in wanted}
    order = ">" if message.is_bigendian else "<"
    names, formats, offsets = [], [], []
    for point_field in message.fields:
        if point_field.name not in wanted:
            continue
        base = _POINT_DTYPES.get(int(point_field.datatype))
        if base is None:
            raise CloudError(
                "datatype", f"field '{point_field.name}' has datatype {point_field.datatype}; 1 to 8 are defined"
            )
        if int(point_field.count) not in (0, 1):  # some drivers leave the count at 0 and mean 1
            raise CloudError("count", f"field '{point_field.name}' has count {point_field.count}; 1 is expected")
        dtype = np.dtype(order + base)
        if int(point_field.offset) + dtype.itemsize > point_step:
            raise CloudError(
                "offset",
                f"field '{point_field.name}' at offset {point_field.offset} does not fit point_step {point_step}",
            )
        if point_field.name in names:
            raise CloudError("duplicate field", f"field '{point_field.name}' is there twice")
        names.append(point_field.name)
        formats.append(dtype)
        offsets.append(int(point_field.offset))
    row_step = _row_step(message)
    needed = (height - 1) * row_step + width * point_step
    if len(message.data) < needed:
        raise CloudError("truncated", f"{len(message.data)} bytes of data; {needed} are needed for {n} points")
    if not names:
        return {}
    points: NDArray[Any] = np.ndarray(
        (height, width),
        dtype=np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": point_step}),
        buffer=memoryview(message.data),
        strides=(row_step, point_step),
    )
    columns = {name: points[name].astype(np.float64).reshape(-1) for name in names}
    for values in columns.values():
        values[np.isinf(values)] = np.nan
    return columns


def _row_step(message: PointCloud2) -> int:
    """Return the bytes from row to row; also where a driver left them out, or counted points, of rows without padding.

    Raises:
        CloudError: rows overlap.
    """
    height, width, stated = int(message.height), int(message.width), int(message.row_step)
    row = width * int(message.point_step)
    left_out = stated in (0, width, int(message.point_step))
    if stated >= row or (left_out and (height == 1 or len(message.data) == height * row)):
        return max(stated, row)
    raise CloudError("row_step", f"row_step {stated} is less than width {width} x point_step {message.point_step}")


def cloud_to_msg(columns: Mapping[str, Floats | Sequence[float]], *, frame_id: str, stamp_ns: int) -> PointCloud2:
    """Return a little-endian float32 PointCloud2 of the given columns, each (points,); what is infinite is unknown, NaN."""
    names = list(columns)
    n = len(columns[names[0]])
    table = np.empty((n, len(names)), dtype="<f4")
    with np.errstate(over="ignore"):  # of what float32 does not hold
        for i, name in enumerate(names):
            table[:, i] = columns[name]
    table[np.isinf(table)] = np.nan
    message = PointCloud2()
    message.header = make_header(stamp_ns, frame_id)
    message.height = 1
    message.width = int(n)
    message.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1) for i, name in enumerate(names)
    ]
    message.is_bigendian = False
    message.point_step = 4 * len(names)
    message.row_step = message.point_step * int(n)
    message.is_dense = bool(np.isfinite(table).all())
    data = array.array("B")
    data.frombytes(table.tobytes())
    message.data = data
    return message
