"""Settings from the last parts of their parameters' names: what a test sets need not say in which group that is."""

from typing import Any, TypeVar

from aegis.core.params import Settings

S = TypeVar("S", bound=Settings)


def dotted(kind: type[Settings], values: dict[str, Any]) -> dict[str, Any]:
    """Return the values under dotted names; a name that several parameters end in stays as it is."""
    names: dict[str, list[str]] = {}
    for info in kind.params():
        if "<" not in info.name:
            names.setdefault(info.name.rpartition(".")[2], []).append(info.name)
    return {names[key][0] if len(names.get(key, ())) == 1 else key: value for key, value in values.items()}


def settings_of(kind: type[S], /, **values: Any) -> S:
    """Return settings: `settings_of(SimulatorSettings, prf_hz=1e4)` sets `waveform.prf_hz`."""
    return kind.load(dotted(kind, values))
