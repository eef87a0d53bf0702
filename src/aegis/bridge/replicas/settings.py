# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of a bridge that is one of several."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import SecretStr

from aegis.core.params import ConfigError, Settings, param

NAME = r"[A-Za-z0-9][A-Za-z0-9_]{0,31}"


class ReplicaSettings(Settings):
    """What several bridges of one graph share, and how long one waits for it."""

    redis_url: SecretStr = param(
        SecretStr(""),
        "Redis that all bridges of one graph share: 'redis://:password@host:6379/0', one database for one graph; 'rediss://' with"
        " TLS. With it accounts are in PostgreSQL (history.database_url). Empty: this is the only"
        " bridge, and all is kept on this disk.",
        env="REDIS_URL",
    )
    name: str = param(
        "",
        "Name of this bridge among several, another one for each, of letters, digits and underscores: its node is bridge_NAME, and"
        " its state in the folder bridge_NAME.",
        env="AEGIS_BRIDGE_NAME",
    )
    timeout_s: float = param(1.0, "How long Redis may take to answer.", unit="s", ge=0.05, le=30)
    unread_s: float = param(
        4.0,
        "Where neither PostgreSQL nor Redis has told for so long what was revoked, no token is taken any more, and streams are"
        " cut.",
        unit="s",
        ge=2.5,
        le=86400,
    )

    @property
    def is_one_of_several(self) -> bool:
        """Whether there are other bridges."""
        return bool(self.redis_url.get_secret_value())


def node_name(settings: ReplicaSettings, alone: str) -> str:
    """Return what the bridge is called on the graph: as it is `alone`, or with its name behind."""
    return f"{alone}_{settings.name}" if settings.is_one_of_several else alone


def check_replicas(settings: ReplicaSettings, database_url: str) -> None:
    """Refuse what would leave several bridges with different accounts, or with one name.

    Raises:
        ConfigError: the message names what to set.
    """
    if not settings.is_one_of_several:
        return
    if not database_url.startswith("postgresql"):
        raise ConfigError(
            "bridge: replicas.redis_url (REDIS_URL) is for several bridges, which have their accounts in PostgreSQL: set"
            " history.database_url (DATABASE_URL) to 'postgresql://user:password@host/name' too"
        )
    if not re.fullmatch(NAME, settings.name):
        raise ConfigError(
            f"bridge: replicas.name (AEGIS_BRIDGE_NAME) is '{settings.name}'; each of several bridges needs one of its own, of 1 to"
            " 32 letters, digits and underscores"
        )
    try:
        import redis  # noqa: F401
    except ModuleNotFoundError:
        raise ConfigError(
            "bridge: a shared Redis needs a package that is not there: pip install 'aegis[redis]'"
        ) from None


def shared_accounts(environ: Mapping[str, str]) -> str:
    """Return the URL of the accounts that several bridges share, by the environment; empty for a bridge that is alone."""
    return environ.get("DATABASE_URL", "") if environ.get("REDIS_URL") else ""
