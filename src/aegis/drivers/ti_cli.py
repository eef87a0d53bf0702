# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Commands of a TI mmWave demo: the lines of a .cfg file over its serial command line, each answered "Done" or "Error"."""

from __future__ import annotations

import time
from pathlib import Path

import serial

from aegis.core.params import ConfigError

MAX_LINES = 1000
MAX_ANSWER_BYTES = 1 << 16


def read_commands(path: Path) -> list[tuple[int, str]]:
    """Return a .cfg file's commands with their line numbers; empty lines and comments (%) are left out.

    Raises:
        ConfigError: it cannot be read, or holds none.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cfg_file: {path} cannot be read: {error}") from None
    commands = [
        (i, line.strip()) for i, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("%")
    ]
    if not 0 < len(commands) <= MAX_LINES:
        raise ConfigError(f"cfg_file: {path} holds {len(commands)} commands; 1 to {MAX_LINES} are expected")
    return commands


def configure_radar(device: str, baud: int, commands: list[tuple[int, str]], timeout_s: float, source: str) -> None:
    """Send commands, each after the answer to the one before.

    Args:
        device: command line, as for pyserial.
        baud: its bits a second.
        commands: line number and text.
        timeout_s: for each answer.
        source: the file, for messages.

    Raises:
        OSError: the line cannot be opened or breaks, or the radar refuses a command or does not answer; the message says which.
    """
    try:
        line = serial.serial_for_url(device, baud, timeout=min(0.05, timeout_s), write_timeout=timeout_s)
    except (OSError, ValueError) as error:
        raise OSError(f"command line {device} at {baud} baud cannot be opened: {error}") from error
    with line:
        line.reset_input_buffer()
        for number, command in commands:
            where = f"{device}: line {number} of {source}, '{command}'"
            try:
                line.write(command.encode() + b"\n")
                answer = _answer(line, timeout_s)
            except OSError as error:
                raise OSError(f"{where}: {error}") from error
            if answer != "Done":
                raise OSError(f"{where}: the radar answers: {answer}")


def _answer(line: serial.SerialBase, timeout_s: float) -> str:
    """Return "Done", or the line that says an error. What else the radar says (echo, prompt, remarks) is passed over.

    Raises:
        OSError: neither came in time.
    """
    heard = bytearray()
    end = time.monotonic() + timeout_s
    while time.monotonic() < end and len(heard) < MAX_ANSWER_BYTES:
        heard += line.read(1)
        heard += line.read(line.in_waiting)
        for text in heard[: heard.rfind(b"\n") + 1].decode("ascii", "replace").splitlines():
            said = text.strip()
            if said == "Done" or said.startswith("Error") or "is not recognized as a CLI command" in said:
                return said
    raise OSError(f"no 'Done' within {timeout_s:g} s; heard: {bytes(heard[-80:])!r}")
