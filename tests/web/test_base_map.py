"""A map beneath the maps: only where settings name one, only pictures, only from there, never beside its place."""

from __future__ import annotations

import threading
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect
from werkzeug.serving import make_server

from geo.gcj02 import from_gcj02, to_gcj02
from outage_notify.domain.errors import SettingsError
from outage_notify.services.runtime import Runtime
from outage_notify.settings import Settings
from outage_notify.web import base_map, create_app
from tests.factories import town
from tests.web.conftest import Person

TILES = "https://{a-c}.tiles.example/{z}/{x}/{y}.png"
ORIGINS = "https://a.tiles.example https://b.tiles.example https://c.tiles.example"
NAMED = "© Map makers https://maps.example/copyright"
PIXEL = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SHANGHAI = (31.2304, 121.4737)
# The corner of the first tile that has its place: where it is on the screen, and which tile it is.
CORNER = """() => {
  const image = [...document.querySelectorAll('.base-map img.leaflet-tile-loaded')][0];
  const frame = planMap.map.getContainer().getBoundingClientRect(), box = image.getBoundingClientRect();
  const [z, x, y] = new URL(image.src).pathname.match(/\\d+/g).map(Number);
  const corner = planMap.map.unproject(L.point(x * 256, y * 256), z);
  return { x: box.x - frame.x, y: box.y - frame.y, lat: corner.lat, lng: corner.lng };
}"""


def with_map(rt: Runtime, **more: object) -> Runtime:
    asked = replace(rt.settings, base_map=TILES, base_map_attribution=NAMED, **more)  # type: ignore[arg-type]
    return Runtime(asked, rt.database, rt.clock)


@pytest.fixture
def served(rt: Runtime, request: pytest.FixtureRequest) -> Iterator[str]:
    server = make_server(
        "127.0.0.1", 0, create_app(with_map(rt, base_map_datum=request.param)), threaded=True
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def test_pictures_may_come_from_the_provider_and_nothing_else(rt: Runtime, stranger: Person) -> None:
    plain = stranger.get("/")
    assert "img-src 'self' data:;" in plain.headers["Content-Security-Policy"]
    assert "base_map.js" not in plain.get_data(as_text=True)
    client = create_app(with_map(rt)).test_client()
    for path in ("/", "/embed"):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert f"img-src 'self' data: {ORIGINS};" in policy
        assert policy.count("tiles.example") == 3 and "script-src 'self';" in policy


@pytest.mark.parametrize(
    ("url", "named", "word"),
    [
        ("http://tiles.example/{z}/{x}/{y}.png", NAMED, "https"),
        ("https://tiles.example/{z}/{x}.png", NAMED, "{y}"),
        ("https://tiles.example; script-src */{z}/{x}/{y}", NAMED, "blanks"),
        (TILES, "", "BASE_MAP_ATTRIBUTION"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(url: str, named: str, word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        Settings.load({"OUTAGE_NOTIFY_BASE_MAP": url, "OUTAGE_NOTIFY_BASE_MAP_ATTRIBUTION": named})


def test_a_provider_without_a_range_is_one_origin() -> None:
    settings = Settings(base_map="https://tiles.example:8443/{z}/{x}/{y}.png?key=1")
    assert base_map.sources(settings) == ("https://tiles.example:8443",)
    assert base_map.told(Settings()) is None and base_map.sources(Settings()) == ()


@pytest.mark.parametrize("served", ["wgs84", "gcj02"], indirect=True)
def test_tiles_lie_where_the_data_are(
    chromium: Browser, served: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    gcj02 = "gcj02" in request.node.callspec.id
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    faults: list[str] = []
    asked: list[dict[str, str]] = []

    def tile(route: Route) -> None:
        asked.append(route.request.all_headers())
        route.fulfill(body=PIXEL, content_type="image/png")

    page.on("console", lambda one: faults.append(one.text) if one.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.route("https://*.tiles.example/**", tile)
    page.goto(f"{served}/desk/sign-in")
    page.fill("#username", town.PLANNER)
    page.fill("#password", town.PASSWORD)
    page.locator("main button").click()
    page.goto(f"{served}/desk/plan")
    expect(page.locator("[data-plan-map][data-ready]")).to_be_visible()
    page.evaluate("place => planMap.map.setView(place, 15, { animate: false })", list(SHANGHAI))
    # A long way without a change of zoom: the shift of the new place counts.
    page.evaluate("planMap.map.panBy([6000, 2000], { animate: false })")
    expect(page.locator(".base-map img.leaflet-tile-loaded").first).to_be_attached()
    page.wait_for_function(
        "[...document.querySelectorAll('.base-map img')].every(one => one.classList.contains('leaflet-tile-loaded'))"
    )
    corner = page.evaluate(CORNER)
    lng, lat = from_gcj02(corner["lng"], corner["lat"]) if gcj02 else (corner["lng"], corner["lat"])
    should = page.evaluate("place => planMap.map.latLngToContainerPoint(place)", [float(lat), float(lng)])
    assert abs(corner["x"] - should["x"]) <= 2 and abs(corner["y"] - should["y"]) <= 2
    told = page.locator(".leaflet-control-attribution a")
    assert (
        told.get_attribute("href") == "https://maps.example/copyright" and told.inner_text() == "maps.example"
    )
    # The provider sees the site's origin, and no address of a page.
    assert asked and {one.get("referer", f"{served}/") for one in asked} == {f"{served}/"}
    for there in (SHANGHAI, (39.9, 116.4), (22.5, 114.05), (48.4, 7.7)):
        mine = page.evaluate("place => BaseMap.shifted(...place)", list(there))
        east, north = to_gcj02(there[1], there[0])
        assert mine == pytest.approx([float(north), float(east)], abs=1e-9)
    page.context.close()
    assert faults == []
