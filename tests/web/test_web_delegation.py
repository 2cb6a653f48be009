"""A notice passed on to a colleague; and the list of what was sent."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select

from channels.model import Channel
from channels.receipts import verify_receipt
from outage_notify.domain.acknowledgement import AckState
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import links
from outage_notify.services.notice_facts import message_for
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.people_tables import Customer
from tests.factories import town
from tests.factories.people import NOW
from tests.web.conftest import Person

NAMES = {"given_by": "周建国", "given_to": "Grace Hall"}


def own_link(rt: Runtime, customer: str = "H1") -> tuple[int, str]:
    with rt.database.read() as session:
        ack = session.scalars(
            select(Acknowledgement.id).join(Customer).where(Customer.customer_id == customer)
        ).one()
    return ack, f"/s/{rt.link_token(links.SIGN, ack, NOW + timedelta(days=60))}"


def passed_on(person: Person, path: str) -> list[str]:
    """The colleagues' links that the page shows."""
    shown = person.get(path).get_data(as_text=True)
    return re.findall(r'readonly value="[^"]*(/s/[\w-]+)"', shown)


def test_a_colleague_answers_and_the_receipt_names_both(rt: Runtime, app: object, stranger: Person) -> None:
    town.approved(rt)
    ack, path = own_link(rt)
    for _ in range(2):  # twice is the same link
        assert stranger.send(f"{path}/pass-on", NAMES, path).status_code == 303
    (theirs,) = passed_on(stranger, path)
    assert theirs != path
    shown = stranger.get(theirs).get_data(as_text=True)
    assert "周建国 has passed this notice on to Grace Hall" in shown
    # The colleague sees this notice and nothing else of the customer's.
    for inner in ("/plan", "/keys"):
        assert inner not in shown.split("<main")[1] and stranger.get(theirs + inner).status_code == 404
    assert "/feeds/" not in shown.split("<main")[1]
    assert stranger.post(f"{theirs}/pass-on", NAMES | stranger.hidden(theirs)).status_code == 404
    form = {"signer_name": "Grace Hall", "answer": "sign"}
    assert stranger.send(theirs, form).status_code == 303
    with rt.database.read() as session:
        receipt = acks.last_receipt(session, ack)
        assert receipt is not None
        details = verify_receipt(receipt.jws, rt.signing_key.public_jwks).details
    assert (details["delegated_by"], details["delegated_to"]) == ("周建国", "Grace Hall")
    assert stranger.get(f"{theirs}/receipt.pdf").status_code == 200


def test_a_link_that_was_taken_back_is_like_one_that_never_was(rt: Runtime, stranger: Person) -> None:
    town.approved(rt)
    ack, path = own_link(rt)
    stranger.send(f"{path}/pass-on", NAMES, path)
    (theirs,) = passed_on(stranger, path)
    forged = stranger.get("/s/" + "A" * 31)
    assert stranger.send(f"{path}/take-back", {}, path).status_code == 303
    gone = stranger.get(theirs)
    assert (gone.status_code, gone.get_data()) == (404, forged.get_data())
    assert passed_on(stranger, path) == []
    with rt.database.read() as session:
        assert session.get_one(Acknowledgement, ack).state is AckState.REQUESTED


def test_only_the_own_notice_can_be_taken_back(rt: Runtime, stranger: Person) -> None:
    town.approved(rt)
    _, mine = own_link(rt)
    _, other = own_link(rt, "W1")
    stranger.send(f"{mine}/pass-on", NAMES, mine)
    token = stranger.hidden(other)
    stranger.post(f"{other}/take-back", token | {"delegation": "1"})
    assert len(passed_on(stranger, mine)) == 1


def test_names_are_asked_for(rt: Runtime, stranger: Person) -> None:
    town.approved(rt)
    _, path = own_link(rt)
    stranger.send(f"{path}/pass-on", {"given_by": " ", "given_to": "x"}, path)
    assert passed_on(stranger, path) == []


def test_the_page_lists_what_was_sent_and_when(rt: Runtime, stranger: Person) -> None:
    town.approved(rt)
    _, path = own_link(rt)
    assert 'id="sent"' not in stranger.get(path).get_data(as_text=True)
    with rt.database.write() as session:
        customer = session.scalars(select(Customer).where(Customer.customer_id == "H1")).one()
        mine = [
            one for one in session.scalars(select(Delivery)) if one.recipients[0].customer_ref == customer.id
        ]
        mine[0].state, mine[0].accepted_at = DeliveryState.DELIVERED, NOW
        mine[0].delivered_at = NOW + timedelta(minutes=2)
        address = mine[0].address
    shown = stranger.get(path).get_data(as_text=True)
    listed = shown.split('id="sent"')[1].split("</details>")[0]
    assert listed.count("<li>") == 1 and "Delivered" in listed
    assert address not in listed and (address[-4:] in listed or address.split("@")[-1] in listed)


def test_revoked_links_open_nothing_and_the_next_message_brings_a_new_one(
    rt: Runtime, stranger: Person, planner: Person, approver: Person
) -> None:
    town.approved(rt)
    ack, path = own_link(rt)
    stranger.send(f"{path}/pass-on", NAMES, path)
    (theirs,) = passed_on(stranger, path)
    page = "/desk/customers/H1"
    assert approver.post(f"{page}/links/revoke", approver.hidden(page)).status_code == 403
    assert stranger.get(path).status_code == 200
    for _ in range(2):
        assert planner.send(f"{page}/links/revoke", {}, page).status_code == 303
        assert [stranger.get(one).status_code for one in (path, theirs, f"{path}/plan")] == [404] * 3
    _, other = own_link(rt, "W1")
    assert stranger.get(other).status_code == 200  # nobody else's
    with rt.database.write() as session:
        mail = next(
            one
            for one in session.scalars(select(Delivery))
            if one.recipients[0].customer.customer_id == "H1" and one.channel is Channel.SMS
        )
        text = message_for(session, rt, mail, NOW).text
    (new,) = re.findall(r"/s/[\w-]+", text)
    assert stranger.get(new).status_code == 200
    assert stranger.send(new, {"signer_name": "周建国", "answer": "sign"}).status_code == 303
    with rt.database.read() as session:
        assert session.get_one(Acknowledgement, ack).state is AckState.ACKNOWLEDGED
