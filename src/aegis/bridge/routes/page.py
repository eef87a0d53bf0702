# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The web page's files. Public: they hold no data, and the page logs in like any other client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.metadata import distribution
from pathlib import Path

from fastapi import APIRouter, Response

from aegis.bridge.http.guard import SECURITY_HEADERS
from aegis.core import palette

_OURS = Path(__file__).parents[1] / "static"
_SWAGGER_UI = Path(str(distribution("fastapi-offline").locate_file("fastapi_offline"))) / "static"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_NAMES = {"index.html": "/", "docs.html": "/docs"}
# Ours are built from src/page (its package.json says how).
_FILES = {
    _NAMES.get(file.name, f"/{file.name}"): file
    for file in (
        *sorted(file for file in _OURS.iterdir() if file.suffix in _TYPES),
        _SWAGGER_UI / "swagger-ui-bundle.js",
        _SWAGGER_UI / "swagger-ui.css",
    )
}
# Swagger UI's style has its icons inside, as data.
_DOCS_POLICY = SECURITY_HEADERS["content-security-policy"].replace("img-src 'self'", "img-src 'self' data:")

router = APIRouter(include_in_schema=False)


def _serve(path: str, content: bytes, media_type: str) -> Callable[[], Awaitable[Response]]:
    headers = {"Cache-Control": "no-cache"}
    if path == "/docs":
        headers["Content-Security-Policy"] = _DOCS_POLICY

    async def answer() -> Response:
        return Response(content, media_type=media_type, headers=headers)

    return answer


for _path, _file in _FILES.items():
    router.add_api_route(_path, _serve(_path, _file.read_bytes(), _TYPES[_file.suffix]), methods=["GET"])
router.add_api_route("/palette.css", _serve("/palette.css", palette.css().encode(), _TYPES[".css"]), methods=["GET"])
