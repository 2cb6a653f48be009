"""Is my place affected, by the utility's own table of addresses: houses, streets, postcodes, places."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, select

from outage_notify.services.check_place import HOUSES_A_DAY
from outage_notify.services.import_addresses import import_addresses
from outage_notify.services.runtime import Runtime
from outage_notify.store.outage_tables import AudienceMember
from outage_notify.store.people_tables import ServicePoint
from outage_notify.web import place_limits
from tests.factories import town
from tests.web.test_public_place import ask

HEAD = "street,house_number,place,postcode,element,feeder,latitude,longitude\n"


def table(rt: Runtime, folder: Path) -> tuple[str, str]:
    """Imports a table whose houses of Lake Road hang on a load that loses supply (number 3) and on one that keeps it;
    the elements of both."""
    with rt.database.read() as session:
        lost = set(
            session.scalars(
                select(ServicePoint.element).join(
                    AudienceMember, AudienceMember.service_point_ref == ServicePoint.id
                )
            )
        )
        kept = sorted(set(session.scalars(select(ServicePoint.element))) - lost)
    out, on = sorted(lost)[-1], kept[-1]
    rows = [
        f"Lake Road,3,Westham,AB1 2CD,{out},,,",
        f"Lake Road,5,Westham,AB1 2CD,{on},,,",
        f"Lake Road,7,Westham,AB1 2CD,{on},,,",
        f"Lake Road,9,Westham,AB1 2CD,{on},,,",
        f"Lake Road,3,Eastham,EF3 4GH,{on},,,",
        f"Lake Road,4,Eastham,EF3 4GH,{on},,,",
        "Far Lane,1,Eastham,EF3 4GH,,,10.0,20.0",
        "Far Lane,2,Eastham,EF3 4GH,,,10.0,20.0",
        "Line Lane,1,Eastham,EF3 4GH,,北街,,",
        "Line Lane,2,Eastham,EF3 4GH,,南街,,",
        f"湖滨路,3号,江城,430000,{out},,,",
        f"湖滨路,4号,江城,430000,{on},,,",
        f"Lonely Lane,1,Westham,AB1 2CE,{out},,,",
    ]
    path = folder / "addresses.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    import_addresses(rt, path)
    return out, on


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("Lake Road 3, Westham", "yes"),
        ("3 Lake Road, AB1 2CD Westham", "yes"),
        ("Westham, Lake Road 5", "no"),
        ("Lake Road 3 Eastham", "no"),
        ("江城湖滨路3号", "yes"),
        ("湖滨路 4", "no"),
        ("AB1 2CD", "perhaps"),
        ("ab12cd", "perhaps"),
        ("Westham", "perhaps"),
        ("AB1 2CD Westham", "perhaps"),
        ("Lake Road, Westham", "perhaps"),
        # Only where it is is known, and only its line.
        ("Far Lane 1", "no"),
        ("Line Lane 1", "perhaps"),
        # A street of one house is answered like its surroundings.
        ("Lonely Lane 1", "perhaps"),
        ("Lake Road 99, Westham", ""),
        ("北街", "perhaps"),
    ],
)
def test_answers_from_the_table(app: Flask, rt: Runtime, tmp_path: Path, place: str, said: str) -> None:
    reference = town.approved(rt)
    table(rt, tmp_path)
    answer, text = ask(app, place)
    assert answer == said, text
    assert (reference in text) == (said in {"yes", "perhaps"})


@pytest.mark.parametrize(("language", "words"), [("en", "Several places"), ("zh-CN", "多个地方")])
def test_a_street_that_several_places_have(
    app: Flask, rt: Runtime, tmp_path: Path, language: str, words: str
) -> None:
    town.approved(rt)
    table(rt, tmp_path)
    answer, text = ask(app, "Lake Road 3", language=language)
    assert answer == "" and words in text and "Eastham · Westham" in text


def test_nobody_reads_the_table_off(app: Flask, rt: Runtime, tmp_path: Path) -> None:
    """All houses of a street from one client, in spellings of all kinds: fewer answers than the street has houses."""
    town.approved(rt)
    table(rt, tmp_path)
    answers = []
    for house in (3, 5, 7, 9):
        for asked in (f"Lake Road {house}, Westham", f"{house} LAKE ROAD AB1 2CD Westham"):
            answers.append((house, ask(app, asked)[0]))
    known = {house for house, answer in answers if answer in {"yes", "no"}}
    assert len(known) == min(HOUSES_A_DAY, 3) < 4


def test_the_figure_of_the_documentation(app: Flask, rt: Runtime, tmp_path: Path) -> None:
    """What docs/open-data.md says a client can learn in a day holds for the table too."""
    town.approved(rt)
    with rt.database.read() as session:
        element = session.scalars(select(ServicePoint.element)).first()
    streets, houses = 10, 40
    rows = [
        f"Street {chr(65 + way)},{house},,,{element},,,"
        for way in range(streets)
        for house in range(1, houses + 1)
    ]
    path = tmp_path / "many.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    import_addresses(rt, path)
    with app.test_request_context(environ_base={"REMOTE_ADDR": "203.0.113.9"}):
        told = [
            (way, house)
            for way in range(streets)
            for house in range(houses)
            if place_limits.may_ask(f"street{way}", f"street{way} {house}", min(HOUSES_A_DAY, houses - 1))
        ]
    assert len(told) == place_limits.HOUSES_OF_ALL_STREETS
    assert max(sum(1 for way, _ in told if way == one) for one in range(streets)) == HOUSES_A_DAY < houses


def test_yes_and_no_ask_the_database_the_same(app: Flask, rt: Runtime, tmp_path: Path) -> None:
    town.approved(rt)
    table(rt, tmp_path)
    said: dict[str, list[str]] = {"Lake Road 3, Westham": [], "Lake Road 5, Westham": []}

    def listen(connection: object, cursor: object, statement: str, *more: object) -> None:
        # How many service points a house has is no answer.
        said[place].append(re.sub(r"\?(, \?)+", "?", statement))

    event.listen(rt.database.engine, "before_cursor_execute", listen)
    try:
        for place in ("Lake Road 3, Westham", "Lake Road 5, Westham"):
            ask(app, place)
            said[place] = []
            ask(app, place)
    finally:
        event.remove(rt.database.engine, "before_cursor_execute", listen)
    yes, no = said.values()
    assert yes == no and len(yes) > 3
