# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A site's own section in a parameter file: which radars it has, how their detections become one picture, and their profiles.

site:
  ros__parameters:
    radars: [front, left]
    fusion: true
    profiles:
      left: marine_video.yaml
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aegis.core.params import ConfigError, Settings, named, param
from aegis.graph.parameter_file import SITE, Section, read_file
from aegis.resources import config_file

_TRACKER = "tracking"


class SiteSettings(Settings):
    """What `aegis up --site` asks of a run."""

    radars: tuple[str, ...] = param(
        (), "The radars, each in a namespace of its own. None, with fusion: a headquarters, which has the sites' tracks alone."
    )  # fmt: skip
    fusion: bool = param(False, "A tracker for each radar, and their tracks fused; else one tracker of all detections.")
    profiles: dict[str, str] = named(
        "radar",
        "Parameter file for the nodes of one radar: a path, from this file's folder, or the name of a file that ships.",
    )


def site_of(path: Path, sections: Sequence[Section]) -> SiteSettings:
    """Return what a parameter file's section `site` says.

    Raises:
        ConfigError: a parameter there is wrong, or of a radar that is not named.
    """
    found = [section for section in sections if section.name == SITE]
    values = {name: value for section in found for name, value in section.values.items()}
    site = SiteSettings.load(values, source=f"{path}, '{SITE}'")
    if strange := sorted(set(site.profiles) - set(site.radars)):
        raise ConfigError(
            f"{path}, '{SITE}': a profile of '{strange[0]}', which is none of radars: {', '.join(site.radars)}"
        )
    return site


def profile_sections(path: Path, sections: Sequence[Section]) -> list[Section]:
    """Return the sections of the radars' profiles, each for the nodes in its radar's namespace.

    Raises:
        ConfigError: a profile cannot be read, or sets what is not one radar's.
    """
    site, out = site_of(path, sections), []
    for radar, name in site.profiles.items():
        beside = path.parent / name
        try:
            profile = beside if beside.exists() else config_file(name)
        except FileNotFoundError as error:
            raise ConfigError(f"{path}, '{SITE}': the profile of '{radar}': {error}") from None
        for section in read_file(profile):
            whose = section.pattern.removeprefix("/**/")
            if section.everywhere or "/" in whose or (whose == _TRACKER and not site.fusion):
                raise ConfigError(
                    f"{path}, '{SITE}': the profile {profile} of '{radar}' sets '{whose}', which is not one radar's; say it in the "
                    "site's own file, or give each radar a tracker (fusion: true)"
                )
            out.append(Section(f"/**/{radar}/{whose}", section.values, section.source))
    return out
