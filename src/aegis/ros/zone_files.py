# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Files of zones."""

from __future__ import annotations

import json
from pathlib import Path

from aegis.core.params import ConfigError
from aegis.core.threat.settings import ThreatSettings
from aegis.core.threat.zones import FileZones, zones_of
from aegis.core.yaml_text import parse_yaml


def all_zones(settings: ThreatSettings) -> FileZones:
    """Return the zones of the parameters and of the file that they name, and the rules that the file has.

    Raises:
        ConfigError: the file cannot be read, is of another form, or has a zone of a name that is taken.
    """
    if not settings.zone_file:
        return FileZones(dict(settings.zones), {})
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
    twice = found.zones.keys() & settings.zones.keys()
    if twice:
        raise ConfigError(f"zone_file {path}: zone '{min(twice)}' is in the parameters too")
    twice = found.rules.keys() & settings.rules.keys()
    if twice:
        raise ConfigError(f"zone_file {path}: a rule '{min(twice)}' is in the parameters too; call the zone otherwise")
    return FileZones({**settings.zones, **found.zones}, found.rules)
