# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Requests that are odd as HTTP, and HEAD."""

import pytest

from aegis.bridge.accounts.scopes import Scope


def test_two_authorizations_are_none(app):
    good = app.headers(Scope.RADAR_READ)["Authorization"]
    for headers in ([("Authorization", good), ("Authorization", "Bearer x")], [("Authorization", good)] * 2):
        answer = app.client.get("/api/radar/status", headers=headers)
        assert answer.status_code == 400
        assert "Authorization" in answer.json()["detail"]
    assert app.client.get("/api/radar/status", headers={"Authorization": good}).status_code == 503  # nothing heard yet


@pytest.mark.parametrize("path", ["/", "/health", "/app.js", "/ready", "/api/radar/status", "/api/auth/me"])
def test_head_is_get_without_its_body(app, path):
    headers = app.headers(Scope.RADAR_READ)
    for given in ({}, headers):
        asked, got = app.client.head(path, headers=given), app.client.get(path, headers=given)
        assert asked.status_code == got.status_code
        assert asked.headers.get("content-type") == got.headers.get("content-type")


def test_the_endless_stream_has_no_head(app):
    assert app.client.head("/api/stream", headers=app.headers(*Scope)).status_code == 405


def test_head_is_no_way_around_a_token(app):
    assert app.client.head("/api/radar/status").status_code == 401
