# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Everything of an incident in one zip: the bag's part, the report on it, the decisions, and CoT of the tracks."""

from __future__ import annotations

import hashlib
import json
import shlex
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from aegis import __version__
from aegis.bridge.outputs.cot import CotStyle
from aegis.bridge.settings import BridgeSettings
from aegis.core.events import EwAdviceWithdrawn, EwCountermeasure, EwResponseTriggered
from aegis.core.params import ConfigError
from aegis.core.types import Alarm, ThreatLevel, Threats, Tracks
from aegis.graph.config import Parameters
from aegis.graph.evaluation.recording import deliver
from aegis.graph.evaluation.truth_files import site_of
from aegis.graph.incident.cot_files import cot_files
from aegis.graph.incident.cut import NothingThenError, cut_bag, too_large
from aegis.graph.incident.past import read_past
from aegis.graph.report.before import Alarms, Before
from aegis.graph.report.page import as_page
from aegis.graph.report.report import BRIDGE, document, make_report
from aegis.ros.bag import BagError, GraphBag
from aegis.ros.messages.alarms import alarms_from_msg
from aegis.ros.messages.fields import stamp_of
from aegis.ros.messages.picture import threats_from_msg, tracks_from_msg
from aegis.ros.messages.reports import event_from_msg

BAG, MANIFEST = "bag", "incident.json"
DECIDING = {event.name for event in (EwCountermeasure, EwResponseTriggered, EwAdviceWithdrawn)}


@dataclass(frozen=True)
class Wanted:
    """What is asked for."""

    from_ns: int
    to_ns: int
    bag: Path | None = None
    history: str | None = None  # history.db, or a URL
    site: str | None = None  # latitude, longitude, altitude
    bridge: str = BRIDGE
    words: Sequence[str] = ()  # of the command
    max_bytes: int | None = None  # of the zip, and of the bag's messages of that time


@dataclass
class Exported:
    """What is in the zip, and what is not."""

    files: dict[str, int] = field(default_factory=dict)  # bytes by name
    absent: dict[str, str] = field(default_factory=dict)  # why


def export(wanted: Wanted, parameters: Parameters, out: Path) -> Exported:
    """Write the zip; it appears when it is whole.

    Args:
        wanted: what is asked for.
        parameters: of the graph: its sensor, assets, site, and how its CoT looks.
        out: the zip, which must not exist.

    Raises:
        BagError: the bag cannot be read, or has nothing of that time and no history was named; the zip cannot be written, or
            is too large.
        ConfigError, ValueError: a parameter or the history is wrong, or neither a bag nor a history was named.
    """
    if wanted.from_ns > wanted.to_ns:
        raise ConfigError("--from lies after --to")
    if wanted.bag is None and wanted.history is None:
        raise ConfigError("neither --bag nor --history: there is nothing to export from")
    if out.exists():
        raise BagError(f"{out} exists already; remove it or name another output")
    done = Exported()
    past = read_past(wanted.history, wanted.from_ns, wanted.to_ns) if wanted.history is not None else None
    with TemporaryDirectory(prefix="aegis_incident_") as folder:
        made, read = _of_bag(wanted, parameters, Path(folder) / BAG, done)
        told = read.decisions() if read is not None else None
        if read is not None and read.alarms.ended_before:
            done.absent["alarms"] = f"{read.alarms.ended_before} had ended before the bag's part began"
        made["decisions.json"] = _json({"by_history": None if past is None else past.decisions, "by_bag": told})
        if past is None:
            done.absent["history"] = "no history was named (--history): who decided what is as far as the bag tells it"
        else:
            made["events.json"] = _json(past.events)
            if past.played_events:
                done.absent["what was played"] = (
                    f"{past.played_events} events of the history, and what tracks belong to them, have stamps of that time,"
                    " but are of a recording that was played later"
                )
        pictures = read.pictures if read is not None and read.pictures else past.pictures if past is not None else []
        made |= _cot(pictures, wanted, parameters, done)
        made[MANIFEST] = _json(
            {
                "from_ns": wanted.from_ns,
                "to_ns": wanted.to_ns,
                "bag": str(wanted.bag) if wanted.bag is not None else None,
                "history": wanted.history if wanted.history is None or "://" not in wanted.history else "a database",
                "aegis": __version__,
                "command": shlex.join(wanted.words),
                "absent": done.absent,
                "sha256": {name: _sha256(content) for name, content in made.items()},
            }
        )
        _write(out, made, wanted.max_bytes)
        done.files = {name: len(c) if isinstance(c, bytes) else c.stat().st_size for name, c in made.items()}
    return done


