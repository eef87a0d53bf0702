# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Access tokens that nobody issued: made from one that was, with PyJWT and by hand."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def forge(
    good: str,
    key: bytes,
    *,
    algorithm: str = "HS256",
    header: dict[str, Any] | None = None,
    drop: tuple[str, ...] = (),
    **claims: Any,
) -> str:
    """Return a token like a good one, but for what is given; with nothing given it is as good."""
    payload = {**jwt.decode(good, options={"verify_signature": False}), **claims}
    for name in drop:
        del payload[name]
    headers = {"kid": jwt.get_unverified_header(good)["kid"], **(header or {})}
    return jwt.encode(payload, key, algorithm=algorithm, headers={k: v for k, v in headers.items() if v is not None})


# What `forge` is given, by what is wrong then.
FORGERIES: dict[str, dict[str, Any]] = {
    "another key": {"key": bytes(64)},
    "another algorithm": {"algorithm": "HS512"},
    "expired": {"exp": int(time.time()) - 1},
    "not yet valid": {"nbf": int(time.time()) + 86_400},
    "another audience": {"aud": "somebody-else"},
    "several audiences": {"aud": ["aegis-bridge", "somebody-else"]},
    "another issuer": {"iss": "somebody-else"},
    "another type": {"type": "refresh"},
    "foreign kid": {"header": {"kid": "0000000000000000"}},
    "kid as a path": {"header": {"kid": "../../dev/null"}},
    "no kid": {"header": {"kid": None}},
    "crit": {"header": {"crit": ["exp"]}},
    "jku": {"header": {"jku": "https://example.org/keys"}},
    "jwk": {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
    "x5u": {"header": {"x5u": "https://example.org/cert"}},
    "another typ": {"header": {"typ": "at+jwt"}},
    "scopes as text": {"scopes": "radar:read admin"},
    "subject as a number": {"sub": 7},
    "session as a number": {"sid": 7},
    "an empty session": {"sid": ""},
    "role as a number": {"role": 7},
    **{
        f"no {name}": {"drop": (name,)}
        for name in ("exp", "nbf", "iat", "iss", "aud", "type", "sub", "sid", "role", "scopes")
    },
}


def unsigned(good: str) -> Iterator[str]:
    """Yield a good token without a signature, or with that of another header, for every way to write `none`."""
    _, payload, signature = good.split(".")
    fields = jwt.get_unverified_header(good)
    for algorithm in ("none", "None", "NONE", ""):
        for end in ("", signature):
            yield f"{_part({**fields, 'alg': algorithm})}.{payload}.{end}"


def with_more_scopes(good: str) -> str:
    """Return a good token whose claims were changed under its signature."""
    header, payload, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{header}.{_part({**claims, 'scopes': ['admin']})}.{signature}"


_DEEP = base64.urlsafe_b64encode(b"[" * 2900).rstrip(b"=").decode()  # JSON that no parser takes, within the size limit
NO_TOKENS = (
    "",
    ".",
    "..",
    "a.b.c",
    "x" * 5000,
    "é.é.é",
    "e30.e30.e30",
    "aegis_",
    "aegis_" + "A" * 43,
    f"{_DEEP}.e30.e30",
)
