"""The calendar feed as its readers see it: two libraries, raw bytes, ten time zones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from channels.calendar import CANCELLED, CONFIRMED, TENTATIVE, FeedEvent, event_uid, render_event, render_feed
from channels.model import Language

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 8, 1, tzinfo=UTC)
EVENT = FeedEvent(
    reference="PO-2026-0417",
    site="site-7",
    revision=2,
    status=CONFIRMED,
    start=datetime(2026, 8, 17, 8, 0, tzinfo=SHANGHAI),
    end=datetime(2026, 8, 17, 16, 30, tzinfo=SHANGHAI),
    modified=datetime(2026, 8, 3, 2, 4, 5, 678, tzinfo=UTC),
    place="南江市第一人民医院住院部大楼东侧配电室，滨河路三号院内，近学校路口",
    reason="10kV滨河线电缆更换; 分段开关检修, 一期",
    utility="南江供电公司",
    contact="95598",
    url="https://grid.example/o/PO-2026-0417",
    latitude=48.4743123,
    longitude=7.8801,
)
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Shanghai",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Europe/Dublin",
    "America/Santiago",
)


def only(feed: bytes) -> icalendar.Event:
    (event,) = icalendar.Calendar.from_ical(feed).walk("VEVENT")
    assert isinstance(event, icalendar.Event)
    return event


def feed_of(*events: FeedEvent, language: Language = Language.ZH) -> bytes:
    return render_feed("停电日历", events, language, NOW)


def test_an_event_says_everything_in_the_right_place() -> None:
    event = only(feed_of(EVENT))
    assert event["UID"] == event_uid("PO-2026-0417", "site-7")
    assert event.decoded("SEQUENCE") == 2
    assert event["STATUS"] == "CONFIRMED"
    assert event.decoded("DTSTART") == EVENT.start and event.decoded("DTEND") == EVENT.end
    assert event.decoded("DTSTAMP") == event.decoded("LAST-MODIFIED") == EVENT.modified.replace(microsecond=0)
    assert event["LOCATION"] == EVENT.place and EVENT.place in event["SUMMARY"]
    assert "2026年8月17日（星期一）08:00至16:30" in event["DESCRIPTION"]
    assert EVENT.reason in event["DESCRIPTION"]
    assert event["URL"] == EVENT.url
    assert (event["GEO"].latitude, event["GEO"].longitude) == (48.474312, 7.8801)
    assert event["CATEGORIES"].to_ical().decode() == "停电"
    triggers = [alarm.decoded("TRIGGER") for alarm in event.walk("VALARM")]
    assert triggers == [timedelta(days=-7), timedelta(days=-1)]


def test_the_feed_names_itself_and_its_refresh_and_commands_nothing() -> None:
    feed = feed_of(EVENT)
    calendar = icalendar.Calendar.from_ical(feed)
    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == "停电日历"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in feed
    assert b"X-PUBLISHED-TTL:PT1H\r\n" in feed
    assert b"METHOD" not in feed and b"VTIMEZONE" not in feed and b"TZID" not in feed
    assert b"DTSTART:20260817T000000Z\r\n" in feed and b"DTEND:20260817T083000Z\r\n" in feed
    assert "不代替" in calendar["X-WR-CALDESC"]


def test_lines_are_folded_by_octets_and_never_inside_a_character() -> None:
    for line in feed_of(EVENT).split(b"\r\n"):
        assert len(line) <= 75
        line.decode("utf-8")


@pytest.mark.parametrize(
    ("status", "language", "prefix"),
    [
        (TENTATIVE, Language.EN, "Provisional: "),
        (CANCELLED, Language.EN, "CANCELLED: "),
        (TENTATIVE, Language.ZH, "【待定】"),
        (CANCELLED, Language.ZH, "【已取消】"),
        (CONFIRMED, Language.EN, "Power outage"),
    ],
)
def test_the_summary_says_the_status_too(status: str, language: Language, prefix: str) -> None:
    event = only(feed_of(replace(EVENT, status=status), language=language))
    assert event["STATUS"] == status and event["SUMMARY"].startswith(prefix)


def test_nobody_is_alarmed_by_what_is_cancelled_or_over() -> None:
    assert not only(feed_of(replace(EVENT, status=CANCELLED))).walk("VALARM")
    late = render_feed("x", [EVENT], Language.EN, EVENT.end)
    assert not only(late).walk("VALARM")


def test_impacts_have_their_own_summary() -> None:
    summaries = {
        only(feed_of(replace(EVENT, impact=impact), language=Language.EN))["SUMMARY"]
        for impact in ("OUTAGE", "REDUCED_REDUNDANCY", "MOMENTARY")
    }
    assert len(summaries) == 3 and any("One of your supplies" in one for one in summaries)


def test_the_same_events_are_the_same_bytes_at_any_time_and_in_any_order() -> None:
    other = replace(EVENT, site="site-8", place="B")
    first = render_feed("x", [EVENT, other], Language.EN, NOW)
    assert first == render_feed("x", [other, EVENT], Language.EN, NOW + timedelta(days=3))
    assert first != render_feed("x", [EVENT, replace(other, revision=3)], Language.EN, NOW)


def test_a_uid_lasts_over_revisions_and_belongs_to_one_site() -> None:
    assert event_uid("PO-1", "23") != event_uid("PO-12", "3")
    moved = replace(
        EVENT, revision=3, start=EVENT.start + timedelta(days=1), end=EVENT.end + timedelta(days=1)
    )
    assert only(feed_of(moved))["UID"] == only(feed_of(EVENT))["UID"]
    assert "site-7" not in event_uid("PO-1", "site-7")


def test_typed_text_cannot_add_a_line() -> None:
    feed = feed_of(
        replace(
            EVENT, place="A\r\nATTACH:http://x", reason="b\nSTATUS:CANCELLED", description="c\r\nEND:VEVENT"
        )
    )
    assert only(feed)["STATUS"] == "CONFIRMED" and "ATTACH" not in only(feed)


def test_vobject_reads_it_and_finds_nothing_missing() -> None:
    text = feed_of(EVENT, replace(EVENT, site="8")).decode()
    calendar = vobject.readOne(text)
    assert calendar.validate()
    assert [event.dtstart.value for event in calendar.vevent_list] == [EVENT.start] * 2
    assert vobject.readOne(render_event(EVENT, Language.ZH)).vevent.summary.value.endswith(EVENT.place)


def test_an_empty_feed_is_a_calendar() -> None:
    assert not icalendar.Calendar.from_ical(feed_of()).walk("VEVENT")


@pytest.mark.parametrize(
    "wrong",
    [{"end": EVENT.start}, {"start": EVENT.start.replace(tzinfo=None)}, {"status": "MAYBE"}],
)
def test_an_event_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        feed_of(replace(EVENT, **wrong))  # type: ignore[arg-type]


# Instants near the change of clocks, in zones with whole, half and quarter hour offsets.
near_changes = st.sampled_from(ZONES).flatmap(
    lambda zone: st.builds(
        lambda seconds: datetime.fromtimestamp(seconds * 60, ZoneInfo(zone)),
        st.integers(min_value=1_772_000_000 // 60, max_value=1_794_000_000 // 60),
    )
)


@given(near_changes, st.integers(1, 5000))
def test_instants_survive_in_every_zone(start: datetime, minutes: int) -> None:
    end = (start.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(start.tzinfo)
    event = replace(EVENT, start=start, end=end)
    read = only(feed_of(event))
    assert read.decoded("DTSTART").astimezone(UTC) == start.astimezone(UTC)
    assert read.decoded("DTEND").astimezone(UTC) == end.astimezone(UTC)
    again = vobject.readOne(render_event(event, Language.EN)).vevent
    assert again.dtstart.value.astimezone(UTC) == start.astimezone(UTC)
    assert f"{start:%H:%M}" in read["DESCRIPTION"]
