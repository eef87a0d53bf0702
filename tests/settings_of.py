# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Settings from the last parts of their parameters' names: what a test sets need not say in which group that is."""

from typing import Any, TypeVar

from aegis.core.params import Settings

S = TypeVar("S", bound=Settings)


def dotted(kind: type[Settings], values: dict[str, Any]) -> dict[str, Any]:
    """Return the values under dotted names: `prf_hz` is `waveform.prf_hz`, and `cot_url` is `outputs.cot.url`.

    The whole name goes before the last part, and that before the last parts; what fits several names stays as it is.
    """
    names = [info.name for info in kind.params() if "<" not in info.name]

    def whole(key: str) -> str:
        found = [name for name in names if name.replace(".", "_") == key]
        found = found or [name for name in names if name.rpartition(".")[2] == key]
        found = found or [name for name in names if name.replace(".", "_").endswith(f"_{key}")]
        return found[0] if len(found) == 1 else key

    return {whole(key): value for key, value in values.items()}


def settings_of(kind: type[S], /, **values: Any) -> S:
    """Return settings: `settings_of(SimulatorSettings, prf_hz=1e4)` sets `waveform.prf_hz`."""
    return kind.load(dotted(kind, values))
