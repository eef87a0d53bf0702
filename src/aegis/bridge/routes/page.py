"""The web page's files. Public: they hold no data, and the page logs in like any other client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter, Response

_STATIC = Path(__file__).parents[1] / "static"
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/scope.js": ("scope.js", "text/javascript; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}

router = APIRouter(include_in_schema=False)


def _serve(file_name: str, media_type: str) -> Callable[[], Awaitable[Response]]:
    content = (_STATIC / file_name).read_bytes()

    async def file() -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": "no-cache"})

    return file


for _path, (_name, _type) in _FILES.items():
    router.add_api_route(_path, _serve(_name, _type), methods=["GET"])
