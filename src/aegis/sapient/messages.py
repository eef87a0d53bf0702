# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Messages of SAPIENT: what each says first, and reading them."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from sapient_msg.bsi_flex_335_v2_0.alert_ack_pb2 import AlertAck
from sapient_msg.bsi_flex_335_v2_0.alert_pb2 import Alert
from sapient_msg.bsi_flex_335_v2_0.detection_report_pb2 import DetectionReport
from sapient_msg.bsi_flex_335_v2_0.registration_ack_pb2 import RegistrationAck
from sapient_msg.bsi_flex_335_v2_0.registration_pb2 import Registration
from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage
from sapient_msg.bsi_flex_335_v2_0.status_report_pb2 import StatusReport
from sapient_msg.bsi_flex_335_v2_0.task_ack_pb2 import TaskAck

Content = Registration | RegistrationAck | StatusReport | DetectionReport | TaskAck | Alert | AlertAck
_FIELDS: dict[type, str] = {
    Registration: "registration",
    RegistrationAck: "registration_ack",
    StatusReport: "status_report",
    DetectionReport: "detection_report",
    TaskAck: "task_ack",
    Alert: "alert",
    AlertAck: "alert_ack",
}


class MessageError(ValueError):
    """A message cannot be used; `reason` is a short key for counting."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Writer:
    """Makes the messages of one node."""

    node_id: str
    destination_id: str = ""

    def message(self, content: Content, stamp_ns: int, destination_id: str = "") -> bytes:
        """Return a message as octets.

        Args:
            content: what it says.
            stamp_ns: when it was sent; of a detection, when it was measured.
            destination_id: whom it is for; empty: the writer's.
        """
        out = SapientMessage(node_id=self.node_id)
        out.timestamp.FromNanoseconds(stamp_ns)
        if to := destination_id or self.destination_id:
            out.destination_id = to
        getattr(out, _FIELDS[type(content)]).CopyFrom(content)
        return out.SerializeToString()


def read(data: bytes) -> SapientMessage:
    """Return a message that says who it is of, when, and something.

    Raises:
        MessageError: it does not.
    """
    message = SapientMessage()
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise MessageError("message is no protobuf of SAPIENT") from None
    if message.WhichOneof("content") is None:
        raise MessageError("message without content")
    if not message.node_id:
        raise MessageError("message without node_id")
    return message


def stamp_ns(stamp: Timestamp) -> int:
    """Return a time as Unix time [ns].

    Raises:
        MessageError: it is none.
    """
    try:
        return int(stamp.ToNanoseconds())
    except ValueError:
        raise MessageError("timestamp is none") from None
