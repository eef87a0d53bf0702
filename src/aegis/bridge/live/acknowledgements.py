"""Which threats a person has seen: by track, kept over restarts."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from aegis.core.types import ThreatLevel
from aegis.state import write_atomically

_log = logging.getLogger(__name__)

FILE = "acknowledged_threats.json"
KEPT = 1000  # the newest; track ids are never used again, so an old entry only takes room


@dataclass(frozen=True)
class Acknowledgement:
    """Somebody has seen a threat. It holds while the threat is at this level or below."""

    level: ThreatLevel
    who: str
    at_s: float  # seconds since 1970


class Acknowledgements(Mapping[int, Acknowledgement]):
    """Track id to its acknowledgement. Reading is safe from any thread; `put` writes a file and belongs into a thread."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        self._lock = threading.Lock()
        self._by_track = self._read()

    def put(self, track_id: int, acknowledgement: Acknowledgement) -> None:
        """Take an acknowledgement; it is on the disk when this returns.

        Raises:
            OSError: it cannot be kept, and does not count.
        """
        with self._lock:
            entries = {**self._by_track, track_id: acknowledgement}
            newest = sorted(entries, key=lambda one: entries[one].at_s)[-KEPT:]
            kept = {one: entries[one] for one in newest}
            write_atomically(self._path, json.dumps({str(one): asdict(kept[one]) for one in newest}).encode())
            self._by_track = kept

    def _read(self) -> dict[int, Acknowledgement]:
        try:
            content = json.loads(self._path.read_bytes())
            return {
                int(track_id): Acknowledgement(ThreatLevel(one["level"]), str(one["who"]), float(one["at_s"]))
                for track_id, one in content.items()
            }
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # Nothing of it is believed: every threat is then shown as not acknowledged, which is the safe side.
            _log.error("%s is not readable (%s): every threat counts as not acknowledged", self._path, error)
            return {}

    def __getitem__(self, track_id: int) -> Acknowledgement:
        return self._by_track[track_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._by_track)

    def __len__(self) -> int:
        return len(self._by_track)
