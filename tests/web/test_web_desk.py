"""A dispatcher's day over the real pages: plan, preview, submit, approve, run; refusals that say what to do."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from channels.model import Channel
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.outage import OutageState
from outage_notify.services import desk_views, links
from outage_notify.services.runtime import Runtime
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.people_tables import Customer
from outage_notify.store.work_queries import open_task
from outage_notify.store.work_tables import Task, TaskKind
from tests.factories import town
from tests.factories.people import NOW, START
from tests.web.conftest import Person, turn

FORM = {
    "kind": "planned",
    "start": "2026-03-12T09:00",
    "end": "2026-03-12T13:00",
    "reason_zh": "更换电缆",
    "reason_en": "Replacing a cable",
    "area": "北街 3 至 6 号",
    "line": "北街线",
    "work": "line:3",
}


def state(rt: Runtime, reference: str) -> OutageState:
    return desk_views.version_of(rt, reference).state


def act(person: Person, reference: str, step: str, **form: str) -> str:
    """Press a button of the outage's page; the text of the page that comes back."""
    page = f"/desk/outages/{reference}"
    answer = person.send(f"{page}/{step}", form, page=page)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return person.get(page).get_data(as_text=True)


def test_a_day_at_the_desk(planner: Person, approver: Person, rt: Runtime) -> None:
    preview = planner.send("/desk/plan", FORM | {"step": "preview"}).get_data(as_text=True)
    assert "switch:5" in preview and "21 customers affected" in preview
    assert "第二十八条" in preview and "segment" in preview
    saved = planner.send("/desk/plan", FORM | {"step": "save"})
    reference = saved.headers["Location"].rpartition("/")[2]
    assert "Submitted." in act(planner, reference, "submit")
    assert "Approved." in act(approver, reference, "approve")
    text = planner.get(f"/desk/outages/{reference}").get_data(as_text=True)
    assert "市第一人民医院" in text and "First notice" in text
    turn(rt, START + timedelta(hours=1))
    planner.sign_in(town.PLANNER)
    approver.sign_in(town.APPROVER)
    text = planner.get(f"/desk/outages/{reference}").get_data(as_text=True)
    assert "key customers have not signed" in text
    assert "have not signed (" in act(planner, reference, "start")
    assert "Another person may start" in act(approver, reference, "go", reason="the crew has spoken to all")
    assert "wang.wei decided that it may start" in planner.get(f"/desk/outages/{reference}").get_data(
        as_text=True
    )
    act(planner, reference, "start")
    assert state(rt, reference) is OutageState.ACTIVE
    assert "is being told" in act(planner, reference, "overrun", expected_end="2026-03-12T15:30")
    act(planner, reference, "complete")
    assert state(rt, reference) is OutageState.COMPLETED


def test_who_submitted_can_not_approve(app: Flask, rt: Runtime) -> None:
    both = Person(app).sign_in(town.BOTH)
    saved = both.send("/desk/plan", FORM | {"step": "save"})
    reference = saved.headers["Location"].rpartition("/")[2]
    text = act(both, reference, "submit")
    assert "Another person has to approve it" in text and "/approve" not in text
    refused = act(both, reference, "approve")
    assert "You may not do this" in refused and "Ask another approver" in refused
    assert state(rt, reference) is OutageState.SUBMITTED


def test_two_dispatchers_at_once_overwrite_nothing(planner: Person, rt: Runtime) -> None:
    reference = town.planned(rt)
    page = f"/desk/outages/{reference}/edit"
    first, second = planner.hidden(page), planner.hidden(page)
    turn(rt, NOW + timedelta(minutes=1))
    assert planner.post(page, first | FORM | {"area": "A", "step": "save"}).status_code == 303
    answer = planner.post(page, second | FORM | {"area": "B", "step": "save"})
    assert answer.status_code == 409
    text = answer.get_data(as_text=True)
    assert "Somebody else changed it" in text and 'value="B"' in text
    assert desk_views.version_of(rt, reference).newest.area == "A"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"end": "2026-03-12T08:00"}, "the window ends"),
        ({"start": "2025-03-12T09:00", "end": "2025-03-12T12:00"}, "starts in the past"),
        ({"start": "2026-03-29T02:30", "end": "2026-03-29T09:00"}, "does not exist"),
        ({"start": "2026-10-25T02:30", "end": "2026-10-25T09:00"}, "happens twice"),
        ({"start": "tomorrow"}, "is not a date and time"),
        ({"work": "line:77"}, "line:77"),
        ({"work": ""}, "Name an element"),
        ({"kind": "party"}, "kind"),
    ],
)
def test_what_can_not_be_planned_says_why_and_keeps_what_was_typed(
    planner: Person, change: dict[str, str], said: str
) -> None:
    for step in ("preview", "save"):
        answer = planner.send("/desk/plan", FORM | change | {"step": step})
        text = answer.get_data(as_text=True)
        assert answer.status_code == 422 and 'role="alert"' in text
        assert said in text and "北街 3 至 6 号" in text


