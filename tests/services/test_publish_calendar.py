"""A customer's feed through the life of an outage: announced, moved, cancelled, over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from sqlalchemy import event as sql_event

from channels.model import Channel, Language
from outage_notify.domain.audience import Impact, Tier
from outage_notify.domain.outage import OutageState, RevisionState
from outage_notify.services import publish_calendar
from outage_notify.services.notice_facts import message_for
from outage_notify.services.publish_calendar import Feed
from outage_notify.services.runtime import Runtime
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer
from tests.factories.people import (
    NOW,
    START,
    add_customer,
    add_delivery,
    add_notice,
    add_outage,
    add_revision,
    add_service_point,
)
from tests.factories.runtimes import make_runtime

DAY = timedelta(days=1)


@pytest.fixture
def rt(migrated_url: str, tmp_path: Path) -> Iterator[Runtime]:
    runtime = make_runtime(migrated_url, tmp_path)
    yield runtime
    runtime.database.close()


def read(rt: Runtime, customer: Customer) -> tuple[Feed, list[Any]]:
    feed = publish_calendar.customer_feed(rt, customer.feed_secret)
    assert feed is not None
    return feed, list(Calendar.from_ical(feed.body).walk("VEVENT"))


def touch(rt: Runtime, outage: Outage, **changes: object) -> None:
    with rt.database.write() as session:
        row = session.get_one(Outage, outage.id)
        for name, value in changes.items():
            setattr(row, name, value)


def test_an_unknown_secret_has_no_feed(rt: Runtime) -> None:
    with rt.database.write() as session:
        customer = add_customer(session)
    assert read(rt, customer)[1] == []
    for secret in (
        "",
        "0" * 31 + "x",
        customer.feed_secret[:-1],
        customer.feed_secret * 3,
        "秘" * 32,
        "\x00" * 32,
    ):
        assert publish_calendar.customer_feed(rt, secret) is None


def test_an_announced_outage_is_one_event_per_site(rt: Runtime) -> None:
    with rt.database.write() as session:
        customer = add_customer(session, places=("1 River Road", "9 Hill Lane"))
        add_service_point(session, customer, "1a River Road", site_id="S1")
        outage = add_outage(session, [customer])
        add_outage(session, [add_customer(session)])
    feed, events = read(rt, customer)
    assert sorted(event["LOCATION"] for event in events) == ["1 River Road, 1a River Road", "9 Hill Lane"]
    assert len({event["UID"] for event in events}) == 2
    for event in events:
        assert (event["STATUS"], event["SEQUENCE"]) == ("CONFIRMED", 1)
        assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (START, START + timedelta(hours=4))
        assert outage.reference in event["DESCRIPTION"]
    assert feed.last_modified == NOW
    assert customer.feed_secret.encode() not in feed.body


def test_a_moved_window_keeps_its_uid_and_raises_its_sequence(rt: Runtime) -> None:
    with rt.database.write() as session:
        customer = add_customer(session)
        outage = add_outage(session, [customer])
    before, (old,) = read(rt, customer)
    with rt.database.write() as session:
        add_revision(
            session, session.get_one(Outage, outage.id), [customer], number=2, state=RevisionState.DRAFT
        )
    _, (tentative,) = read(rt, customer)
    assert (tentative["STATUS"], tentative["SEQUENCE"]) == ("TENTATIVE", 1)
    assert tentative.decoded("DTSTART") == START
    with rt.database.write() as session:
        row = session.get_one(Outage, outage.id)
        row.revisions[-1].state = RevisionState.DROPPED
        add_revision(session, row, [customer], number=3, start=START + DAY)
        row.changed_at = NOW + DAY
    after, (new,) = read(rt, customer)
    assert (new["STATUS"], new["SEQUENCE"], new["UID"]) == ("CONFIRMED", 3, old["UID"])
    assert new.decoded("DTSTART") == START + DAY
    assert after.etag != before.etag
    assert after.last_modified == NOW + DAY


def test_feed_and_attachment_of_the_mail_are_one_event(rt: Runtime) -> None:
    with rt.database.write() as session:
        customer = add_customer(session)
        outage = add_outage(session, [customer])
        mail = add_delivery(session, add_notice(session, outage), [customer], Channel.EMAIL)
        message = message_for(session, rt, mail, NOW)
    assert message.email is not None
    (attached,) = Calendar.from_ical(message.email.ics).walk("VEVENT")
    (published,) = read(rt, customer)[1]
    for name in ("UID", "SEQUENCE", "STATUS", "DTSTART", "DTEND"):
        assert attached[name] == published[name]


def test_a_site_that_is_no_longer_affected_is_cancelled_with_its_old_window(rt: Runtime) -> None:
    with rt.database.write() as session:
        spared, hit = add_customer(session), add_customer(session)
        outage = add_outage(session, [spared, hit])
        add_revision(session, outage, [hit], number=2, start=START + DAY)
    _, (event,) = read(rt, spared)
    assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", 2)
    assert event.decoded("DTSTART") == START
    assert event["SUMMARY"].startswith("CANCELLED")
    assert read(rt, hit)[1][0]["STATUS"] == "CONFIRMED"


def test_a_cancelled_outage_says_so_and_leaves_after_sixty_days(rt: Runtime) -> None:
    with rt.database.write() as session:
        customer = add_customer(session)
        outage = add_outage(session, [customer])
    touch(rt, outage, state=OutageState.CANCELLED, cancelled_at=NOW - 59 * DAY)
    assert read(rt, customer)[1][0]["STATUS"] == "CANCELLED"
    touch(rt, outage, cancelled_at=NOW - 61 * DAY)
    assert read(rt, customer)[1] == []


def test_what_was_never_approved_is_not_shown(rt: Runtime) -> None:
    with rt.database.write() as session:
        customer = add_customer(session)
        add_outage(session, [customer], state=OutageState.SUBMITTED)
        dropped = add_outage(session, [customer], state=OutageState.DRAFT)
    touch(rt, dropped, state=OutageState.CANCELLED, cancelled_at=NOW)
    assert read(rt, customer)[1] == []


def test_an_overrun_and_the_true_end_are_shown(rt: Runtime) -> None:
    with rt.database.write() as session:
        customer = add_customer(session)
        outage = add_outage(session, [customer])
    touch(rt, outage, state=OutageState.ACTIVE, expected_end=START + timedelta(hours=6))
    assert read(rt, customer)[1][0].decoded("DTEND") == START + timedelta(hours=6)
    touch(rt, outage, state=OutageState.COMPLETED, completed_at=START + timedelta(hours=5))
    assert read(rt, customer)[1][0].decoded("DTEND") == START + timedelta(hours=5)


@pytest.mark.parametrize(
    ("language", "impact", "words"),
    [
        (Language.EN, Impact.OUTAGE, "Power outage"),
        (Language.EN, Impact.REDUCED_REDUNDANCY, "One of your supplies off"),
        (Language.ZH, Impact.OUTAGE, "停电"),
    ],
)
def test_the_summary_says_what_the_customer_feels(
    rt: Runtime, language: Language, impact: Impact, words: str
) -> None:
    with rt.database.write() as session:
        customer = add_customer(session, language=language)
        add_outage(session, [customer], impact=impact)
    assert words in read(rt, customer)[1][0]["SUMMARY"]


def test_an_impact_of_which_nobody_is_told_is_not_published(rt: Runtime) -> None:
    with rt.database.write() as session:
        household = add_customer(session, tier=Tier.LOW_VOLTAGE)
        add_outage(session, [household], impact=Impact.MOMENTARY)
    assert read(rt, household)[1] == []


def test_an_unchanged_feed_is_the_same_bytes_and_its_queries_do_not_grow(rt: Runtime) -> None:
    with rt.database.write() as session:
        customer = add_customer(session, places=[f"{number} River Road" for number in range(5)])
        add_outage(session, [customer])
    asked: list[str] = []
    sql_event.listen(rt.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    read(rt, customer)
    few = len(asked)
    with rt.database.write() as session:
        for _ in range(8):
            add_outage(session, [customer])
    asked.clear()
    first, events = read(rt, customer)
    assert (len(events), len(asked)) == (45, few)
    assert read(rt, customer)[0] == first


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    windows=st.lists(
        st.integers(0, 365 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
        min_size=1,
        max_size=4,
    ),
    affected=st.lists(st.booleans(), min_size=4, max_size=4),
    cancelled=st.booleans(),
)
def test_after_any_revisions_there_is_one_event_that_tells_the_truth(
    rt: Runtime, windows: list[datetime], affected: list[bool], cancelled: bool
) -> None:
    with rt.database.write() as session:
        customer = add_customer(session)
        outage = add_outage(session, [customer], start=windows[0])
        for number, start in enumerate(windows[1:], start=2):
            hit = [customer] if affected[number - 1] else []
            add_revision(session, outage, hit, number=number, start=start)
        if cancelled:
            outage.state, outage.cancelled_at = OutageState.CANCELLED, NOW
    _, (event,) = read(rt, customer)
    last = max((number for number in range(len(windows)) if number == 0 or affected[number]), default=0)
    gone = cancelled or last != len(windows) - 1
    assert event["STATUS"] == ("CANCELLED" if gone else "CONFIRMED")
    assert event["SEQUENCE"] == len(windows)
    assert event.decoded("DTSTART") == windows[last]
    local = windows[last].astimezone(ZoneInfo(outage.timezone))
    assert f"{local:%H:%M}" in event["DESCRIPTION"]
