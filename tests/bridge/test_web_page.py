# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The web page in a real browser, against a real bridge on a real graph: its state and its pixels."""

import base64
import gzip
import io
import json
import os
import re
import shutil
import socket
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from bridge_data import some_detections, some_threats, some_tracks, until
from PIL import Image
from pmtiles_file import vector_tile, write_pmtiles
from pyproj import Geod

from aegis.core.types import Advice, AdviceState, ClassId, Sector, ThreatLevel
from aegis.core.video.spokes import Spokes
from aegis.graph.evaluation.recording import read_bag
from aegis.graph.offline import process_bag, simulate_bag
from aegis.ros.messages.ew import advice_to_msg
from aegis.ros.messages.video import video_to_msg
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.topics import TOPICS

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
playwright_api.expect.set_options(timeout=15_000)

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
]
TOKEN = "JSON.parse(sessionStorage.getItem('aegis-session'))?.token ?? null"
CRITICAL, MEDIUM = (255, 92, 108), (244, 211, 94)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt install chromium)")


class Feed:
    """Ten scans a second of two tracks that fly outwards, until stopped."""

    def __init__(self, publisher) -> None:
        self._publisher = publisher
        self._stop = threading.Event()
        self.sequence = 0
        self.sector: Sector | None = None  # of an antenna that turns
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            self.sequence += 1
            stamp_ns = time.time_ns()
            tracks = some_tracks(self.sequence, stamp_ns)
            tracks.state[:, :3] += tracks.state[:, 3:] * 0.1 * self.sequence
            tracks.sources = ["front", "front,left"]
            self._publisher.send(replace(some_detections(self.sequence, stamp_ns), sector=self.sector))
            self._publisher.send(tracks)
            self._publisher.send(some_threats(self.sequence, stamp_ns))

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def feed(publisher):
    one = Feed(publisher)
    yield one
    one.stop()


@pytest.fixture(scope="module")
def browser():
    with playwright_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1400, "height": 860})
    one = context.new_page()
    one.set_default_timeout(15000)
    one.problems = []
    one.on("pageerror", lambda error: one.problems.append(str(error)))
    one.on("console", lambda message: one.problems.append(message.text) if message.type == "error" else None)
    yield one
    context.close()


def sign_in(page, bridge, password: str | None = None) -> None:
    page.goto(bridge.url)
    page.fill("#username", "admin")
    page.fill("#password", bridge.password if password is None else password)
    page.click("#login button")


def state(page, name: str) -> str:
    return page.evaluate(f"document.body.dataset.{name}")


def wait_state(page, name: str, value: str) -> None:
    page.wait_for_selector(f"body[data-{name}='{value}']")


def says(page, element_id: str, text: str | re.Pattern[str]) -> None:
    """Wait until an element has a text, or one that matches."""
    playwright_api.expect(page.locator(f"#{element_id}")).to_have_text(text, timeout=15000)


# What a person sees: the canvases of the scope one above the other.
SCOPE = """(ids) => {
  const all = document.createElement("canvas");
  const g = all.getContext("2d");
  for (const one of ids.map((id) => document.getElementById(id))) {
    if (!all.width || all.width !== one.width) [all.width, all.height] = [one.width, one.height];
    g.globalAlpha = Number(getComputedStyle(one).opacity);
    g.drawImage(one, 0, 0);
  }
  return all.toDataURL();
}"""


def scope_pixels(page, *canvases: str) -> np.ndarray:
    """Return what is drawn on the scope, or on some of its canvases, (height, width, 3)."""
    png = page.evaluate(SCOPE, list(canvases or ("ground", "moving", "edge", "scope"))).partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")).astype(int)


def centre_of(pixels: np.ndarray, colour: tuple[int, int, int]) -> tuple[float, float] | None:
    """Return the mean place of a colour, right of and above the middle in fractions of the scope's radius; None without it."""
    near = np.abs(pixels - colour).max(axis=2) < 24
    if near.sum() < 20:
        return None
    rows, columns = np.nonzero(near)
    height, width = near.shape
    radius = min(height, width) / 2 - 26
    return (columns.mean() - width / 2) / radius, (height / 2 - rows.mean()) / radius


def test_a_person_signs_in_and_sees_the_picture(page, start_bridge, feed, tmp_path: Path):
    bridge = start_bridge()
    sign_in(page, bridge)
    wait_state(page, "connection", "live")
    wait_state(page, "threats", "fresh")
    page.wait_for_selector("#tracks tr[data-id='42']")
    assert page.is_hidden("#login-panel")
    assert page.is_hidden("#notice")

    cells = page.locator("#tracks tr[data-id='41'] td").all_inner_texts()
    assert cells[:4] == ["●", "41", "aircraft", "CRITICAL"]
    assert (cells[5], cells[7], cells[8]) == ("30.0", "20.0", "30")
    assert float(cells[4]) > 600
    critical, medium = page.locator("#threats li").all()
    assert critical.locator(".level").inner_text() == "CRITICAL"
    assert critical.locator(".reason").inner_text() == "impact in 12 s <b>now</b>"  # shown, not interpreted
    assert medium.locator(".level").inner_text() == "MEDIUM"
    says(page, "rate", re.compile(r"^([5-9]|1\d)\.\d Hz$"))
    says(page, "age", re.compile("ms$"))
    assert page.inner_text("#track-count") == "2"
    page.wait_for_selector("#stages li.missing")  # the stages themselves do not run in this test

    # North is up: the critical track is at 30 degrees, the other one opposite. With 2 km to the edge they are inside.
    page.select_option("#range", "2000")
    deadline = time.monotonic() + 15
    while centre_of(scope_pixels(page), CRITICAL) is None:
        assert time.monotonic() < deadline, "the critical track is not on the scope"
    pixels = scope_pixels(page)
    right, up = centre_of(pixels, CRITICAL)
    reach = (
        float(page.locator("#tracks tr[data-id='41'] td").nth(4).inner_text()) + 100
    ) / 2000  # symbol, leader, name
    assert right == pytest.approx(reach * np.sin(np.pi / 6), abs=0.1)
    assert up == pytest.approx(reach * np.cos(np.pi / 6), abs=0.1)
    right, up = centre_of(pixels, MEDIUM)
    assert right < 0
    assert up < 0

    page.keyboard.press("c")  # the sensor looks east: what was at 30 degrees is 60 to the left of up
    says(page, "up", "course 090° up")
    assert "up=course" in page.url
    right, up = centre_of(scope_pixels(page), CRITICAL)
    assert right == pytest.approx(reach * np.sin(-np.pi / 3), abs=0.1)
    assert up == pytest.approx(reach * np.cos(-np.pi / 3), abs=0.1)
    page.keyboard.press("c")
    says(page, "up", "north up")

    page.click("th[data-key='range_m']")
    assert page.get_attribute("th[data-key='range_m']", "aria-sort") == "ascending"
    page.click("#tracks tr[data-id='42']")
    page.wait_for_selector("#threats li.selected[data-id='42']")
    held = page.locator("#facts div", has_text="held by")
    playwright_api.expect(held.locator("dd")).to_have_text("front, left")
    page.screenshot(path=os.environ.get("AEGIS_SCREENSHOT", tmp_path / "page.png"))
    assert page.problems == []

    page.click("#logout")
    page.wait_for_selector("#login-panel", state="visible")
    assert page.evaluate("sessionStorage.length") == 0
    assert page.is_hidden("#picture")