def test_a_time_that_comes_twice_is_asked_about(planner: Person, rt: Runtime) -> None:
    twice = FORM | {"start": "2026-10-25T02:30", "end": "2026-10-25T09:00"}
    shown = planner.send("/desk/plan", twice | {"step": "save"}).get_data(as_text=True)
    assert 'name="start_fold"' in shown
    saved = planner.send("/desk/plan", twice | {"step": "save", "start_fold": "second"})
    outage = desk_views.version_of(rt, saved.headers["Location"].rpartition("/")[2])
    assert outage.newest.start.isoformat() == "2026-10-25T01:30:00+00:00"


def test_too_late_for_the_law_needs_a_reason_and_a_second_person(
    planner: Person, approver: Person, rt: Runtime
) -> None:
    reference = town.planned(rt, NOW + timedelta(days=3))
    text = act(planner, reference, "submit")
    assert "Too late for the notice" in text and "earliest lawful start" in text
    assert state(rt, reference) is OutageState.DRAFT
    act(planner, reference, "submit", exception_reason="Danger to life")
    shown = approver.get(f"/desk/outages/{reference}").get_data(as_text=True)
    assert "Danger to life" in shown and 'name="accept_exception"' in shown
    act(approver, reference, "approve")
    assert state(rt, reference) is OutageState.SUBMITTED
    act(approver, reference, "approve", accept_exception="1")
    assert state(rt, reference) is OutageState.APPROVED


def test_send_back_revise_drop_and_cancel(planner: Person, approver: Person, rt: Runtime) -> None:
    reference = town.submitted(rt)
    assert "Sent back" in act(approver, reference, "send-back", reason="wrong line")
    act(planner, reference, "submit")
    act(approver, reference, "approve")
    page = f"/desk/outages/{reference}/revise"
    assert planner.send(page, FORM | {"end": "2026-03-12T15:00", "step": "save"}).status_code == 303
    text = planner.get(f"/desk/outages/{reference}").get_data(as_text=True)
    assert "Revision 1 stands until" in text and "messages are paused" in text
    assert "was dropped" in act(planner, reference, "drop-revision")
    assert "The reason is missing" in act(planner, reference, "cancel", reason=" ")
    assert "Cancelled" in act(planner, reference, "cancel", reason="weather")


def test_the_board_filters_and_searches(planner: Person, rt: Runtime) -> None:
    draft, waiting = town.planned(rt), town.submitted(rt)

    def shown(query: str) -> set[str]:
        text = planner.get(f"/desk/?{query}").get_data(as_text=True)
        return {one for one in (draft, waiting) if one in text}

    assert shown("") == {draft, waiting}
    assert shown("state=DRAFT") == {draft}
    assert shown("state=NONSENSE") == {draft, waiting}
    assert shown(f"q={waiting.lower()}") == {waiting}
    assert shown("q=%25") == set()
    assert shown("page=9") == set()
    assert shown("week=2026-W11") == {draft, waiting}
    assert shown("week=2026-W12") == shown("week=2026-W10") == set()
    assert shown("week=2026-W54") == shown("week=x") == {draft, waiting}


def test_elements_are_found_by_number_kind_and_name(planner: Person) -> None:
    def found(text: str) -> list[str]:
        return [one["element"] for one in planner.get(f"/desk/elements?q={text}").json["elements"]]

    assert found("line:3")[0] == "line:3"
    assert found("北街3号")[0] == "line:3"
    assert "trafo:1" not in found("line") and "line:1" in found("line")
    assert found("x") == []


def test_the_desk_map_shows_zone_switches_and_loads(planner: Person, rt: Runtime) -> None:
    reference = town.planned(rt)
    body = json.loads(planner.get(f"/desk/outages/{reference}/area.geojson").get_data())
    roles: dict[str, set[str]] = {}
    for feature in body["features"]:
        roles.setdefault(feature["properties"]["role"], set()).add(str(feature["properties"].get("id")))
    assert roles["open"] == {"switch:5", "switch:6"}
    assert roles["zone"] == {"line:3"}
    assert roles["lost"] == {"load:3", "load:4", "load:5", "load:6"}
    # The neighbours on the street, as far as the map reaches around the area.
    assert {"line:2", "line:4"} <= roles["net"]


