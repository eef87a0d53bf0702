# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI page: valid, and each operation says what it needs, what it takes and what else it may answer."""

import pytest
from jsonschema_rs import Draft202012Validator

ACCOUNTS = ("/api/auth/", "/api/users", "/api/invites", "/api/service-tokens", "/api/audit")


@pytest.fixture
def page(app) -> dict:
    return app.client.get("/openapi.json", headers=app.headers()).json()


def operations(page: dict):
    for path, methods in page["paths"].items():
        if path.startswith(ACCOUNTS):
            for method, operation in methods.items():
                yield f"{method.upper()} {path}", operation


def resolve(page: dict, schema: dict) -> dict:
    while "$ref" in schema:
        schema = page["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def test_every_reference_leads_somewhere(page):
    def walk(value: object) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                assert value["$ref"].rsplit("/", 1)[1] in page["components"]["schemas"]
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk(page)


def test_every_error_has_a_body_that_is_described(page):
    for name, operation in operations(page):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                schema = response["content"]["application/json"]["schema"]
                assert "detail" in resolve(page, schema)["properties"], (name, status)


def test_what_an_operation_may_answer_is_listed(page):
    expected = {
        "POST /api/auth/login": {200, 400, 401, 408, 413, 429, 503},
        "POST /api/auth/refresh": {200, 400, 401, 408, 413, 429, 503},
        "POST /api/auth/register": {200, 400, 403, 408, 409, 413, 429, 503},
        "POST /api/auth/logout": {204, 401, 403, 503},
        "POST /api/auth/password": {204, 400, 401, 403, 408, 409, 413, 429, 503},
        "POST /api/auth/ws-ticket": {200, 401, 429, 503},
        "PATCH /api/users/{name}": {200, 400, 401, 403, 404, 408, 409, 413, 503},
        "DELETE /api/invites/{invite_id}": {204, 400, 401, 403, 404, 503},
        "GET /api/audit": {200, 400, 401, 403, 503},
    }
    said = {name: {int(status) for status in operation["responses"]} for name, operation in operations(page)}
    assert {name: said[name] for name in expected} == expected


def test_every_body_and_answer_has_examples_that_fit(page):
    definitions = {"components": page["components"]}
    for name, operation in operations(page):
        contents = [
            operation.get("requestBody", {}),
            operation["responses"].get("200", {}),
            operation["responses"].get("201", {}),
        ]
        for content in contents:
            schema = content.get("content", {}).get("application/json", {}).get("schema")
            if schema is None:
                continue
            for field, described in resolve(page, schema)["properties"].items():
                for example in described.get("examples", []):
                    Draft202012Validator({**described, **definitions}).validate(example)
                kind = described.get("type")
                assert described.get("examples") or kind not in ("string", "number") or "default" in described, (
                    name,
                    field,
                )


def test_every_operation_has_a_sentence_for_its_title(app):
    page = app.client.get("/openapi.json", headers=app.headers()).json()
    titles = [operation["summary"] for path in page["paths"].values() for operation in path.values()]
    assert all(" " in title and len(title) < 130 for title in titles), titles
    assert len(set(titles)) == len(titles)