AXE = Path(__file__).parents[2] / "src" / "page" / "node_modules" / "axe-core" / "axe.min.js"
VIOLATIONS = """async () => {
  const { violations } = await axe.run();
  return violations.map((one) => [one.id, ...one.nodes.map((node) => node.html.slice(0, 120))]);
}"""


def test_axe_finds_nothing_to_complain_of(page, start_bridge, feed):
    """Neither before nor after signing in, with a track chosen, in each theme, with a zone drawn, and while the past is shown."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm ci in src/page)")
    bridge = start_bridge()
    page.goto(bridge.url)
    page.wait_for_selector("#login-panel", state="visible")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = {"login": page.evaluate(VIOLATIONS)}
    sign_in(page, bridge)
    wait_state(page, "threats", "fresh")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    page.locator("#tracks tr[data-id='41']").click()
    page.wait_for_selector("#facts div")
    for theme in ("dusk", "day", "night"):
        page.select_option("#theme", theme)
        found[theme] = page.evaluate(VIOLATIONS)
    page.click("#zones")
    page.click("#zone-draw")
    page.keyboard.press("Enter")  # to the form, where corners can be written
    page.wait_for_selector("#zone-form")
    found["zone"] = page.evaluate(VIOLATIONS)
    page.click("#replay")
    wait_state(page, "connection", "replay")
    found["replay"] = page.evaluate(VIOLATIONS)
    assert [(state, one) for state, all_of_it in found.items() for one in all_of_it] == []


# A browser that says of its software that it is a GPU: the page draws by WebGL2.
NO_NAME = """{
  const { getExtension } = WebGL2RenderingContext.prototype;
  WebGL2RenderingContext.prototype.getExtension = function (name) {
    return name === "WEBGL_debug_renderer_info" ? null : getExtension.call(this, name);
  };
}"""


def test_webgl_and_canvas_draw_the_same_picture(page, start_bridge, feed, wait_for):
    bridge = start_bridge()
    other = page.context.new_page()
    other.add_init_script(NO_NAME)
    kinds = {"2d": page, "webgl2": other}
    for kind, one in kinds.items():
        sign_in(one, bridge)
        wait_state(one, "threats", "fresh")
        one.select_option("#range", "2000")
        one.wait_for_selector(f"#scope[data-drawn='{kind}']")
    feed.stop()  # both now show the last scan; old after two seconds, they lose the levels' colours and are dimmed
    for one in kinds.values():
        wait_state(one, "picture", "stale")
    areas = {}
    for theme, symbols in (("dusk", "level"), ("day", "level"), ("dusk", "app6")):
        drawn = {}
        for kind, one in kinds.items():
            one.select_option("#theme", theme)
            one.select_option("#symbols", symbols)
            one.wait_for_function("moving.height === moving.clientHeight")  # another legend may be higher
            pixels = scope_pixels(one, "moving")
            drawn[kind] = pixels.max(axis=2) > 40  # on black
        on = int(drawn["2d"].sum())
        assert on > 150  # two symbols with leaders
        for kind, shown in drawn.items():
            near = sum(np.roll(shown, (dy, dx), axis=(0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)) > 0
            (elsewhere,) = (mask for name, mask in drawn.items() if name != kind)
            assert (near & elsewhere).sum() >= 0.98 * elsewhere.sum(), (theme, symbols, kind)
        areas[theme, symbols] = on
    assert areas["dusk", "app6"] > areas["dusk", "level"] + 100  # the frames are larger
    assert page.locator("#legend-classes li").all_inner_texts()[0] == "drone"
    page.reload()
    page.wait_for_selector("#picture:not([hidden])")
    assert page.input_value("#symbols") == "app6"  # it is kept
    assert page.problems == []


def test_the_picture_never_shows_old_data_as_new(page, start_bridge, feed, publisher, wait_for):
    bridge = start_bridge()
    sign_in(page, bridge)
    wait_state(page, "connection", "live")
    wait_state(page, "threats", "fresh")
    feed.stop()
    wait_state(page, "connection", "stale")
    assert "No new data for" in page.inner_text("#notice")
    assert page.inner_text("#rate") == page.inner_text("#track-count") == "–"
    assert state(page, "picture") == "stale"
    assert not page.inner_text("#age").endswith("ms")
    assert centre_of(scope_pixels(page), CRITICAL) is None  # dimmed, and no longer coloured by an old assessment
    publisher.send_scan(feed.sequence + 1)
    page.wait_for_selector("body[data-connection='live'][data-picture='fresh']")

    publisher.send_scan(feed.sequence + 2, stamp_ns=time.time_ns() - 6 * 10**9)
    says(page, "connection", re.compile("^late [678] s$"))
    wait_state(page, "connection", "late")

    publisher.send_scan(feed.sequence + 3, stamp_ns=time.time_ns() - 3600 * 10**9)  # new to us, but measured long ago
    says(page, "notice", re.compile("measured 60 min ago"))
    wait_state(page, "connection", "stale")

    bridge.process.kill()
    wait_state(page, "connection", "disconnected")
    says(page, "notice", re.compile("No connection"))


def test_before_any_data_the_page_says_so(page, start_bridge):
    sign_in(page, start_bridge())
    wait_state(page, "connection", "waiting")
    says(page, "notice", re.compile("no data yet"))
    assert page.locator("#tracks tr").count() == 0
    assert page.inner_text("#age") == "–"


def test_a_wrong_password_stays_outside(page, start_bridge):
    sign_in(page, start_bridge(), password="wrong")
    says(page, "login-problem", "wrong username or password")
    assert page.is_visible("#login-panel")
    assert state(page, "connection") == "signed-out"


def test_tokens_are_renewed_until_the_session_ends(page, start_bridge, feed, wait_for):
    bridge = start_bridge(access_token_minutes=6 / 60, session_days=13 / 86400)
    sign_in(page, bridge)
    wait_state(page, "connection", "live")
    first = page.evaluate(TOKEN)
    wait_for(lambda: page.evaluate(TOKEN) not in (first, None), "another token")
    assert state(page, "connection") == "live"  # the stream did not end with its first token
    says(page, "login-problem", re.compile("session has ended"))
    assert page.is_visible("#login-panel")
    assert page.evaluate("sessionStorage.length") == 0
    assert page.evaluate("performance.now()") > 11000  # two tokens


def test_a_duplicated_tab_shares_the_session(page, start_bridge, feed, wait_for):
    bridge = start_bridge(access_token_minutes=5 / 60)
    sign_in(page, bridge)
    wait_state(page, "connection", "live")
    with page.context.expect_page() as opened:
        page.evaluate("window.open('/')")  # takes this tab's session storage along
    other = opened.value
    for tab in (page, other):
        wait_state(tab, "connection", "live")
    seen = {page.evaluate(TOKEN)}

    def renewed() -> bool:
        seen.add(page.evaluate(TOKEN))
        assert other.evaluate(TOKEN)
        return len(seen) >= 4

    wait_for(renewed, "the token is renewed")
    for tab in (page, other):
        assert state(tab, "connection") == "live"


def test_a_tab_that_was_not_told_of_a_renewal_asks(page, start_bridge, feed, wait_for):
    bridge = start_bridge(access_token_minutes=5 / 60)
    sign_in(page, bridge)
    wait_state(page, "connection", "live")
    session = "sessionStorage.getItem('aegis-session')"
    old, token = page.evaluate(session), page.evaluate(TOKEN)
    wait_for(lambda: page.evaluate(TOKEN) != token, "the token is renewed")
    late = page.context.new_page()
    late.set_default_timeout(15000)
    late.add_init_script(f"sessionStorage.setItem('aegis-session', {json.dumps(old)})")
    late.goto(bridge.url)
    wait_for(lambda: late.evaluate(TOKEN) == page.evaluate(TOKEN) is not None, "both have the same token")
    for tab in (page, late):
        wait_state(tab, "connection", "live")


def test_signing_out_ends_the_session_at_the_bridge(page, start_bridge, feed, wait_for):
    bridge = start_bridge()
    sign_in(page, bridge)
    wait_state(page, "connection", "live")
    token = page.evaluate(TOKEN)
    page.click("#logout")
    headers = {"Authorization": f"Bearer {token}"}
    wait_for(lambda: httpx.get(f"{bridge.url}/api/auth/me", headers=headers).status_code == 401, "the token is no good")


def test_a_person_acknowledges_a_threat_and_sees_advice(page, start_bridge, feed, publisher, wait_for):
    bridge = start_bridge()
    sign_in(page, bridge)
    wait_state(page, "threats", "fresh")
    assert page.is_hidden("#advice-section")
    button = page.locator("#threats li[data-id='41'] .act")
    assert button.inner_text() == "Acknowledge"
    button.click()
    page.wait_for_selector("#threats li[data-id='41'] .act:disabled:has-text('seen by admin')")
    assert page.locator("#threats li[data-id='42'] .act").inner_text() == "Acknowledge"
    assert not page.locator("#threats li.selected").count()  # the button is no choice of a track

    now_ns = time.time_ns()
    advice = [
        Advice(5, 0, 9, "hop <b>now</b>", 2, "noise is up", 8.0, now_ns + 10**11, AdviceState.PROPOSED),
        Advice(4, 41, 0, "decoys", 1, "critical", float("nan"), now_ns, AdviceState.REJECTED, "eve"),
    ]
    publisher.publishers["ew/advice"].publish(advice_to_msg(advice, stamp_ns=now_ns))
    proposed, rejected = page.locator("#advice li.PROPOSED"), page.locator("#advice li.REJECTED")
    proposed.wait_for()
    assert proposed.locator(".what").inner_text() == "hop <b>now</b>"
    assert "rejected by eve" in rejected.locator(".reason").inner_text()
    assert rejected.locator(".act").first.is_hidden()
    page.screenshot(path=os.environ.get("AEGIS_ADVICE_SCREENSHOT", os.devnull), type="png")
    page.problems.clear()
    proposed.locator(".act", has_text="Accept").click()
    refused = re.compile("not offered by any node")  # the stage that decides does not run in this test
    says(page, "alert", refused)
    shown_at = feed.sequence
    wait_for(lambda: feed.sequence > shown_at + 10, "the page is drawn a few times more")
    assert refused.search(page.inner_text("#alert"))  # and can still be read


def test_the_api_is_described_to_who_is_signed_in(page, start_bridge):
    bridge = start_bridge()
    page.goto(bridge.url + "/docs")
    says(page, "docs-state", re.compile("Sign in first"))
    sign_in(page, bridge)
    wait_state(page, "connection", "waiting")
    page.problems.clear()
    page.click("#api")
    wait_state(page, "docs", "shown")
    page.locator("#docs").get_by_text("/api/radar/tracks").first.wait_for()
    assert page.problems == []


def test_page_rest_and_stream_show_what_is_evaluated(page, start_bridge, publisher, wait_for, tmp_path):
    simulate_bag("fast_approach", tmp_path / "in", duration_s=20.0)
    process_bag(tmp_path / "in", tmp_path / "out")
    evaluated = read_bag(tmp_path / "out").recording()  # as `aegis evaluate` reads it
    tracks, threats = evaluated.pictures[-1], evaluated.threats[-1]
    assert len(tracks) >= 3
    assert len(threats)
    x, y, z, vx, vy, vz = tracks.state.T
    bearing, heading = np.degrees(np.arctan2(x, y)) % 360.0, np.degrees(np.arctan2(vx, vy)) % 360.0
    reach, speed = np.sqrt(x**2 + y**2 + z**2), np.sqrt(vx**2 + vy**2 + vz**2)

    bridge = start_bridge()
    sign_in(page, bridge)
    wait_for(publisher.matched, "the bridge listens")
    now_ns = time.time_ns()
    with bridge.stream() as client:
        publisher.send(replace(tracks, stamp_ns=now_ns))
        publisher.send(replace(threats, stamp_ns=now_ns))
        frame = until(client, "radar_frame")["tracks"]
        streamed = until(client, "threats")["threats"]
    for rows in (frame, bridge.get("/api/radar/tracks").json()["tracks"]):
        assert [row["track_id"] for row in rows] == tracks.track_id.tolist()
        for axis, column in zip("xyz", (x, y, z), strict=True):
            assert [row["position_m"][axis] for row in rows] == pytest.approx(column, abs=0.006)
        assert [row["range_m"] for row in rows] == pytest.approx(reach, abs=0.06)
        assert [row["bearing_deg"] for row in rows] == pytest.approx(bearing, abs=0.006)
        assert [row["velocity_mps"] for row in rows] == pytest.approx(speed, abs=0.006)
        assert [row["heading_deg"] for row in rows] == pytest.approx(heading, abs=0.006)
        assert [row["class"] for row in rows] == [ClassId(k).name for k in tracks.class_id]
    for rows in (streamed, bridge.get("/api/threats/active").json()["threats"]):
        assert [row["track_id"] for row in rows] == threats.track_id.tolist()
        assert [row["score"] for row in rows] == pytest.approx(threats.score, abs=6e-4)
        assert [row["level"] for row in rows] == [ThreatLevel(k).name for k in threats.level]
        assert [row["reason"] for row in rows] == threats.reason

    page.wait_for_selector(f"#tracks tr[data-id='{tracks.track_id[-1]}']")
    for k, number in enumerate(tracks.track_id.tolist()):
        cells = page.locator(f"#tracks tr[data-id='{number}'] td").all_inner_texts()
        assert cells[2] == ClassId(tracks.class_id[k]).name.lower()
        assert float(cells[4]) == pytest.approx(reach[k], abs=0.51)
        assert float(cells[5]) == pytest.approx(bearing[k], abs=0.051)
        assert float(cells[7]) == pytest.approx(speed[k], abs=0.051)
        assert float(cells[8]) == pytest.approx(heading[k], abs=0.51)
    shown = page.locator("#threats li").all()
    assert [item.locator(".reason").inner_text() for item in shown] == threats.reason


def test_a_person_hears_an_alarm_and_handles_it(page, start_bridge, start_stages):
    """The threat stage raises it, a zone lights up and the page sounds; then it is silenced, seen, shelved and annotated."""
    bridge = start_bridge()
    rules = {
        "threat.zones.airfield.radius_m": 30_000.0,
        "threat.rules.intruder.zone": "airfield",
        "threat.rules.intruder.raise_s": 0.0,
        "threat.rules.intruder.priority": 1,
    }
    start_stages("simulator", "detection", "tracking", "threat", more=rules)
    sign_in(page, bridge)
    wait_state(page, "sound", "sounding")
    first = page.locator("#alarms li.waiting").first
    playwright_api.expect(first).to_contain_text("intruder · airfield")
    assert int(page.inner_text("#alarm-figure")) >= 1
    alarm = bridge.get("/api/alarms").json()["items"][0]
    assert first.locator(".text").inner_text() == alarm["text"]
    (zone,) = [one for one in bridge.get("/api/protected").json()["items"] if one["kind"] == "ZONE"]
    assert (zone["name"], zone["radius_m"], zone["outline_m"]) == ("airfield", 30_000.0, [])

    page.click("#silence")
    wait_state(page, "sound", "silenced")
    first.hover()  # now no row moves
    row = page.locator("#alarms li", has=page.locator(f"[data-command='/api/alarms/{alarm['id']}/acknowledge']"))
    row.get_by_text("Acknowledge").click()
    row = page.locator("#alarms li", has=page.locator(f"[data-ask='note {alarm['id']}']"))
    playwright_api.expect(row).to_contain_text("seen by admin")
    row.get_by_text("Note…").click()
    page.fill("#alarm-text", "called the tower")
    page.click("#alarm-form button[type=submit]")
    playwright_api.expect(row).to_contain_text("“called the tower (admin)”")
    row.get_by_text("Shelve…").click()
    page.click("#alarm-form button[type=submit]")
    assert page.is_visible("#alarm-dialog")  # not without a reason
    page.fill("#alarm-text", "survey flight")
    page.select_option("#alarm-minutes", "30")
    page.click("#alarm-form button[type=submit]")
    playwright_api.expect(row).to_contain_text("shelved by admin until")
    playwright_api.expect(row).to_contain_text("survey flight")
    entries = bridge.get("/api/audit?action=alarm.shelve").json()["entries"]
    assert [(one["outcome"], one["detail"]["duration_s"]) for one in entries] == [("ok", 1800.0), ("asked", 1800.0)]
    assert not page.problems


def test_a_person_draws_a_zone_which_outlives_both_ends_and_is_removed(
    page, start_bridge, start_stages, wait_for, tmp_path
):
    """Drawn by clicks, tripped, heard and seen; changed by another and by a drag; the threat node and the bridge are killed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    bridge = start_bridge(port=port)
    circles = {
        "kind": "turning",
        "position_m": [1000, 2000, 400],
        "speed_mps": 40,
        "course_deg": 90,
        "turn_rate_deg_s": 6,
    }
    plane = {"name": "plane", "class": "AIRCRAFT", "rcs_dbsm": 15, "swerling": 0, "motion": circles}
    (tmp_path / "circles.yaml").write_text(json.dumps({"name": "circles", "duration_s": 600, "targets": [plane]}))
    start_stages(
        "simulator",
        "detection",
        "tracking",
        more={"simulator.scenario": tmp_path / "circles.yaml", "simulator.points.false_alarms_per_scan": 0},
    )
    threat = start_stages("threat")

    def zones() -> dict[str, dict]:
        return {one["name"]: one for one in bridge.get("/api/zones").json()["items"]}

    def active() -> list[int]:
        found = bridge.get("/api/alarms")
        items = found.json()["items"] if found.status_code == 200 else []
        return [one["id"] for one in items if (one["rule"], one["state"]) == ("pen", "ACTIVE")]

    def click(east: float, north: float) -> None:
        page.mouse.click(*place(east, north))

    def place(east: float, north: float) -> tuple[float, float]:
        box = page.locator("#scope").bounding_box()
        scale = (min(box["width"], box["height"]) / 2 - 26) / 5000
        return box["x"] + box["width"] / 2 + east * scale, box["y"] + box["height"] / 2 - north * scale

    sign_in(page, bridge)
    wait_state(page, "connection", "live")
    page.select_option("#range", "5000")
    page.focus("#scope")
    page.keyboard.press("z")
    page.focus("#zone-draw")
    page.keyboard.press("Enter")
    outline = [(-1500, 3800), (3000, 3800), (3000, 500), (-1500, 500)]
    for corner in (*outline[:3], (2000, -3000)):
        click(*corner)
    page.keyboard.press("Backspace")
    says(page, "zone-count", "3 corners")
    click(*outline[3])
    click(*outline[0])
    page.fill("#zone-name", "pen")
    page.fill("#zone-floor", "900")
    page.fill("#zone-ceiling", "800")
    page.select_option("[data-rule=priority]", "1")
    page.click("#zone-form button[type=submit]")
    says(page, "zone-problem", re.compile("floor_m < ceiling_m"))
    page.fill("#zone-floor", "")
    page.click("#zone-rule-add")
    page.select_option("#zone-when", "leave")
    page.fill("[data-rule=hold_s]", "45")
    page.screenshot(path=os.environ.get("AEGIS_SCREENSHOT_ZONES", tmp_path / "zones.png"))
    page.click("#zone-rules button >> nth=0")  # the first is as it was left
    assert page.locator("#zone-when").input_value() == "inside"
    page.click("#zone-form button[type=submit]")
    playwright_api.expect(page.locator("#zone-list li")).to_contain_text(
        "below 800 m; inside; priority 1; #2 leaves; priority 2; by admin"
    )
    playwright_api.expect(page.locator("#zone-list .problem")).to_be_empty()
    pen = zones()["pen"]
    assert (pen["watched"], pen["floor_m"], pen["ceiling_m"]) == (True, None, 800.0)
    assert [(one["when"], one["hold_s"]) for one in pen["rules"]] == [("inside", 30.0), ("leave", 45.0)]
    assert np.abs(np.array(pen["outline_m"]) - outline).max() < 30.0  # two pixels

    wait_state(page, "sound", "sounding")
    alarm = page.locator("#alarms li.waiting", has_text="pen · pen")
    alarm.get_by_text("Acknowledge").click()
    playwright_api.expect(page.locator("#alarms li.ACTIVE", has_text="seen by admin")).to_be_visible()
    wait_state(page, "sound", "quiet")

    # Another person draws and changes: it is there without a reload, and nothing is overwritten unseen.
    def put(name: str, body: dict) -> int:
        headers = {"Authorization": f"Bearer {bridge.token}", "If-Match": f'"{body.pop("version", 0)}"'}
        content = {key: body[key] for key in ("outline_m", "floor_m", "ceiling_m", "rules")}
        headers = headers if name in zones() else {"Authorization": headers["Authorization"]}
        return httpx.put(f"{bridge.url}/api/zones/{name}", json=content, headers=headers, timeout=10).status_code

    page.click("[data-zone=pen]")
    assert put("far", {**pen, "outline_m": [[4000, -4000], [4500, -4000], [4500, -3500]]}) == 200
    assert put("pen", {**pen, "ceiling_m": 700.0}) == 200
    page.click("#zone-form button[type=submit]")
    says(page, "zone-problem", re.compile("another version|not at the one that you have seen"))
    page.keyboard.press("Escape")
    playwright_api.expect(page.locator("#zone-list li", has_text="far")).to_be_visible()
    playwright_api.expect(page.locator("#zone-list li", has_text="below 700 m")).to_be_visible()
    page.click("[data-zone=pen]")
    page.mouse.move(*place(*outline[1]))
    page.mouse.down()
    page.mouse.move(*place(4000, 3000), steps=4)
    page.mouse.up()
    page.click("#zone-form button[type=submit]")
    wait_for(lambda: abs(zones()["pen"]["outline_m"][1][0] - 4000) < 30, "the corner that was dragged is stored")
    kept = zones()
    wait_for(active, "the changed zone raises its alarm")
    refusals = [re.findall(r"status of (\d+)", problem) for problem in page.problems]
    assert refusals == [["422"], ["412"]]  # the browser's own words

    page.click("[data-zone=pen]")
    page.click("#zone-rules button >> nth=1")
    page.click("#zone-rule-remove")
    page.click("#zone-form button[type=submit]")
    playwright_api.expect(page.locator("#zone-list li", has_text="below 700 m")).not_to_contain_text("#2")
    kept = zones()
    wait_for(active, "the alarm of the rule that stays is on")
    before = max(active())
    threat.kill()
    threat.wait()
    killed_s = time.time()
    start_stages("threat")
    told = lambda: bridge.get("/api/alarms").json().get("stamp_s", 0.0) > killed_s  # noqa: E731
    wait_for(lambda: told() and before in active(), "a new threat node watches the zone: the alarm goes on", 60)
    bridge.process.kill()
    bridge.process.wait()
    wait_state(page, "connection", "disconnected")
    token = bridge.token
    bridge = start_bridge(port=port)
    bridge.token = token
    versions = {name: zone["version"] for name, zone in kept.items()}
    assert {name: zone["version"] for name, zone in zones().items()} == versions
    wait_for(lambda: all(zone["watched"] for zone in zones().values()), "both ends know the zones")
    wait_state(page, "connection", "live")
    wait_for(active, "the alarm is still on")

    page.click("[data-zone=pen]")
    page.click("#zone-remove")
    page.click("#zone-remove")
    playwright_api.expect(page.locator("#zone-list li")).to_have_count(1)
    wait_for(lambda: not active(), "the alarm ends with its zone")
    playwright_api.expect(page.locator("#alarms li.ACTIVE", has_text="pen · pen")).to_have_count(0)

    # Who may only look sees no editor.
    viewer = {"username": "vera", "password": "a good long password"}
    headers = {"Authorization": f"Bearer {bridge.token}"}
    made = httpx.post(f"{bridge.url}/api/auth/register", json=viewer | {"role": "viewer"}, headers=headers, timeout=10)
    assert made.status_code == 200
    page.click("#logout")
    page.fill("#username", viewer["username"])
    page.fill("#password", viewer["password"])
    page.click("#login button")
    wait_state(page, "connection", "live")
    assert page.is_hidden("#zones")
    assert page.is_hidden("#zone-panel")


