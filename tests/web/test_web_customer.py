"""A customer's own pages: a GET answers for nobody, a POST ends in a receipt, stale ones say so."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from channels.model import Channel
from channels.signing import verify_receipt
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.services import links, plan_outage, run_outage
from outage_notify.services.approve_outage import approve
from outage_notify.services.runtime import Runtime
from outage_notify.store.acknowledgement_tables import Acknowledgement, SignedReceipt
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.people_tables import Customer
from outage_notify.store.work_tables import Task, TaskKind
from tests.factories import town
from tests.factories.people import NOW, START
from tests.web.conftest import Person, turn

NAMED = {"answer": "sign", "signer_name": "Grace Hall", "signer_role": "duty engineer"}


def acks(rt: Runtime, customer: str = "W1") -> list[Acknowledgement]:
    with rt.database.read() as session:
        statement = select(Acknowledgement).join(Customer).where(Customer.customer_id == customer)
        return list(session.scalars(statement.order_by(Acknowledgement.revision)))


def link(rt: Runtime, ack: Acknowledgement, days: int = 60) -> str:
    return f"/s/{rt.link_token(links.SIGN, ack.id, NOW + timedelta(days=days))}"


@pytest.fixture
def reference(rt: Runtime) -> str:
    return town.approved(rt)


@pytest.fixture
def page(rt: Runtime, reference: str) -> str:
    """The address of the water works' page to sign."""
    return link(rt, acks(rt)[0])


def text_of(person: Person, path: str) -> str:
    return person.get(path).get_data(as_text=True)


def test_opening_a_link_answers_for_nobody(stranger: Person, rt: Runtime, page: str) -> None:
    for _ in range(3):
        shown = stranger.get(page)
        assert shown.status_code == 200
        assert stranger.client.head(page).status_code == 200
    text = shown.get_data(as_text=True)
    assert "City Water Works" in text and "5 North Street" in text and "Replacing a cable" in text
    assert acks(rt)[0].state is AckState.REQUESTED


def test_signing_ends_in_a_receipt_that_verifies(stranger: Person, rt: Runtime, page: str) -> None:
    answer = stranger.send(page, NAMED)
    assert answer.status_code == 303
    signed = acks(rt)[0]
    assert (signed.state, signed.way, signed.signer_name) == (
        AckState.ACKNOWLEDGED,
        AckWay.LINK,
        "Grace Hall",
    )
    text = text_of(stranger, page)
    with rt.database.read() as session:
        receipt = session.scalars(select(SignedReceipt)).one()
    assert receipt.sha256 in text and "Grace Hall" in text
    assert 'name="answer"' not in text
    jws = stranger.get(f"{page}/receipt.jws")
    assert jws.mimetype == "application/jose"
    payload = verify_receipt(jws.get_data(as_text=True), rt.signing_key.public_jwks)
    assert payload.signer_name == "Grace Hall"
    assert payload.text_sha256 == signed.text_sha256


def test_notice_and_receipt_can_be_had_on_paper(stranger: Person, page: str) -> None:
    assert stranger.get(f"{page}/receipt.pdf").status_code == 404
    stranger.send(page, NAMED)
    for name, word in (("notice.pdf", "5 North Street"), ("receipt.pdf", "Grace Hall")):
        pdf = stranger.get(f"{page}/{name}")
        assert pdf.mimetype == "application/pdf"
        pages = PdfReader(BytesIO(pdf.get_data())).pages
        assert word in "".join(one.extract_text() for one in pages)


def test_a_second_click_changes_nothing(stranger: Person, rt: Runtime, page: str) -> None:
    form = stranger.hidden(page) | NAMED
    assert stranger.post(page, form).status_code == 303
    assert stranger.post(page, form | {"signer_name": "Somebody Else"}).status_code == 303
    assert "An answer stands already" in text_of(stranger, page)
    assert acks(rt)[0].signer_name == "Grace Hall"


def test_a_name_is_needed_and_what_was_typed_stays(stranger: Person, rt: Runtime, page: str) -> None:
    answer = stranger.send(page, {"answer": "sign", "signer_name": "  ", "signer_role": "porter"})
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert 'role="alert"' in text and "porter" in text
    assert acks(rt)[0].state is AckState.REQUESTED


