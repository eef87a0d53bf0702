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
_HTML, _SCRIPT, _STYLE = "text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css; charset=utf-8"
_FILES: dict[str, tuple[Path, str]] = {
    "/": (_OURS / "index.html", _HTML),
    "/ages.js": (_OURS / "ages.js", _SCRIPT),
    "/app.js": (_OURS / "app.js", _SCRIPT),
    "/dom.js": (_OURS / "dom.js", _SCRIPT),
    "/panels.js": (_OURS / "panels.js", _SCRIPT),
    "/scope.js": (_OURS / "scope.js", _SCRIPT),
    "/session.js": (_OURS / "session.js", _SCRIPT),
    "/stream.js": (_OURS / "stream.js", _SCRIPT),
    "/style.css": (_OURS / "style.css", _STYLE),
    "/icon.svg": (_OURS / "icon.svg", "image/svg+xml"),
    "/docs": (_OURS / "docs.html", _HTML),
    "/docs.js": (_OURS / "docs.js", _SCRIPT),
    "/docs.css": (_OURS / "docs.css", _STYLE),
    "/swagger-ui-bundle.js": (_SWAGGER_UI / "swagger-ui-bundle.js", _SCRIPT),
    "/swagger-ui.css": (_SWAGGER_UI / "swagger-ui.css", _STYLE),
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


for _path, (_file, _type) in _FILES.items():
    router.add_api_route(_path, _serve(_path, _file.read_bytes(), _type), methods=["GET"])
router.add_api_route("/palette.css", _serve("/palette.css", palette.css().encode(), _STYLE), methods=["GET"])
