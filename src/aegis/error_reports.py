# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reports of errors to a Sentry server of one's own, where SENTRY_DSN is set; without it nothing is loaded, and nothing is sent.

A report has the type of an exception and where in the code it was raised. It has no person in it, and no place: no messages of
exceptions (they name accounts), no values of variables, no log lines before it, no requests, no addresses, no machine's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from aegis.core.params import ConfigError

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

SENTRY_DSN = "SENTRY_DSN"
_KEPT = ("event_id", "timestamp", "platform", "level", "release", "sdk", "transaction")
_FRAME_KEPT = ("filename", "function", "module", "lineno", "in_app")


def report_errors(environ: Mapping[str, str], release: str, process: str) -> None:
    """Report what is raised and not caught, or logged with its exception, from now on.

    Args:
        environ: SENTRY_DSN in it says where to.
        release: of Aegis.
        process: which nodes it runs.

    Raises:
        ConfigError: the package is not there, or SENTRY_DSN is none.
    """
    dsn = environ.get(SENTRY_DSN, "")
    if not dsn:
        return
    try:
        import sentry_sdk
        from sentry_sdk.integrations.atexit import AtexitIntegration
        from sentry_sdk.integrations.excepthook import ExcepthookIntegration
        from sentry_sdk.integrations.logging import LoggingIntegration
        from sentry_sdk.integrations.threading import ThreadingIntegration
        from sentry_sdk.utils import BadDsn
    except ModuleNotFoundError:
        raise ConfigError(f"{SENTRY_DSN} needs a package that is not there: pip install 'aegis[sentry]'") from None
    try:
        sentry_sdk.init(
            dsn=dsn,
            release=f"aegis@{release}",
            server_name="",
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[
                AtexitIntegration(callback=lambda _pending, _timeout_s: None),  # sends what waits, and says nothing
                ExcepthookIntegration(),
                ThreadingIntegration(),
                LoggingIntegration(level=None),
            ],
            send_default_pii=False,
            include_local_variables=False,
            include_source_context=False,
            max_breadcrumbs=0,
            auto_session_tracking=False,
            send_client_reports=False,
            shutdown_timeout=2,
            before_send=lambda event, hint: without_persons(event, hint, process),
        )
    except BadDsn:
        raise ConfigError(f"environment variable {SENTRY_DSN}: 'https://KEY@HOST/PROJECT' is expected") from None


def without_persons(event: Event, _hint: Hint, process: str) -> Event | None:
    """Return of a report what may leave the machine; None where it is about no exception."""
    found = event.get("exception", {}).get("values") or []
    if not found:
        return None
    kept = cast("Event", {key: value for key, value in event.items() if key in _KEPT})
    values = []
    for one in found:
        frames = (one.get("stacktrace") or {}).get("frames") or []
        where = [{key: frame[key] for key in _FRAME_KEPT if key in frame} for frame in frames]
        values.append({"type": one.get("type"), "module": one.get("module"), "stacktrace": {"frames": where}})
    kept["exception"] = {"values": values}
    kept["tags"] = {"process": process}
    return kept
