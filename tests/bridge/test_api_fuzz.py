# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The API against its own description: thousands of generated requests, none answered with 5xx or against the description.

A real bridge beside real stages, so that every stage has spoken and the commands reach somebody.
"""

import time
from collections import Counter

import httpx
import requests
import schemathesis
from amounts import amount
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CASES = amount(2500, nightly=100_000)
A_ROUND = 50  # cases of one operation before the next
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
APART = {"/api/stream", "/api/incident"}  # endless, and a process each: with tests of their own
WHO = {"username": "fuzzer", "password": "of seven colours, none green"}
SITE = [52.5, 13.4, 40.0]


class Fuzzer:
    """Calls operations as an administrator whose sessions may end at any call."""

    def __init__(self, bridge) -> None:
        self.url = bridge.url
        headers = {"Authorization": f"Bearer {bridge.token}"}
        made = httpx.post(f"{self.url}/api/auth/register", json={**WHO, "role": "admin"}, headers=headers, timeout=10)
        assert made.status_code == 200, made.text
        self.session = requests.Session()
        self.statuses: dict[str, Counter[int]] = {}
        self.log_in()

    def log_in(self) -> None:
        # Over the connection that stays, without a token that may be over.
        answer = self.session.post(f"{self.url}/api/auth/login", json=WHO, headers={"Authorization": None}, timeout=30)
        assert answer.status_code == 200, answer.text
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def fuzz(self, operation, examples: int) -> int:
        """Call an operation with so many generated cases, or all there are; return how many."""
        name = f"{operation.method.upper()} {operation.path}"
        seen = self.statuses.setdefault(name, Counter())
        before = seen.total()

        @settings(
            max_examples=examples,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def run(case) -> None:
            response = case.call(base_url=self.url, session=self.session, timeout=30)
            if response.status_code in (
                401,
                204,
            ):  # the session may be over: of this call, too, its rightful answer counts
                self.log_in()
            seen[response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        run()
        return seen.total() - before


def test_nothing_generated_breaks_the_api(start_bridge, start_stages, wait_for):
    bridge = start_bridge(
        access_token_minutes=60.0, ready_silence_s=120.0, site=SITE,
        login_per_address_per_minute=10000, login_per_account_per_minute=1000, register_per_address_per_minute=10000,
        passwords_queue=1000,
    )  # fmt: skip
    start_stages("simulator", "detection", "tracking", "threat", "ew")
    needed = ("/ready", "/api/radar/tracks", "/api/threats/active", "/api/ew/advice", "/api/threats/ew-status")
    wait_for(lambda: all(bridge.get(path).status_code == 200 for path in needed), "every stage has spoken", 150)

    schema = schemathesis.openapi.from_dict(bridge.get("/openapi.json").json())
    operations = [found.ok() for found in schema.get_all_operations()]
    operations = [one for one in operations if one.path not in APART]
    assert len(operations) > 40
    fuzzer = Fuzzer(bridge)
    begin, cases, going = time.monotonic(), 0, operations
    while cases < CASES:
        # Those that have no more to vary are done after the first round.
        counts = {one.label: fuzzer.fuzz(one, A_ROUND) for one in going}
        cases += sum(counts.values())
        going = [one for one in going if counts[one.label] >= A_ROUND // 2]
    print(f"{cases} cases, {len(operations)} operations, {time.monotonic() - begin:.0f} s")
    for name, seen in fuzzer.statuses.items():
        print(f"{name:60} {dict(seen)}")
    # It has met more than refusals: most operations have also done what they are for.
    done = [name for name, seen in fuzzer.statuses.items() if any(status < 400 for status in seen)]
    assert len(done) > 0.6 * len(operations), sorted(fuzzer.statuses.keys() - done)
