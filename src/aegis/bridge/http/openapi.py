# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI description, completed from the code: scopes, and errors that any route may answer."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from aegis.bridge.http.guard import PUBLIC_ROUTES
from aegis.bridge.models.common import Problem
from aegis.bridge.routes.access import needed_scopes, walk_routes

Schema = dict[str, Any]  # a part of the description, as JSON
PUBLIC, ANY_TOKEN = "public", "any"
_SENTENCE = {PUBLIC: "Public: no token is needed.", ANY_TOKEN: "Any valid token is good for it."}
_EXAMPLES = {
    400: ("the request is not as described here", "body.username: Field required"),
    401: ("no valid access token", "a valid access token is needed"),
    403: ("the token lacks the scope", "scope admin is needed"),
    408: ("the request did not arrive in time", "a request must arrive within 10 s"),
    413: ("the body is too large", "at most 65536 bytes are taken"),
}


def scope_of(method: str, route: APIRoute) -> str:
    """Return what a route needs: `public`, `any` for any valid token, or its scopes, separated by spaces."""
    if (method, route.path) in PUBLIC_ROUTES:
        return PUBLIC
    return " ".join(sorted(needed_scopes(route.dependant))) or ANY_TOKEN


def describe_scopes(app: FastAPI) -> None:
    """Add the needed scope and the common errors to each operation of an application's OpenAPI description."""
    describe = app.openapi

    def described() -> Schema:
        if app.openapi_schema is None:
            schema = describe()
            for route in walk_routes(app.routes):
                if isinstance(route, APIRoute) and route.include_in_schema:
                    for method in route.methods or ():
                        _complete(schema["paths"][route.path_format][method.lower()], scope_of(method, route))
            _add_problem(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _complete(operation: Schema, scope: str) -> None:
    operation["x-scope"] = scope
    sentence = _SENTENCE.get(scope, f"Scope {scope}.")
    text = operation.get("description", "")
    operation["summary"] = text.partition(". ")[0].partition("\n")[0].rstrip(".")  # not the name of a Python function
    operation["description"] = f"{text}\n\n{sentence}".strip()
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422")):  # FastAPI's own, which we answer with 400
        del responses["422"]
    statuses = [] if scope == PUBLIC else [401] if scope == ANY_TOKEN else [401, 403]
    if "requestBody" in operation:
        statuses += [400, 408, 413]
    elif "parameters" in operation:
        statuses += [400]
    for status in statuses:
        responses.setdefault(str(status), _problem(*_EXAMPLES[status]))


def _problem(description: str, detail: str) -> Schema:
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": {"detail": detail}}
    return {"description": description, "content": {"application/json": content}}


def _add_problem(schema: Schema) -> None:
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas.setdefault("Problem", Problem.model_json_schema())
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
