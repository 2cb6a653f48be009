"""A new network traces the open outages anew: who would join, who would leave, and nothing changes by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from geo.geojson import write_network
from geo.model import Network
from outage_notify.domain.audience import Tier
from outage_notify.services.import_network import import_network, undo_import
from outage_notify.services.retrace_open import WORD, retrace_open
from outage_notify.store import outage_queries, work_queries
from outage_notify.store.work_tables import AUDIENCE_NOTE, TaskKind
from tests.factories.small_networks import street
from tests.factories.world import World


def changed(city: World, folder: Path, **elements: dict[str, object]) -> list[str]:
    """Import the street with some elements changed; the warnings about outages."""
    network = street()
    known = dict(network.elements)
    for name, fields in elements.items():
        known[name.replace("_", ":")] = replace(known[name.replace("_", ":")], **fields)
    path = folder / f"{len(list(folder.iterdir()))}.geojson"
    path.write_text(json.dumps(write_network(Network(known, network.feeders))), encoding="utf-8")
    report = import_network(city.rt, path, "geojson", by="petra")
    return [one.message for one in report.warnings if "PO-" in one.message]


def points(city: World, reference: str) -> int:
    with city.rt.database.read() as session:
        return len(
            outage_queries.impacts(session, outage_queries.outage_by_reference(session, reference).standing)
        )


def test_who_joins_and_who_leaves_is_said_and_nothing_changes(city: World, tmp_path: Path) -> None:
    city.customer("load:2")
    city.customer("load:6", places=("1 B Street",), tier=Tier.FIRST)
    city.customer("load:6")
    reference = city.approved()  # line:2, which feeds load:2
    home = tmp_path / "nets"
    home.mkdir()
    assert changed(city, home) == []  # the same network in another file
    # The tie is closed and the other feeder's head is open: both loads now hang behind line:2.
    said = changed(city, home, switch_9={"closed": True}, switch_5={"closed": False})
    assert said == [
        f"{reference}: in this network 2 (1 FIRST, 1 LOW_VOLTAGE) service points would join its audience, "
        "0 would leave it, 0 would be hit otherwise."
    ]
    assert points(city, reference) == 1
    assert retrace_open(city.rt, "petra") == []  # said once
    # With both closed the loads are fed from two sides: nobody is lost any more.
    assert (
        "0 service points would join its audience, 1 (1 LOW_VOLTAGE) would leave"
        in changed(city, home, switch_9={"closed": True})[0]
    )
    with city.rt.database.read() as session:
        outage = outage_queries.outage_by_reference(session, reference)
        events = [one for one in work_queries.events_of(session, outage.id) if one.what == WORD]
    assert [(one.detail["joined"], one.detail["left"]) for one in events] == [(0, 1), (2, 0)]


def tasks(city: World) -> list[dict[str, object]]:
    """What the open tasks about changed audiences say."""
    with city.rt.database.read() as session:
        found = [one for one in work_queries.open_tasks(session) if one.kind is TaskKind.AUDIENCE]
        return [json.loads(one.note.removeprefix(f"{AUDIENCE_NOTE}: ")) for one in found]


def test_a_person_is_asked_until_the_network_is_as_it_was(city: World, tmp_path: Path) -> None:
    city.customer("load:2")
    city.customer("load:6", tier=Tier.SPECIAL)
    city.approved()
    home = tmp_path / "nets"
    home.mkdir()
    changed(city, home)
    assert tasks(city) == []
    crossed = {"switch_9": {"closed": True}, "switch_5": {"closed": False}}
    changed(city, home, **crossed)
    asked = {"joined": {"SPECIAL": 1}, "left": {}, "otherwise": 0, "fault": ""}
    assert tasks(city) == [asked]
    # Taken back: nothing to do any more. Made again: asked again, once.
    assert undo_import(city.rt, by="petra").warnings == ()
    assert tasks(city) == []
    changed(city, home, **crossed)
    assert retrace_open(city.rt, "petra") == [] and tasks(city) == [asked]


def test_an_outage_that_cannot_be_traced_any_more_is_named(city: World, tmp_path: Path) -> None:
    city.customer("load:2")
    reference = city.approved(close=("switch:9",))
    home = tmp_path / "nets"
    home.mkdir()
    (said,) = changed(city, home, switch_9={"closed": True})
    assert said.startswith(f"{reference} can't be traced in this network: switch:9 is normally closed")
