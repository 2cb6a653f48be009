"""Documents that are built once: versions, caches, formats at their addresses, and a database that is away."""

from __future__ import annotations

import gzip
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from outage_notify.services import plan_outage, publish_documents, run_outage, start_gate
from outage_notify.services.public_facts import slug
from outage_notify.services.public_shelf import Shelf
from outage_notify.services.publish_documents import load, place, publish
from outage_notify.services.runtime import Runtime
from outage_notify.web import create_app
from outage_notify.web.public_cache import SHELF
from tests.factories import town
from tests.factories.people import START
from tests.servers import foreign_readers
from tests.web.conftest import Person, turn

V1 = "/open-data/v1"
NAMES = (
    "outages.json",
    "outages.geojson",
    "outages.csv",
    "outages.en.atom",
    "outages.zh-CN.ics",
    "cap.atom",
    "index.json",
)


@pytest.fixture
def statements(rt: Runtime) -> list[str]:
    """What the database is asked from now on."""
    asked: list[str] = []
    event.listen(
        rt.database.engine, "before_cursor_execute", lambda c, cursor, text, *rest: asked.append(text)
    )
    return asked


def cut_off(rt: Runtime) -> None:
    """The database goes away."""
    rt.database.close()
    path = Path(str(rt.database.url.database))
    for one in path.parent.glob(path.name + "*"):
        one.unlink()
    path.mkdir()


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_packed_tagged_and_open_to_every_page(rt: Runtime, stranger: Person, name: str) -> None:
    town.approved(rt)
    plain = stranger.get(f"{V1}/{name}")
    packed = stranger.get(f"{V1}/{name}", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
    for answer in (plain, packed):
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert answer.content_type == publish_documents.content_type(name)
        again = stranger.get(
            f"{V1}/{name}",
            headers={
                "If-None-Match": answer.headers["ETag"],
                "Accept-Encoding": answer.headers.get("Content-Encoding", ""),
            },
        )
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["Access-Control-Allow-Origin"] == "*"
    assert plain.headers["ETag"] != packed.headers["ETag"]
    head = stranger.client.head(f"{V1}/{name}")
    assert head.data == b"" and head.headers["Content-Length"] == str(len(plain.data))


def test_a_linter_finds_nothing_in_the_areas_of_a_network(rt: Runtime, stranger: Person) -> None:
    town.approved(rt)
    text = stranger.get(f"{V1}/outages.geojson").get_data(as_text=True)
    assert "Polygon" in text
    assert foreign_readers.read("geojson.mjs", [text]) == [[]]


def test_an_address_with_the_version_is_kept_for_ever(rt: Runtime, stranger: Person, app: Flask) -> None:
    town.approved(rt)
    version = app.extensions[SHELF].current().version
    assert "immutable" in stranger.get(f"{V1}/outages.json?v={version}").headers["Cache-Control"]
    assert "immutable" not in stranger.get(f"{V1}/outages.json?v=other").headers["Cache-Control"]
    assert f"v={version}" in stranger.get("/").get_data(as_text=True)


def test_only_a_change_makes_a_new_version(rt: Runtime) -> None:
    reference = town.approved(rt)
    assert publish(rt) is True
    assert publish(rt) is False
    first = load(place(rt))
    # A planner drafts a change: the database differs, the public sees nothing of it.
    plan_outage.revise(rt, town.PLANNER, reference, town.request(START + timedelta(days=1)))
    assert publish(rt) is True
    second = load(place(rt))
    run_outage.cancel(rt, town.PLANNER, reference, "no crew")
    publish(rt)
    third = load(place(rt))
    assert first and second and third
    assert (first.version, first.documents) == (second.version, second.documents)
    assert third.version != second.version


def test_time_alone_makes_a_new_version_when_work_runs_over(rt: Runtime) -> None:
    reference = town.approved(rt)
    turn(rt, START)
    start_gate.decide(rt, town.APPROVER, reference, "spoken to")
    run_outage.start(rt, town.PLANNER, reference)
    publish(rt)
    turn(rt, START + timedelta(hours=4))
    assert publish(rt) is True
    found = load(place(rt))
    assert found is not None and found.listed.outages[0].phase == "overrun"
    assert publish(rt) is False


def test_nothing_is_asked_twice_of_the_database(rt: Runtime, statements: list[str]) -> None:
    town.approved(rt)
    # As in production: looks every few seconds.
    person = Person(_served(rt))
    for path in ("/", "/outages", f"{V1}/outages.json"):
        assert person.get(path).status_code == 200
    before = len(statements)
    for path in ("/", "/outages", f"{V1}/outages.json", "/outages.geojson", "/open-data"):
        assert person.get(path).status_code == 200
    assert len(statements) == before


def _served(rt: Runtime) -> Flask:
    app = create_app(rt)
    app.config["TEST_BASE"] = rt.settings.base_url
    return app


def test_while_the_database_is_away_the_last_version_stays_up(rt: Runtime, stranger: Person) -> None:
    reference = town.approved(rt)
    data = stranger.get(f"{V1}/outages.json").data
    assert "fetched at the moment" not in stranger.get("/").get_data(as_text=True)
    cut_off(rt)
    for path in ("/", "/outages", f"/outages/{reference}", "/embed", "/open-data"):
        shown = stranger.get(path)
        assert shown.status_code == 200
        assert "be fetched at the moment" in shown.get_data(as_text=True), path
    assert stranger.get(f"{V1}/outages.json").data == data
    assert stranger.get("/outages/PO-2026-9999").status_code == 503
    asked = stranger.client.post("/affected", data={"place": "北街 3-1 号"}, headers=stranger.headers)
    assert asked.status_code == 503 and "looked up" in asked.get_data(as_text=True)


def test_a_process_that_starts_while_the_database_is_away(rt: Runtime, tmp_path: Path) -> None:
    reference = town.approved(rt)
    publish(rt)
    cut_off(rt)
    held = Shelf(rt).current()
    assert not held.fresh and held.listed.find(reference) is not None


def test_two_builders_at_once_do_not_get_in_each_others_way(rt: Runtime) -> None:
    town.approved(rt)
    done: list[bool] = []
    threads = [threading.Thread(target=lambda: done.append(publish(rt))) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert done.count(True) == 1
    assert load(place(rt)) is not None
    assert [one.name for one in place(rt).parent.glob("public-*")] == []


def test_a_broken_file_is_built_anew(rt: Runtime) -> None:
    town.approved(rt)
    publish(rt)
    place(rt).write_bytes(b"half a file")
    assert load(place(rt)) is None
    assert publish(rt) is True and load(place(rt)) is not None


def test_the_index_leads_to_documents_that_are_there(rt: Runtime, stranger: Person) -> None:
    reference = town.approved(rt)
    index = json.loads(stranger.get(f"{V1}/index.json").data)
    found: list[Any] = [one["address"] for one in index["documents"]]
    for one in index["areas"] + index["feeders"]:
        found += one["calendars"].values()
    found += [f"{V1}/outages/{reference}.{end}" for end in ("geojson", "json", "en.ics", "zh-CN.ics")]
    found += [f"{V1}/tiles/0/0/0.mvt", f"{V1}/tiles/14/1/1.mvt"]
    found += [f"{V1}/cap/{reference}.1.xml", f"/outages/{reference}.svg"]
    assert len(index["areas"]) == len(index["feeders"]) == 1
    for address in found:
        assert stranger.get(address).status_code == 200, address


ABSENT = """nothing.json cap/PO-2026-0001.2.xml cap/PO-2026-0001.x.xml cap/x areas/0.en.ics outages/x.de.ics
    feeders/ outages/PO-2026-0001.xx.ics cap/PO-2026-0001.².xml
    tiles/15/0/0.mvt tiles/1/2/0.mvt tiles/1/0.mvt tiles/x/y/z.mvt ../app.py about.json"""


@pytest.mark.parametrize("name", ABSENT.split())
def test_what_is_not_there_is_not_found(rt: Runtime, stranger: Person, name: str) -> None:
    assert town.approved(rt) == "PO-2026-0001"
    assert stranger.get(f"{V1}/{name}").status_code == 404


def test_an_area_and_a_line_have_calendars_of_their_own(rt: Runtime, stranger: Person) -> None:
    town.approved(rt)
    body = stranger.get(f"{V1}/feeders/{slug('北街线')}.zh-CN.ics").get_data(as_text=True)
    assert body.count("BEGIN:VEVENT") == 1 and "STATUS:CONFIRMED" in body


def test_a_page_is_kept_per_language_and_never_with_a_cookie(rt: Runtime, app: Flask) -> None:
    town.approved(rt)
    english, chinese = Person(app, "en"), Person(app, "zh-CN")
    for _ in range(2):
        assert "Planned power outages" in english.get("/").get_data(as_text=True)
        assert "计划停电" in chinese.get("/").get_data(as_text=True)
    switched = english.get("/?lang=zh-CN")
    assert "language=zh-CN" in switched.headers["Set-Cookie"]
    assert "更换电缆" in english.get("/").get_data(as_text=True)
    assert "Replacing" in Person(app, "en").get("/").get_data(as_text=True)
