# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Alarms of zone rules, and what a person does with them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from aegis.bridge.live import alarm_columns
from aegis.bridge.models.common import Model, with_columns
from aegis.core.threat.alarms import LONGEST_TEXT

Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


@with_columns(alarm_columns.ALARM)
class Alarm(Model):
    """A track that breaks a rule, or has broken it lately."""


class Alarms(Model):
    """The alarms: those that are on, most urgent first, then those that have ended, the latest first."""

    stamp_s: float
    age_s: float
    active: int = Field(description="that are on and not shelved", examples=[1])
    items: list[Alarm]


class Shelf(Model):
    """To be silent, also where the same track breaks the same rule again."""

    reason: Text = Field(examples=["survey flight, announced"])
    duration_s: float = Field(gt=0.0, le=604_800.0, examples=[600.0])


class Note(Model):
    """What is to be written to an alarm, in the place of the note before."""

    text: str = Field(max_length=LONGEST_TEXT, examples=["called the pilot"])


class Handled(Model):
    """An alarm with which a person has done something."""

    id: int = Field(examples=[7])
    action: str = Field(description="acknowledge, shelve, unshelve, note", examples=["acknowledge"])
    who: str = Field(examples=["ada"])
