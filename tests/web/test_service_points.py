"""Halls, charging, water points, warm rooms: imported whole or not at all, marked when they are dark themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from outage_notify.domain.errors import ImportRefused
from outage_notify.services import run_outage, start_gate
from outage_notify.services.runtime import Runtime
from outage_notify.services.service_places import import_places
from tests.factories import town
from tests.factories.people import START
from tests.web.conftest import Person, turn

HEAD = "id,kind,name_zh,name_en,address,latitude,longitude,element,hours,phone\n"
GOOD = (
    HEAD
    + "A,hall,北街礼堂,North Hall,北街 4 号,31.232,121.482,load:4,8-20,+49 30 23125 111\n"
    + "B,water,取水点,Water,南街 2 号,31.228,121.476,load:8,,\n"
    + "C,warm_room,取暖室,,北街 5 号,31.232,121.485,,,\n"
)


def supplies(person: Person) -> dict[str, str]:
    found = person.get("/open-data/v1/service-points.geojson").json
    assert found is not None and "load" not in str(found)
    return {one["id"]: one["properties"]["supply"] for one in found["features"]}


def test_a_place_is_marked_while_it_is_dark_itself(rt: Runtime, stranger: Person, tmp_path: Path) -> None:
    file = tmp_path / "places.csv"
    file.write_text(GOOD, encoding="utf-8")
    assert import_places(rt, file, dry_run=True) == 3 and supplies(stranger) == {}
    assert import_places(rt, file) == 3 and import_places(rt, file) == 3
    assert supplies(stranger) == {"A": "on", "B": "on", "C": "on"}
    reference = town.approved(rt)
    turn(rt, START)
    assert supplies(stranger) == {"A": "soon", "B": "on", "C": "on"}
    start_gate.decide(rt, town.APPROVER, reference, "all were called")
    run_outage.start(rt, town.PLANNER, reference)
    assert supplies(stranger) == {"A": "off", "B": "on", "C": "perhaps"}
    page = stranger.get("/service-points").get_data(as_text=True)
    assert page.count("without power itself") == 2 and "North Hall" in page and "取暖室" in page
    run_outage.complete(rt, town.PLANNER, reference)
    assert supplies(stranger) == {"A": "on", "B": "on", "C": "on"}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("id,kind\nA,hall\n", "latitude"),
        (HEAD + "A,pub,,Pub,,31,121,,,\n", "kind"),
        (HEAD + "A,hall,,,,31,121,,,\n", "name_en"),
        (HEAD + "A,hall,,Hall,,north,121,,,\n", "latitude"),
        (HEAD + "A,hall,,Hall,,31,nan,,,\n", "longitude"),
        (HEAD + "A,hall,,Hall,,31,121,load:999,,\n", "element"),
        (GOOD + "A,hall,,Hall,,31,121,,,\n", "id"),
    ],
)
def test_a_fault_is_named_and_nothing_is_taken(
    rt: Runtime, stranger: Person, tmp_path: Path, text: str, field: str
) -> None:
    file = tmp_path / "places.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ImportRefused) as caught:
        import_places(rt, file)
    assert [one.field for one in caught.value.faults] == [field]
    assert supplies(stranger) == {}
    assert "No place is entered" in stranger.get("/service-points").get_data(as_text=True)
