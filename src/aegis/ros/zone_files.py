"""Files of zones."""

from __future__ import annotations

import json
from pathlib import Path

from aegis.core.params import ConfigError
from aegis.core.threat.settings import ThreatSettings
from aegis.core.threat.zone_settings import Zone
from aegis.core.threat.zones import zones_of
from aegis.core.yaml_text import parse_yaml


def all_zones(settings: ThreatSettings) -> dict[str, Zone]:
    """Return the zones of the parameters and of the file that they name.

    Raises:
        ConfigError: the file cannot be read, is of another form, or has a zone of a name that is taken.
    """
    if not settings.zone_file:
        return dict(settings.zones)
    path = Path(settings.zone_file)
    try:
        text = path.read_text(encoding="utf-8")
        is_json = path.suffix in (".json", ".geojson")
        document = json.loads(text) if is_json else parse_yaml(text, f"zone_file {path}")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"zone_file {path}: cannot be read: {error}") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise ConfigError(f"zone_file {path}: not valid JSON: {error}") from error
    found = zones_of(document, settings.site, f"zone_file {path}")
    twice = found.keys() & settings.zones.keys()
    if twice:
        raise ConfigError(f"zone_file {path}: zone '{min(twice)}' is in the parameters too")
    return {**settings.zones, **found}
