"""Calendar invitations by e-mail: one per revision, one cancellation, the same entry all along."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from icalendar import Calendar, Event

from channels.model import Channel
from outage_notify.domain.audience import Tier
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.errors import NotFound
from outage_notify.domain.notice import NoticeKind
from outage_notify.services import invitations, run_outage, schedule_notices
from outage_notify.store import outage_queries
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.people_tables import ContactPoint, Customer
from tests.factories.people import add_contact
from tests.factories.world import World
from tests.fakes.mail_catcher import MailCatcher


@pytest.fixture
def caught() -> Iterator[MailCatcher]:
    catcher = MailCatcher()
    yield catcher
    catcher.close()


@pytest.fixture
def world(migrated_url: str, tmp_path: Path, caught: MailCatcher) -> Iterator[World]:
    world = World(migrated_url, tmp_path, SMTP_URL=caught.url)
    yield world
    world.close()


def wish(world: World, customer: str, wished: bool = True) -> None:
    contact = world.contact(customer, Channel.EMAIL).id
    invitations.wish_at_desk(world.rt, "petra", customer, contact, wished)


def second_mailbox(world: World, customer: str, wished: bool = True) -> str:
    """A mailbox behind the first one: the ladder does not come to it."""
    address = f"second.{customer.lower()}@example.com"
    with world.rt.database.write() as session:
        owner = session.query(Customer).filter_by(customer_id=customer).one()
        contact = add_contact(session, owner, Channel.EMAIL, address, position=9)
        contact.invitations = wished
    return address


def entry(mail: EmailMessage) -> tuple[str, Event]:
    """(method of the part and of the calendar, event) of a mail that holds one."""
    (part,) = [one for one in mail.walk() if one.get_content_type() == "text/calendar"]
    calendar = Calendar.from_ical(part.get_content())
    method = part.get_param("method") or ""
    assert method == calendar.get("METHOD", ""), "part and calendar disagree"
    (event,) = calendar.walk("VEVENT")
    return str(method), event


def test_the_life_of_an_invitation(world: World, caught: MailCatcher) -> None:
    one, other = (world.customer(tier=Tier.FIRST) for _ in range(2))
    wish(world, one)
    reference = world.approved()
    world.first_wave()
    world.revised(reference, days=17)
    world.work()
    world.turn_to(world.monday + timedelta(days=16, hours=2))
    world.work()  # the day ahead
    run_outage.cancel(world.rt, "petra", reference, "no crew")
    world.work()
    mails = caught.to(world.address(one, Channel.EMAIL))
    seen = [entry(mail) for mail in mails]
    invited = [(method, int(event["SEQUENCE"])) for method, event in seen if method]
    assert invited == [("REQUEST", 1), ("REQUEST", 2), ("CANCEL", 3)]
    assert "" in {method for method, _ in seen}  # the day-ahead notice came, and was no second invitation
    assert len({str(event["UID"]) for _, event in seen}) == 1
    first, moved, gone = (event for method, event in seen if method)
    assert moved.decoded("DTSTART") - first.decoded("DTSTART") == timedelta(days=7)
    assert (gone["STATUS"], first["STATUS"]) == ("CANCELLED", "CONFIRMED")
    for event in (first, moved, gone):
        assert event["ATTENDEE"] == f"mailto:{world.address(one, Channel.EMAIL)}"
        assert event["ORGANIZER"].startswith("mailto:") and event["ATTENDEE"].params["RSVP"] == "FALSE"
    # Where clients look for it: beside text and HTML.
    body = next(mail for mail in mails if entry(mail)[0])
    kinds = [part.get_content_type() for part in body.iter_parts()]
    assert (body.get_content_type(), kinds) == (
        "multipart/alternative",
        ["text/plain", "text/html", "text/calendar"],
    )
    plain = caught.to(world.address(other, Channel.EMAIL))
    assert plain and {entry(mail)[0] for mail in plain} == {""}


def test_a_mail_in_doubt_brings_the_same_invitation_again_and_no_second_one(
    world: World, caught: MailCatcher
) -> None:
    one = world.customer(tier=Tier.FIRST)
    wish(world, one)
    world.approved()
    world.first_wave()
    for _ in range(3):
        world.pass_time(minutes=10)
        world.reconcile()
        world.work()
    methods = [entry(mail)[0] for mail in caught.to(world.address(one, Channel.EMAIL))]
    assert methods.count("REQUEST") == 1


def test_whoever_stops_them_gets_none_and_only_the_own_mailbox_can_be_set(
    world: World, caught: MailCatcher
) -> None:
    one, other = (world.customer(tier=Tier.FIRST) for _ in range(2))
    wish(world, one)
    wish(world, one, wished=False)
    mailbox, phone = world.contact(other, Channel.EMAIL), world.contact(one, Channel.SMS)
    for wrong in (mailbox, phone):
        with pytest.raises(NotFound):
            invitations.wish_at_desk(world.rt, "petra", one, wrong.id, True)
    with world.rt.database.read() as session:
        assert not any(contact.invitations for contact in session.query(ContactPoint))
    world.approved()
    world.first_wave()
    (mail,) = caught.to(world.address(one, Channel.EMAIL))
    assert entry(mail)[0] == ""


def brought(caught: MailCatcher, address: str) -> list[tuple[str, int]]:
    """(method, SEQUENCE) of each mail to an address, all of which hold an entry."""
    return [(method, int(event["SEQUENCE"])) for method, event in map(entry, caught.to(address))]


def test_a_mailbox_that_the_ladder_passes_over_is_invited_and_told_nothing_else(
    world: World, caught: MailCatcher
) -> None:
    one = world.customer(tier=Tier.FIRST)
    silent = world.address(one, Channel.EMAIL)
    second = second_mailbox(world, one)
    reference = world.approved()
    world.first_wave()
    with world.rt.database.write() as session:
        # Whatever is asked for again is there already.
        outage = outage_queries.outage_by_reference(session, reference)
        assert schedule_notices.announce(session, world.rt, outage, world.rt.now(session)) == 0
    assert world.reconcile().holds
    assert brought(caught, second) == [("REQUEST", 1)]
    world.revised(reference, days=17)
    world.work()
    world.turn_to(world.monday + timedelta(days=16, hours=2))
    world.work()  # the day ahead
    run_outage.cancel(world.rt, "petra", reference, "no crew")
    world.work()
    assert world.reconcile().holds and not world.work()
    assert brought(caught, second) == [("REQUEST", 1), ("REQUEST", 2), ("CANCEL", 3)]
    assert len({str(entry(mail)[1]["UID"]) for mail in caught.to(second)}) == 1
    for mail in caught.to(second):
        assert "/s/" not in str(mail.get_body(("plain",))), "it asks for no signature"
    # The notices themselves are as they would be without it.
    told = [kind for kind, channel, _ in world.story(one) if channel == Channel.EMAIL]
    assert told.count(NoticeKind.SEVEN_DAY) == told.count(NoticeKind.CHANGED) == 1
    assert {entry(mail)[0] for mail in caught.to(silent)} == {""}


def test_the_chosen_mailbox_is_not_invited_beside_its_notice(world: World, caught: MailCatcher) -> None:
    one = world.customer(tier=Tier.FIRST)
    wish(world, one)
    chosen = world.address(one, Channel.EMAIL)
    second_mailbox(world, one, wished=False)
    world.approved()
    world.first_wave()
    assert not world.deliveries(kind=NoticeKind.INVITATION)
    assert brought(caught, chosen) == [("REQUEST", 1)]


def test_whom_a_revision_spares_loses_the_entry_and_only_who_had_one(
    world: World, caught: MailCatcher
) -> None:
    one, other = world.customer("load:2", tier=Tier.FIRST), world.customer("load:5", tier=Tier.FIRST)
    spared, joined = second_mailbox(world, one), second_mailbox(world, other)
    reference = world.approved()
    world.first_wave()
    assert (brought(caught, spared), brought(caught, joined)) == ([("REQUEST", 1)], [])
    world.revised(reference, work=("line:5",))
    world.work()
    assert brought(caught, spared)[1:] == [("CANCEL", 2)]
    run_outage.cancel(world.rt, "petra", reference, "no crew")
    world.work()
    assert len(brought(caught, spared)) == 2, "cancelled once"
    assert world.reconcile().holds
    assert brought(caught, joined) == [("REQUEST", 2), ("CANCEL", 3)]


def test_a_failed_invitation_moves_no_ladder_and_is_nobodys_task(world: World, caught: MailCatcher) -> None:
    one = world.customer(tier=Tier.FIRST)
    second = second_mailbox(world, one)
    world.approved()
    (planned,) = world.deliveries(kind=NoticeKind.INVITATION)
    before = len(world.deliveries())
    world.change(Delivery, planned.id, lambda row: setattr(row, "state", DeliveryState.FAILED))
    report = world.reconcile()
    assert report.holds and not world.tasks() and len(world.deliveries()) == before
    world.first_wave()
    assert not caught.to(second)


def test_who_stops_before_it_goes_gets_none(world: World, caught: MailCatcher) -> None:
    one = world.customer(tier=Tier.FIRST)
    second = second_mailbox(world, one)
    world.approved()
    (planned,) = world.deliveries(kind=NoticeKind.INVITATION)
    assert planned.contact_ref is not None
    invitations.wish_at_desk(world.rt, "petra", one, planned.contact_ref, False)
    world.first_wave()
    (left,) = world.deliveries(kind=NoticeKind.INVITATION)
    assert left.state is DeliveryState.WITHDRAWN and not caught.to(second)


def test_a_request_in_doubt_is_settled_before_it_is_taken_back(world: World, caught: MailCatcher) -> None:
    one = world.customer(tier=Tier.FIRST)
    second = second_mailbox(world, one)
    reference = world.approved()
    world.first_wave()
    (sent,) = world.deliveries(kind=NoticeKind.INVITATION)

    def doubt(row: Delivery) -> None:
        row.state, row.doubt_since, row.next_check_at = DeliveryState.IN_DOUBT, world.now(), world.now()

    world.change(Delivery, sent.id, doubt)
    run_outage.cancel(world.rt, "petra", reference, "no crew")
    assert not [row for row in world.deliveries(kind=NoticeKind.INVITATION_CANCELLED) if row.recipients], (
        "nobody knows yet whether there is anything to take back"
    )
    for _ in range(3):
        world.reconcile()
        world.work()
        world.pass_time(minutes=10)
    methods = brought(caught, second)
    assert methods.count(("CANCEL", 2)) == 1 and methods[-1] == ("CANCEL", 2)
    assert {one for one in methods if one[0] == "REQUEST"} == {("REQUEST", 1)}
