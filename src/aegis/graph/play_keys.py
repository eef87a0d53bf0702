# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a person asks for while a bag is played: a character each, typed or from another program."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum


class Key(Enum):
    """What is understood; all else is left alone."""

    PAUSE = " "  # and go on
    STEP = "."  # one message, and hold
    END = "q"


HELP = "space: hold, go on; .: one message; q: end"


class Keys:
    """The characters of standard input."""

    def __init__(self, number: int | None) -> None:
        """Read the file of this number; None: nobody asks for anything."""
        self._number = number

    @property
    def open(self) -> bool:
        """Tell whether somebody can ask for something."""
        return self._number is not None

    def wait(self, seconds: float) -> Key | None:
        """Return what is asked for within a time, or None."""
        if self._number is None:
            time.sleep(seconds)
            return None
        if not select.select([self._number], [], [], seconds)[0]:
            return None
        text = os.read(self._number, 1).decode("latin-1")
        if not text:  # its end: nobody asks for anything any more
            self._number = None
            return None
        return Key(text) if text in (key.value for key in Key) else None


@contextmanager
def standard_input(*, wanted: bool | None) -> Iterator[Keys]:
    """Give the keys of standard input; of a terminal each is read as it is typed.

    Args:
        wanted: None: where that is a terminal.
    """
    try:
        number = sys.stdin.fileno() if wanted is not False else None
    except (AttributeError, OSError):  # there is none, or it is no file
        number = None
    is_terminal = number is not None and os.isatty(number)
    if number is None or not (wanted or is_terminal):
        yield Keys(None)
        return
    before = termios.tcgetattr(number) if is_terminal else None
    try:
        if before is not None:
            tty.setcbreak(number)
        yield Keys(number)
    finally:
        if before is not None:
            termios.tcsetattr(number, termios.TCSADRAIN, before)