def test_an_objection_is_a_task_and_may_become_a_signature(stranger: Person, rt: Runtime, page: str) -> None:
    form = NAMED | {"answer": "object", "reason": "Surgery that day", "wished": "Saturday"}
    assert stranger.send(page, form).status_code == 303
    assert acks(rt)[0].state is AckState.OBJECTED
    with rt.database.read() as session:
        note = session.scalars(select(Task).where(Task.kind == TaskKind.OBJECTION)).one().note
    assert "Surgery that day" in note and "Saturday" in note
    stranger.send(page, NAMED)
    assert acks(rt)[0].state is AckState.ACKNOWLEDGED


def test_what_was_changed_after_it_was_shown_is_not_signed(stranger: Person, rt: Runtime, page: str) -> None:
    answer = stranger.send(page, NAMED | {"text_sha256": "0" * 64})
    assert answer.status_code == 422
    assert acks(rt)[0].state is AckState.REQUESTED


def test_a_replaced_notice_leads_to_the_newer_one(
    stranger: Person, rt: Runtime, reference: str, page: str
) -> None:
    stranger.send(page, NAMED)
    plan_outage.revise(rt, town.PLANNER, reference, town.request(START + timedelta(days=1)))
    plan_outage.submit(rt, town.PLANNER, reference)
    approve(rt, town.APPROVER, reference)
    text = text_of(stranger, page)
    assert "replaced by a newer one" in text and 'name="answer"' not in text
    newer = "/s/" + text.split(f'href="{rt.settings.base_url}/s/')[1].split('"')[0]
    assert 'name="answer"' in text_of(stranger, newer)
    stranger.send(newer, NAMED)
    assert [one.state for one in acks(rt)] == [AckState.SUPERSEDED, AckState.ACKNOWLEDGED]


def test_a_cancelled_outage_asks_for_nothing(
    stranger: Person, rt: Runtime, reference: str, page: str
) -> None:
    run_outage.cancel(rt, town.PLANNER, reference, "weather")
    text = text_of(stranger, page)
    assert "was cancelled" in text and 'name="answer"' not in text


def test_forged_expired_and_foreign_links_are_refused_alike(stranger: Person, rt: Runtime, page: str) -> None:
    ack = acks(rt)[0]
    bad = {
        "forged": page[:-2] + ("AA" if page[-2:] != "AA" else "BB"),
        "expired": f"/s/{rt.link_token(links.SIGN, ack.id, NOW - timedelta(seconds=1))}",
        "of another purpose": f"/s/{rt.link_token(links.NOTICE, ack.id, NOW + timedelta(days=1))}",
        "of nobody": f"/s/{rt.link_token(links.SIGN, 987654, NOW + timedelta(days=1))}",
        "no token at all": "/s/x",
    }
    answers = {why: stranger.get(path) for why, path in bad.items()}
    assert {why: one.status_code for why, one in answers.items()} == dict.fromkeys(bad, 404)
    assert len({one.get_data(as_text=True) for one in answers.values()}) == 1


def test_everybody_who_was_told_can_read_the_notice(stranger: Person, rt: Runtime, reference: str) -> None:
    with rt.database.read() as session:
        statement = select(Delivery).where(Delivery.channel == Channel.SMS).order_by(Delivery.id)
        number = next(
            one.id
            for one in session.scalars(statement)
            if "C041" in {two.customer.customer_id for two in one.recipients}
        )
    path = f"/n/{rt.link_token(links.NOTICE, number, NOW + timedelta(days=60))}"
    text = text_of(stranger, path)
    assert "北街 4-1 号" in text and "/s/" not in text
    run_outage.cancel(rt, town.PLANNER, reference, "weather")
    assert "was cancelled" in text_of(stranger, path)


def test_the_feed_is_sent_again_only_when_it_changed(stranger: Person, rt: Runtime, reference: str) -> None:
    with rt.database.read() as session:
        secret = session.scalars(select(Customer.feed_secret).where(Customer.customer_id == "W1")).one()
    path = f"/feeds/{secret}.ics"
    first = stranger.get(path)
    assert first.content_type == "text/calendar; charset=utf-8"
    assert first.get_data().startswith(b"BEGIN:VCALENDAR") and b"BEGIN:VEVENT" in first.get_data()
    assert first.last_modified is not None and "no-store" not in first.headers["Cache-Control"]
    head = stranger.client.head(path)
    assert (head.status_code, head.get_data(), head.headers["ETag"]) == (200, b"", first.headers["ETag"])
    assert stranger.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    turn(rt, NOW + timedelta(hours=1))
    run_outage.cancel(rt, town.PLANNER, reference, "weather")
    changed = stranger.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200 and b"CANCELLED" in changed.get_data()
    assert stranger.get("/feeds/0123456789.ics").status_code == 404
