"""Files of zones."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from aegis.core.params import ConfigError
from aegis.core.threat.settings import ThreatSettings
from aegis.core.threat.zone_settings import Zone
from aegis.core.threat.zones import zones_of


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
        document = json.loads(text) if path.suffix in (".json", ".geojson") else yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"zone_file {path}: cannot be read: {error}") from error
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"zone_file {path}: not valid JSON or YAML: {error}") from error
    found = zones_of(document, settings.site, f"zone_file {path}")
    twice = found.keys() & settings.zones.keys()
    if twice:
        raise ConfigError(f"zone_file {path}: zone '{min(twice)}' is in the parameters too")
    return {**settings.zones, **found}
