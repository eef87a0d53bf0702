"""Settings from the last parts of their parameters' names: what a test sets need not say in which group that is."""

from typing import Any, TypeVar

from aegis.core.params import Settings

S = TypeVar("S", bound=Settings)


def dotted(kind: type[Settings], values: dict[str, Any]) -> dict[str, Any]:
    """Return the values under dotted names: `cot_url` is `outputs.cot.url`, if no other parameter's name ends so.

    A name that several parameters end in, and none is, stays as it is.
    """
    names = {info.name.replace(".", "_"): info.name for info in kind.params() if "<" not in info.name}

    def whole(key: str) -> str:
        found = [name for flat, name in names.items() if flat.endswith(f"_{key}")]
        return names.get(key) or (found[0] if len(found) == 1 else key)

    return {whole(key): value for key, value in values.items()}


def settings_of(kind: type[S], /, **values: Any) -> S:
    """Return settings: `settings_of(SimulatorSettings, prf_hz=1e4)` sets `waveform.prf_hz`."""
    return kind.load(dotted(kind, values))