def ack_of(rt: Runtime, customer: str) -> Acknowledgement:
    with rt.database.read() as session:
        return session.scalars(
            select(Acknowledgement).join(Customer).where(Customer.customer_id == customer)
        ).one()


def test_a_visit_brings_a_signature_or_a_refusal_with_a_witness(planner: Person, rt: Runtime) -> None:
    reference = town.approved(rt)
    ack = ack_of(rt, "W1")
    with rt.database.write() as session:
        open_task(
            session,
            TaskKind.VISIT,
            "visit:1",
            NOW,
            outage=ack.outage_ref,
            customer=ack.customer_ref,
            due_at=NOW,
        )
    assert "Enter an answer" in planner.get("/desk/tasks?kind=visit").get_data(as_text=True)
    path = f"/desk/acknowledgements/{ack.id}/answer"
    refused = {"state": "REFUSED", "way": "visit", "signer_name": "Grace Hall", "reason": "will not"}
    planner.send(path, refused, page="/desk/tasks")
    assert "needs a reason and a witness" in planner.get("/desk/tasks").get_data(as_text=True)
    planner.send(path, refused | {"witness": "Ines Vogt"}, page="/desk/tasks")
    found = ack_of(rt, "W1")
    assert (found.state, found.way, found.witness) == (AckState.REFUSED, AckWay.VISIT, "Ines Vogt")
    with rt.database.read() as session:
        assert session.scalars(select(Task).where(Task.kind == TaskKind.VISIT)).one().done_at is not None
    signed = {"state": "ACKNOWLEDGED", "way": "paper", "signer_name": "Grace Hall", "reference": reference}
    planner.send(path, signed, page=f"/desk/outages/{reference}")
    assert ack_of(rt, "W1").state is AckState.ACKNOWLEDGED


def test_a_task_is_ticked_off_once(planner: Person, rt: Runtime) -> None:
    with rt.database.write() as session:
        open_task(session, TaskKind.DOUBTFUL, "doubt:1", NOW, note="nobody can say whether it arrived")
        number = session.scalars(select(Task.id)).one()
    page = planner.hidden("/desk/tasks")
    for _ in range(2):
        assert planner.post(f"/desk/tasks/{number}/done", page).status_code == 303
    with rt.database.read() as session:
        assert session.get_one(Task, number).done_by == town.PLANNER
    assert planner.post("/desk/tasks/987/done", page).status_code == 404


def test_letters_are_printed_posted_and_delivered(planner: Person, rt: Runtime) -> None:
    reference = town.approved(rt)
    with rt.database.write() as session:
        one = session.scalars(select(Delivery).where(Delivery.channel == Channel.SMS)).first()
        assert one is not None
        one.channel, one.address, one.due_at = Channel.LETTER, "5 North Street", NOW
    page = planner.hidden("/desk/letters")
    assert reference in planner.get("/desk/letters").get_data(as_text=True)
    pdf = planner.post(f"/desk/letters/{reference}/print", page)
    assert pdf.mimetype == "application/pdf" and pdf.get_data().startswith(b"%PDF")
    assert planner.get("/desk/letters/batches/1.pdf").get_data() == pdf.get_data()
    day = NOW.date().isoformat()
    planner.post("/desk/letters/batches/1/posted", page | {"date": "soon"})
    assert "that is not a date" in planner.get("/desk/letters").get_data(as_text=True)
    planner.post("/desk/letters/batches/1/posted", page | {"date": day})
    planner.post("/desk/letters/batches/1/delivered", page | {"date": day})
    assert "Delivery entered" in planner.get("/desk/letters").get_data(as_text=True)


def test_script_in_every_field_stays_text(planner: Person, stranger: Person, rt: Runtime) -> None:
    evil = "<script>alert(1)</script>"
    form = FORM | {"area": evil, "line": evil, "reason_en": evil, "reason_zh": evil, "step": "save"}
    reference = planner.send("/desk/plan", form).headers["Location"].rpartition("/")[2]
    town.approved(rt)
    for path in ("/desk/", f"/desk/outages/{reference}", f"/desk/outages/{reference}/edit"):
        text = planner.get(path).get_data(as_text=True)
        assert evil not in text and "alert(1)" in text
    ack = ack_of(rt, "W1")
    page = f"/s/{rt.link_token(links.SIGN, ack.id, NOW + timedelta(days=60))}"
    stranger.send(page, {"answer": "sign", "signer_name": evil})
    assert evil not in stranger.get(page).get_data(as_text=True)