def _of_bag(
    wanted: Wanted, parameters: Parameters, folder: Path, done: Exported
) -> tuple[dict[str, bytes | Path], _BagContents | None]:
    """Write the bag's part to a folder; return the files of it and of the report, and what is in it."""
    if wanted.bag is None:
        why = "no bag was named (--bag)"
        done.absent |= {"bag": why, "report": f"{why}, of which it would be"}
        return {}, None
    try:
        cut = cut_bag(wanted.bag, folder, wanted.from_ns, wanted.to_ns, wanted.max_bytes)
    except NothingThenError as error:
        if wanted.history is None:
            raise
        done.absent |= {"bag": str(error), "report": "the bag has nothing of that time, of which it would be"}
        return {}, None
    if cut.damage:
        done.absent["rest of the bag"] = cut.damage
    if cut.left_out:
        done.absent["topics"] = f"not of the graph: {', '.join(cut.left_out)}"
    report = make_report(folder, parameters=parameters, bridge=wanted.bridge, words=["aegis", "report", BAG])
    made: dict[str, bytes | Path] = {f"{BAG}/{file.name}": file for file in sorted(folder.iterdir())}
    made |= {"report.html": as_page(report).encode(), "report.json": _json(document(report) | {"bag": BAG})}
    return made, _BagContents(folder)


def _cot(
    pictures: Sequence[tuple[Tracks, Threats | None]], wanted: Wanted, parameters: Parameters, done: Exported
) -> dict[str, bytes]:
    site = site_of(wanted.site, parameters)
    if site is None:
        done.absent["cot"] = "nobody says where map is on Earth: --site, or bridge.outputs.site"
        return {}
    settings = parameters.settings_as(BridgeSettings, "bridge").outputs
    level = settings.cot.hostile_level
    style = CotStyle(
        "aegis.incident", round(settings.cot.stale_s * 1e3), ThreatLevel[level] if level else None, settings.simulated
    )
    found = {f"cot/{name}": data for name, data in cot_files(pictures, site, style).items()}
    if not found:
        done.absent["cot"] = "no track was confirmed in that time"
    return found


def _sha256(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(out: Path, made: Mapping[str, bytes | Path], max_bytes: int | None) -> None:
    temporary = out.with_name(f".{out.name}.part")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(made.items()):
                if isinstance(content, bytes):
                    archive.writestr(name, content)
                else:  # which is packed already
                    archive.write(content, name, zipfile.ZIP_STORED)
        if max_bytes is not None and temporary.stat().st_size > max_bytes:
            raise too_large("the zip is", max_bytes)
        temporary.replace(out)
    except OSError as error:
        raise BagError(f"{out} cannot be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


class _BagContents:
    """The pictures of a bag, and what it tells of decisions."""

    def __init__(self, path: Path) -> None:
        self._tracks: list[Tracks] = []
        self._threats: dict[tuple[int, str], Threats] = {}
        self._told: list[dict[str, object]] = []
        with closing(GraphBag(path)) as bag:
            self._before = Before(has_pictures=bag.has("tracks") or bag.has("threats"))
            self.alarms = Alarms(self._before)
            takers = {
                "tracks": lambda m: self._tracks.append(tracks_from_msg(m)),
                "threats": lambda m: self._take_threats(threats_from_msg(m)),
                "alarms": lambda m: self.alarms.take(stamp_of(m), alarms_from_msg(m)),
                "events": self._take_event,
            }
            for name in takers:
                if bag.has(name):
                    bag.take(name)

            def take(time_ns: int, topic: str, message: object) -> None:
                self._before.message(time_ns)
                if topic in ("tracks", "threats"):
                    self._before.picture(stamp_of(message))
                takers[topic](message)

            deliver(bag, take)

    @property
    def pictures(self) -> list[tuple[Tracks, Threats | None]]:
        """Return each picture with what is assessed of it."""
        return [(tracks, self._threats.get((tracks.stamp_ns, tracks.sensor_id))) for tracks in self._tracks]

    def decisions(self) -> dict[str, object]:
        """Return what was decided, as far as the topics tell it; `at_begin` is what had been before."""
        handled = []
        for alarm in sorted(self.alarms.of_bag, key=lambda a: a.id):
            told = self.alarms.at_begin(alarm)
            handled.append(
                {
                    "id": alarm.id, "rule": alarm.rule, "track_id": alarm.track_id, "text": alarm.text, **_handled(alarm),
                    "on_at_begin": self.alarms.was_on(alarm), "at_begin": None if told is None else _handled(told),
                }
            )  # fmt: skip
        return {"alarms": handled, "ew": self._told}

    def _take_threats(self, threats: Threats) -> None:
        self._threats[threats.stamp_ns, threats.sensor_id] = threats

    def _take_event(self, message: object) -> None:
        if getattr(message, "name", "") in DECIDING and not self._before.was(stamp_of(message)):
            self._told.append(event_from_msg(message).document())  # type: ignore[arg-type]  # it is of that topic


def _handled(alarm: Alarm) -> dict[str, str | None]:
    return {name: getattr(alarm, name) or None for name in ("acknowledged_by", "shelved_by", "shelf_reason", "note")}


def _json(content: object) -> bytes:
    return json.dumps(content, indent=1).encode()


def lines(done: Exported) -> Iterator[str]:
    """Yield what a person is told."""
    groups: dict[str, tuple[int, int]] = {}
    for name, size in done.files.items():
        group = name.split("/")[0]
        count, total = groups.get(group, (0, 0))
        groups[group] = (count + 1, total + size)
    yield from (f"{group}: {n} files, {size / 1e3:.0f} kB" for group, (n, size) in sorted(groups.items()))
    yield from (f"not in it: {what}: {why}" for what, why in done.absent.items())
