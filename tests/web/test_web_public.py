"""What everybody may see, and that nobody sees who is hit."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask

from outage_notify.services import plan_outage, publish_map, run_outage, start_gate
from outage_notify.services.approve_outage import approve
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.services.runtime import Runtime
from outage_notify.web import public
from tests.factories import town
from tests.factories.people import NOW, START
from tests.web.conftest import Person, turn


def features(person: Person) -> dict[str, dict[str, object]]:
    found = json.loads(person.get("/outages.geojson").get_data())
    return {one["id"]: one["properties"] for one in found["features"]}


def listed(person: Person, path: str) -> set[str]:
    return set(re.findall(r'href="/outages/(PO-[\d-]+)"', person.get(path).get_data(as_text=True)))


def approved(rt: Runtime, work: str, start_day: int = 0) -> str:
    plan = town.request(START + timedelta(days=start_day))
    reference = plan_outage.plan(
        rt, town.PLANNER, PlanRequest(plan.kind, plan.start, plan.end, plan.reason, "Süd", "", (work,))
    )
    plan_outage.submit(rt, town.PLANNER, reference)
    approve(rt, town.APPROVER, reference)
    return reference


def test_nothing_is_public_before_a_second_person_approved(stranger: Person, rt: Runtime) -> None:
    drafted, submitted = town.planned(rt), town.submitted(rt)
    thrown_away = town.planned(rt)
    run_outage.cancel(rt, town.PLANNER, thrown_away, "a mistake")
    assert features(stranger) == {}
    assert "No outage is planned or under way" in stranger.get("/").get_data(as_text=True)
    for reference in (drafted, submitted, thrown_away, "PO-2026-9999"):
        assert stranger.get(f"/outages/{reference}").status_code == 404
        assert stranger.get(f"/outages/{reference}.geojson").status_code == 404


def test_map_list_and_data_tell_the_same(stranger: Person, rt: Runtime) -> None:
    expected = {town.approved(rt), town.approved(rt, START + timedelta(days=2))}
    town.planned(rt)
    assert set(features(stranger)) == listed(stranger, "/") == listed(stranger, "/outages") == expected
    for reference in expected:
        assert stranger.get(f"/outages/{reference}").status_code == 200
        assert stranger.get(f"/outages/{reference}.geojson").status_code == 200


def test_few_customers_are_never_counted(stranger: Person, rt: Runtime) -> None:
    # The last line of the street feeds five customers beside the key ones.
    few, many = approved(rt, "line:6"), approved(rt, "line:2", 2)
    found = features(stranger)
    assert (found[few]["customers"], found[few]["customers_below"]) == (None, 10)
    assert isinstance(found[many]["customers"], int) and found[many]["customers"] >= 10
    assert "fewer than 10 customers" in stranger.get(f"/outages/{few}").get_data(as_text=True)


def test_no_name_place_tier_or_element_is_public(stranger: Person, rt: Runtime) -> None:
    reference = town.approved(rt)
    shown = "".join(
        stranger.get(path).get_data(as_text=True)
        for path in (
            "/",
            "/outages",
            "/outages.geojson",
            f"/outages/{reference}",
            f"/outages/{reference}.geojson",
        )
    )
    for secret in (
        "Keller",
        "Water Works",
        "人民医院",
        "5 North Street",
        "SPECIAL",
        "LOW_VOLTAGE",
        "line:3",
        "load:",
        "switch:",
    ):
        assert secret not in shown
    assert "+4930231251" not in shown and "example.com" not in shown.replace("www.example.com", "")


def test_a_life_as_the_public_sees_it(stranger: Person, rt: Runtime) -> None:
    reference = town.approved(rt)
    phases = [features(stranger)[reference]["phase"]]
    turn(rt, START)
    start_gate.decide(rt, town.APPROVER, reference, "spoken to")
    run_outage.start(rt, town.PLANNER, reference)
    phases.append(features(stranger)[reference]["phase"])
    turn(rt, START + timedelta(hours=4))
    run_outage.overrun(rt, town.PLANNER, reference, START + timedelta(hours=6))
    phases.append(features(stranger)[reference]["phase"])
    assert "Supply is expected back" in stranger.get(f"/outages/{reference}").get_data(as_text=True)
    turn(rt, START + timedelta(hours=5))
    run_outage.complete(rt, town.PLANNER, reference)
    phases.append(features(stranger)[reference]["phase"])
    assert phases == ["planned", "active", "overrun", "restored"]
    turn(rt, START + timedelta(hours=5) + publish_map.STAYS_AFTER_END + timedelta(seconds=1))
    assert features(stranger) == {}
    assert stranger.get(f"/outages/{reference}").status_code == 200


def test_an_active_one_past_its_end_is_shown_as_taking_longer(stranger: Person, rt: Runtime) -> None:
    reference = town.approved(rt)
    turn(rt, START)
    start_gate.decide(rt, town.APPROVER, reference, "spoken to")
    run_outage.start(rt, town.PLANNER, reference)
    turn(rt, START + timedelta(hours=4, seconds=1))
    assert features(stranger)[reference]["phase"] == "overrun"


def test_until_a_new_window_is_approved_the_old_one_is_public(stranger: Person, rt: Runtime) -> None:
    reference = town.approved(rt)
    plan_outage.revise(rt, town.PLANNER, reference, town.request(START + timedelta(days=1)))
    assert features(stranger)[reference]["start"] == START.isoformat()
    plan_outage.submit(rt, town.PLANNER, reference)
    approve(rt, town.APPROVER, reference)
    assert features(stranger)[reference]["start"] == (START + timedelta(days=1)).isoformat()
    assert "Moved" in stranger.get("/outages").get_data(as_text=True)


def test_as_of_is_the_time_of_the_database(rt: Runtime, stranger: Person) -> None:
    assert json.loads(stranger.get("/outages.geojson").get_data())["as_of"] == NOW.isoformat()


@pytest.mark.parametrize(("language", "word"), [("zh-CN", "计划停电"), ("en", "Planned power outages")])
def test_both_languages(app: Flask, rt: Runtime, language: str, word: str) -> None:
    town.approved(rt)
    text = Person(app, language).get("/").get_data(as_text=True)
    assert word in text
    assert {"zh-CN": "更换电缆", "en": "Replacing a cable"}[language] in text


def test_vendored_files_are_what_was_taken_from_the_registry() -> None:
    folder = Path(public.__file__).parent / "static" / "vendor"
    lines = (folder / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent != folder]
    assert {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files} == sums
