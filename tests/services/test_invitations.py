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
from outage_notify.domain.errors import NotFound
from outage_notify.services import invitations, run_outage
from outage_notify.store.people_tables import ContactPoint
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