def coast_of(page) -> tuple[float, float, float]:
    """Return where the coast line is on the scope, in fractions of its radius: its mean east, how far south and north it goes."""
    red, green, blue = np.moveaxis(scope_pixels(page, "ground"), -1, 0)
    rows, columns = np.nonzero((green - blue > 15) & (green > red))  # nothing else on the ground is of this green
    assert len(rows) > 100
    height, width = red.shape
    radius = min(height, width) / 2 - 26
    return (
        (columns.mean() + 0.5 - width / 2) / radius,
        (height / 2 - rows.max()) / radius,
        (height / 2 - rows.min()) / radius,
    )


def test_the_theme_is_kept_and_the_coast_lies_where_it_is(page, start_bridge, feed, wait_for, tmp_path):
    latitude, longitude = 58.0, 10.0
    east, south = Geod(ellps="WGS84").fwd(longitude, latitude, 90.0, 600.0)[:2]
    coast = tmp_path / "coast.geojson"
    line = [[east, south - 0.1], [east, south], [east, south + 0.1]]  # north and south, beyond the edge
    coast.write_text(json.dumps({"type": "LineString", "coordinates": line}), encoding="utf-8")
    bridge = start_bridge(coast=str(coast), site=[latitude, longitude, 0.0])
    sign_in(page, bridge)
    wait_state(page, "connection", "live")
    page.select_option("#range", "1000")
    lies = pytest.approx((0.6, -0.8, 0.8), abs=0.01)  # of a circle of 1 km
    wait_for(lambda: coast_of(page) == lies, "the coast is on the scope")
    dark = scope_pixels(page)
    page.select_option("#theme", "day")
    wait_for(lambda: coast_of(page) == lies, "and by day")
    page.reload()
    wait_state(page, "connection", "live")
    assert page.input_value("#theme") == "day"
    middle = np.s_[dark.shape[0] // 2, dark.shape[1] // 2 - 60]  # on the scope, beside the origin
    wait_for(lambda: scope_pixels(page)[middle].mean() > 200, "the scope is light")
    assert dark[middle].mean() < 60
    for width, height in ((1280, 720), (1920, 1080), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        wide = page.evaluate("['table', 'threats', 'picture'].filter((id) => { const e = document.getElementById(id); "
                             "return e.scrollWidth > e.clientWidth + 1; })")  # fmt: skip
        assert wide == [], (width, height)


def test_tiles_of_a_map_lie_where_they_are(page, start_bridge, feed, wait_for, tmp_path):
    """One red tile, whose eastern edge is 600 m to the east of the site."""
    zoom, latitude = 12, 58.0
    column = int((10.0 + 180.0) / 360.0 * 2**zoom)
    row = int((1.0 - np.arcsinh(np.tan(np.radians(latitude))) / np.pi) / 2.0 * 2**zoom)
    edge = (column + 1) / 2**zoom * 360.0 - 180.0
    longitude = Geod(ellps="WGS84").fwd(edge, latitude, 270.0, 600.0)[0]
    red = io.BytesIO()
    Image.new("RGB", (256, 256), (255, 0, 0)).save(red, "png")
    tiles = write_pmtiles(tmp_path / "map.pmtiles", zoom, {(column, row): red.getvalue()})
    bridge = start_bridge(tiles=str(tiles), site=[latitude, longitude, 0.0])
    sign_in(page, bridge)
    wait_state(page, "connection", "live")
    page.select_option("#range", "1000")

    def edges() -> tuple[float, float]:
        pixels = scope_pixels(page, "ground")
        height, width = pixels.shape[:2]
        reddish = (pixels[:, :, 0] > 80) & (pixels[:, :, 1] < 40)
        columns = np.flatnonzero(reddish.any(axis=0))
        if not len(columns):
            return 0.0, 0.0
        radius = min(height, width) / 2 - 26
        return (columns[0] - width / 2) / radius, (columns[-1] + 1 - width / 2) / radius

    wait_for(lambda: edges() == pytest.approx((-1.0, 0.6), abs=0.01), "the tile is on the scope, up to its edge")
    assert not page.problems


def test_vector_tiles_lie_where_they_are_in_the_colours_of_the_theme(page, start_bridge, feed, wait_for, tmp_path):
    """A lake from 300 m west to 400 m east and from 500 m south to 200 m north, with an island; the next tile is broken."""
    zoom, column, row = 14, 8647, 4908
    middle = np.degrees(np.arctan(np.sinh(np.pi * (1.0 - 2.0 * (row + 0.5) / 2**zoom))))
    site = (float(middle), (column + 0.5) / 2**zoom * 360.0 - 180.0)  # of the tile
    geod = Geod(ellps="WGS84")

    def tile_at(latitude: float, longitude: float) -> tuple[float, float]:
        y = (1.0 - np.arcsinh(np.tan(np.radians(latitude))) / np.pi) / 2.0
        return (longitude + 180.0) / 360.0 * 2**zoom, y * 2**zoom

    def corner(east: float, north: float) -> tuple[int, int]:
        longitude, latitude, _ = geod.fwd(site[1], site[0], np.degrees(np.arctan2(east, north)), np.hypot(east, north))
        x, y = tile_at(latitude, longitude)
        return round((x - column) * 4096), round((y - row) * 4096)

    def ring(west: float, south: float, east: float, north: float) -> list[tuple[int, int]]:
        return [corner(west, north), corner(east, north), corner(east, south), corner(west, south)]

    lake = vector_tile({"water": [ring(-300, -500, 400, 200), ring(-200, -400, -100, -300)[::-1]]})
    file = {(column, row): gzip.compress(lake), (column + 1, row): gzip.compress(lake[:-9])}
    tiles = write_pmtiles(tmp_path / "map.pmtiles", zoom, file, kind=1, compression=2)
    bridge = start_bridge(tiles=str(tiles), site=[*site, 0.0])
    sign_in(page, bridge)
    wait_state(page, "connection", "live")
    page.select_option("#range", "1000")

    def lies(colour: str) -> tuple[float, ...]:
        """Return the west, south, east and north end of what has a colour, and how much of the island has it."""
        pixels = scope_pixels(page, "ground")
        height, width = pixels.shape[:2]
        found = np.abs(pixels - [int(colour[at : at + 2], 16) for at in (1, 3, 5)]).max(axis=2) <= 2
        if not found.any():
            return ()
        radius = min(height, width) / 2 - 26
        (rows, columns), half = np.nonzero(found), radius * 0.03
        island = found[int(height / 2 + 0.35 * radius - half) : int(height / 2 + 0.35 * radius + half),
                       int(width / 2 - 0.15 * radius - half) : int(width / 2 - 0.15 * radius + half)]  # fmt: skip
        return (
            (columns.min() - width / 2) / radius, (height / 2 - rows.max() - 1) / radius,
            (columns.max() + 1 - width / 2) / radius, (height / 2 - rows.min()) / radius, island.mean(),
        )  # fmt: skip

    there = pytest.approx((-0.3, -0.5, 0.4, 0.2, 0.0), abs=0.01)
    for theme in ("dusk", "day"):
        page.select_option("#theme", theme)
        colour = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--map-water').trim()")
        wait_for(lambda colour=colour: lies(colour) == there, f"the lake is on the scope by {theme}")
    assert not page.problems


def test_the_past_is_replayed_and_never_looks_live(page, start_bridge, feed, wait_for):
    bridge = start_bridge()

    def picture(t: float) -> dict:
        return bridge.get(f"/api/replay?t={t}").json()

    # The history starts when its writer first has a picture, which a busy machine delays: wait for what is on record.
    wait_for(lambda: picture(time.time() - 2.0)["stamp_s"] is not None, "two seconds are on record")
    then_s = time.time() - 2.0
    sign_in(page, bridge)
    wait_state(page, "connection", "live")

    page.click("#replay")  # a minute ago nothing was on record
    wait_state(page, "connection", "replay")
    says(page, "notice", re.compile(r"REPLAY .*: nothing is on record of this time"))
    says(page, "no-threats", "Nothing is on record of this time.")
    assert page.locator("#tracks tr").count() == 0

    page.keyboard.press("l")
    wait_state(page, "connection", "live")
    assert "t=" not in page.url

    page.goto(f"{bridge.url}/#t={then_s}&track=41")
    page.reload()
    wait_state(page, "connection", "replay")
    page.click("#replay-play")  # it stands
    stood_s = float(re.search(r"[#&]t=([\d.]+)", page.url).group(1))
    assert stood_s >= then_s - 0.1
    shown = picture(stood_s)
    says(page, "notice", re.compile(r"REPLAY .*: this is not live"))
    row = page.locator("#tracks tr[data-id='41'] td")
    wait_for(
        lambda: float(row.nth(4).inner_text()) == round(shown["tracks"][0]["range_m"]), "the track of then is shown"
    )
    assert page.locator("#threats .act:visible").count() == 0  # nothing of the past can be acknowledged
    page.keyboard.press(",")
    page.keyboard.press(",")
    earlier = picture(stood_s - 2.0)
    if earlier["stamp_s"] is None:
        says(page, "notice", re.compile("nothing is on record"))
    else:
        wait_for(lambda: float(row.nth(4).inner_text()) == round(earlier["tracks"][0]["range_m"]), "two seconds before")
    page.click("#replay-live")
    wait_state(page, "connection", "live")
    wait_for(lambda: float(row.nth(4).inner_text()) > shown["tracks"][0]["range_m"] + 20.0, "the present is shown")
    assert not page.problems


def test_a_radar_that_turns_shows_its_video_to_who_wants_it(page, start_bridge, feed, publisher, wait_for, tmp_path):
    """An echo due east at 1 to 1.2 km is drawn there; it fades when it is not seen again; nothing of it without being asked."""
    topic = TOPICS["radar/video"]
    video = publisher.node.create_publisher(message_class(topic.type), topic.name, qos_profile(topic))
    feed.sector = Sector(-0.05, 0.05, 0.0, 2 * np.pi / 2.5)
    azimuth = np.radians(np.arange(360.0, 0.0, -1.0))  # the sensor looks east; it turns clockwise
    codes = np.zeros((360, 200), np.uint8)  # of 10 m
    codes[355:, 100:120] = codes[:6, 100:120] = 255
    nothing = np.full(360, np.nan)
    turn = Spokes(0, "radar", 1, "test-radar", azimuth, nothing, np.zeros(360), 0.0, 10.0, 255, codes)

    bridge = start_bridge()
    sign_in(page, bridge)
    wait_state(page, "connection", "live")
    page.select_option("#range", "2000")
    assert video.get_subscription_count() == 0
    page.check("#show-video")
    wait_for(lambda: video.get_subscription_count() == 1, "the bridge hears the video")

    def seen() -> tuple[float, float, int]:
        pixels = scope_pixels(page, "video").max(axis=2)
        rows, columns = np.nonzero(pixels > 60)
        height, width = pixels.shape
        radius = min(height, width) / 2 - 26
        return (columns.mean() - width / 2) / radius, (height / 2 - rows.mean()) / radius, len(rows)

    def sent() -> bool:
        turn.stamp_ns = time.time_ns()
        video.publish(video_to_msg(turn))
        return (scope_pixels(page, "video").max(axis=2) > 60).sum() > 100

    wait_for(sent, "the echo is drawn")
    right, up, area = seen()
    assert (right, up) == (pytest.approx(0.55, abs=0.02), pytest.approx(0.0, abs=0.02))  # 1.1 of 2 km
    page.screenshot(path=os.environ.get("AEGIS_SCREENSHOT_VIDEO", tmp_path / "video.png"))
    height, width = scope_pixels(page, "video").shape[:2]
    radius = min(height, width) / 2 - 26
    expected = np.pi * (0.6**2 - 0.5**2) * radius**2 * 11 / 360
    assert area == pytest.approx(expected, rel=0.25)
    wait_for(lambda: (scope_pixels(page, "video").max(axis=2) > 0).sum() == 0, "what is not seen again is gone")
    page.uncheck("#show-video")
    wait_for(lambda: video.get_subscription_count() == 0, "nobody watches any more")
    assert not page.problems


def test_a_person_saves_an_incident(page, start_bridge, feed, wait_for, tmp_path):
    """From the replay bar: a time is offered, changed, and what comes is the zip of that time; the page goes on meanwhile."""
    bridge = start_bridge(incident_timeout_s=600.0)
    wait_for(lambda: bridge.get(f"/api/replay?t={time.time()}").json()["stamp_s"] is not None, "something is on record")
    sign_in(page, bridge)
    wait_state(page, "connection", "live")
    assert page.is_hidden("#replay-incident")
    then_s = int(time.time())
    page.click("#replay")
    page.click("#replay-incident")
    offered = [
        page.evaluate(f"new Date(document.getElementById('incident-{end}').value).getTime()") for end in ("from", "to")
    ]
    assert offered[0] / 1000 == pytest.approx(then_s - 360, abs=30)
    assert offered[1] / 1000 <= time.time() + 1
    page.screenshot(path=os.environ.get("AEGIS_SCREENSHOT_INCIDENT", tmp_path / "incident.png"))
    page.fill("#incident-to", "2020-01-01T00:00:00")
    page.click("#incident-form button[type=submit]")
    says(page, "incident-problem", "The end has to be later than the begin.")
    page.fill("#incident-to", "2037-01-01T00:00:00")
    page.click("#incident-form button[type=submit]")
    playwright_api.expect(page.locator("#alert")).to_contain_text("an incident has 3600 s at most")
    page.problems.clear()  # the browser tells of the 400
    page.click("#replay-incident")
    with page.expect_download(timeout=300_000) as download:
        page.click("#incident-form button[type=submit]")
        says(page, "replay-incident", "Saving incident… Cancel")
        page.keyboard.press("l")
        wait_state(page, "connection", "live")
    with zipfile.ZipFile(download.value.path()) as archive:
        manifest = json.loads(archive.read("incident.json"))
        assert "decisions.json" in archive.namelist()
    assert [manifest["from_ns"] / 1e9, manifest["to_ns"] / 1e9] == pytest.approx([o / 1e3 for o in offered], abs=30)
    assert re.fullmatch(r"incident-\d{8}T\d{6}Z\.zip", download.value.suggested_filename)
    assert not page.problems


def test_trails_outlive_a_reload(page, start_bridge, feed, wait_for):
    bridge = start_bridge()
    sign_in(page, bridge)
    wait_state(page, "connection", "live")
    wait_for(lambda: len(bridge.get(f"/api/replay?t={time.time()}&trail_s=60").json()["trail_stamps_s"]) >= 4, "a way")
    with page.expect_response("**/api/replay?*trail_s=60") as answer:
        page.reload()
    trail = answer.value.json()["trails"]["41"]
    assert len(trail) >= 4
    assert trail[0][0] < trail[-1][0]  # it flies outwards

    page.locator("#tracks tr[data-id='41']").click()  # the same history as charts
    page.wait_for_selector("#charts .uplot:nth-child(4) canvas")
    drawn = """() => [...document.querySelectorAll("#charts canvas")].map((canvas) => {
        const dots = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return [canvas.getBoundingClientRect().width, dots.filter((value, i) => i % 4 === 3 && value > 0).length];
    })"""
    wait_for(lambda: all(width > 200 and dots > 300 for width, dots in page.evaluate(drawn)), "four charts")
    says(page, "charts", re.compile("height m.*speed m/s.*RCS dBsm: none on record.*threat score"))
    page.locator("#tracks tr[data-id='41']").click()
    page.wait_for_selector("#charts", state="hidden")
    assert not page.problems
