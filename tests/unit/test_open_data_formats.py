"""Each format of the open data, read by somebody else's reader, and all of them beside each other."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import feedparser
import geojson
import pytest
import shapely
import vobject
import xmlschema
from hypothesis import given, settings
from icalendar import Calendar

from outage_notify.services import open_cap, open_formats, open_odin, public_facts
from outage_notify.services.open_formats import CSV_COLUMNS, Publisher
from outage_notify.services.public_facts import Phase, PublicList, PublicOutage
from outage_notify.services.public_words import LANGUAGES
from tests.factories.people import NOW
from tests.factories.public_outages import lists, outage
from tests.unit.test_vector_tiles import at, decoded

PUBLISHER = Publisher("Oberrhein <Netz> & Co", "https://netz.example", "+49 30 23125 000")
SCHEMAS = Path(__file__).parents[1] / "factories/schemas"
CAP = xmlschema.XMLSchema(str(SCHEMAS / "cap-1.2.xsd"))
OASIS = xmlschema.XMLSchema(str(SCHEMAS / "CAP-v1.2.xsd"))
NS = {"cap": open_cap.CAP}
# What every format tells of an outage.
Told = tuple[str, datetime, datetime]


def alerts(one: PublicOutage) -> list[ElementTree.Element]:
    found = [open_cap.alert(one, number, PUBLISHER) for number in range(1, len(one.history) + 1)]
    return [ElementTree.fromstring(body) for body in found if body is not None]


def from_json(listed: PublicList) -> dict[str, str]:
    document = json.loads(json.dumps(public_facts.write(listed)))
    assert public_facts.read(document) == listed
    return {one["reference"]: one["phase"] for one in document["outages"]}


def from_geojson(listed: PublicList) -> dict[str, str]:
    found = geojson.loads(open_formats.geojson(listed))
    assert found.is_valid, found.errors()
    return {one["id"]: one["properties"]["phase"] for one in found["features"]}


def from_csv(listed: PublicList) -> dict[str, str]:
    text = open_formats.csv_table(listed, PUBLISHER).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert all(tuple(row) == CSV_COLUMNS for row in rows)
    assert not any(cell[:1] in {"=", "+", "-", "@"} for row in rows for cell in row.values())
    return {row["reference"]: row["phase"] for row in rows}


def from_tiles(listed: PublicList) -> dict[str, str]:
    """From the one tile of the whole world to a deep one around each outage; those without a place are added."""
    told = {}
    for one in listed.outages:
        if one.geometry is None:
            told[one.reference] = one.phase.value
            continue
        middle = shapely.geometry.shape(one.geometry).representative_point()
        _, fields = decoded(open_formats.vector_tile(listed, 14, *at(14, middle.x, middle.y)))
        told |= dict(zip(fields["reference"], fields["phase"], strict=True))
    return told


# Members of the profile's class Outage in its order, as the documentation tables them.
MEMBERS = [
    "mRID",
    "cause",
    "causeKind",
    "communityDescriptor",
    "customersRestored",
    "metersAffected",
    "originalCustomersServed",
    "originalMetersAffected",
    "outageKind",
    "reportedStartTime",
    "statusKind",
    "utilityDisclaimer",
    "actualPeriod",
    "estimatedPeriod",
    "EstimatedRestorationTime",
    "Incident",
    "Names",
    "OutageArea",
]


def from_odin(listed: PublicList) -> set[str]:
    body = open_odin.frame().around(open_odin.piece(one, PUBLISHER) for one in listed.outages)
    root = ElementTree.fromstring(body)
    assert root.tag == f"{{{open_odin.ODIN}}}PubOutages"
    told = set()
    for element in root:
        names = [one.tag.removeprefix(f"{{{open_odin.ODIN}}}") for one in element]
        places = [MEMBERS.index(name) for name in names]
        assert places == sorted(set(places)) and {"mRID", "Names"} <= set(names)
        told.add(str(element[0].text))
    return told


def from_atom(listed: PublicList, language: str) -> dict[str, str]:
    found = feedparser.parse(open_formats.atom(listed, PUBLISHER, language))
    assert not found.bozo, found.get("bozo_exception")
    assert found.feed.id and found.feed.updated_parsed and found.feed.author
    assert all(one.title and one.updated_parsed and one.link for one in found.entries)
    return {one.id.rpartition(":")[2]: one.tags[0].term for one in found.entries}


def from_calendar(listed: PublicList, language: str) -> dict[str, str]:
    body = open_formats.calendar(listed.outages, PUBLISHER, language, listed.as_of)
    found = Calendar.from_ical(body)
    events = found.walk("VEVENT")
    assert len({event["UID"] for event in events}) == len(events)
    other = vobject.readOne(body.decode(), validate=True)
    assert len(getattr(other, "vevent_list", [])) == len(events)
    told = {}
    for event in events:
        reference = str(event["URL"]).rpartition("/")[2]
        one = listed.find(reference)
        assert one is not None
        assert event.start.astimezone(UTC) == one.start.astimezone(UTC).replace(microsecond=0)
        told[reference] = "cancelled" if event["STATUS"] == "CANCELLED" else one.phase.value
    return told


def from_cap(listed: PublicList) -> dict[str, str]:
    index = feedparser.parse(open_cap.index(listed, PUBLISHER))
    assert not index.bozo, index.get("bozo_exception")
    told = {}
    for entry in index.entries:
        identifier = entry.link.rpartition("/")[2].removesuffix(".xml")
        reference, _, number = identifier.rpartition(".")
        one = listed.find(reference)
        assert one is not None
        body = open_cap.alert(one, int(number), PUBLISHER)
        assert body is not None
        kind = ElementTree.fromstring(body).findtext("cap:msgType", namespaces=NS)
        told[reference] = "cancelled" if kind == "Cancel" else one.phase.value
        assert (kind == "Cancel") == (one.phase is Phase.CANCELLED)
    return told


@given(lists())
@settings(max_examples=20)
def test_every_format_tells_the_same_outages(listed: PublicList) -> None:
    told = [from_json(listed), from_geojson(listed), from_csv(listed), from_cap(listed), from_tiles(listed)]
    for language in LANGUAGES:
        told += [from_atom(listed, language), from_calendar(listed, language)]
    expected = {one.reference: one.phase.value for one in listed.outages}
    assert all(one == expected for one in told)
    kept = {name for name, phase in expected.items() if phase != "cancelled"}
    assert from_odin(listed) == kept


@given(lists())
@settings(max_examples=20)
def test_every_alert_is_valid_and_refers_to_all_before_it(listed: PublicList) -> None:
    for one in listed.outages:
        sent: list[str] = []
        for alert in alerts(one):
            CAP.validate(alert)
            OASIS.validate(alert)
            kind = alert.findtext("cap:msgType", namespaces=NS)
            assert (kind == "Alert") == (not sent)
            assert (alert.findtext("cap:references", "", namespaces=NS) or "").split() == sent
            names = [
                alert.findtext(f"cap:{name}", namespaces=NS) for name in ("sender", "identifier", "sent")
            ]
            sent.append(",".join(str(name) for name in names))
            assert [info.text for info in alert.findall("cap:info/cap:language", NS)] == list(LANGUAGES)


@pytest.mark.parametrize("wrong", ["msgType", "sent", "identifier", "info"])
def test_the_schema_refuses_what_is_no_alert(wrong: str) -> None:
    (alert,) = alerts(outage(1))
    element = alert.find(f"cap:{wrong}", NS)
    assert element is not None
    if wrong == "info":
        element.remove(element[0])
        element.append(ElementTree.Element(f"{{{open_cap.CAP}}}category"))
    else:
        element.text = "2026-03-01T00:00:00Z" if wrong == "sent" else "not this, ever"
    assert not CAP.is_valid(alert)
    if wrong != "identifier":
        # To OASIS's file any text is an identifier.
        assert not OASIS.is_valid(alert)


def test_a_moved_and_cancelled_outage_in_alerts() -> None:
    one = outage(1, Phase.CANCELLED, moves=1)
    kinds = [alert.findtext("cap:msgType", namespaces=NS) for alert in alerts(one)]
    assert kinds == ["Alert", "Update", "Cancel"]
    assert open_cap.alert(one, 0, PUBLISHER) is None
    assert open_cap.alert(one, 4, PUBLISHER) is None


def test_an_area_is_closed_and_in_latitude_first() -> None:
    (alert,) = alerts(outage(1))
    polygon = alert.findtext("cap:info/cap:area/cap:polygon", "", namespaces=NS).split()
    assert polygon[0] == polygon[-1] == "48.00000,7.01000"


def test_a_later_step_replaces_the_event_in_a_calendar() -> None:
    def event(one: PublicOutage) -> tuple[str, int]:
        body = open_formats.calendar((one,), PUBLISHER, "en", NOW)
        found = Calendar.from_ical(body).walk("VEVENT")[0]
        return str(found["UID"]), int(found["SEQUENCE"])

    (first, before), (second, after) = event(outage(1)), event(outage(1, moves=1))
    assert first == second and after > before


@pytest.mark.parametrize(
    ("number", "shown"), [(0, None), (9, None), (10, 10), (14, 10), (26, 30), (996, 1000)]
)
def test_numbers_are_told_in_tens_and_never_below_ten(number: int, shown: int | None) -> None:
    assert public_facts.rounded(number) == shown


def test_going_on_comes_first_and_what_is_over_last() -> None:
    phases = [Phase.RESTORED, Phase.PLANNED, Phase.ACTIVE, Phase.OVERRUN, Phase.CANCELLED]
    found = public_facts.in_order([outage(n, phase, NOW + timedelta(n)) for n, phase in enumerate(phases)])
    assert [one.phase for one in found[:3]] == [Phase.OVERRUN, Phase.ACTIVE, Phase.PLANNED]
