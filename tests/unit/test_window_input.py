"""What people type as a start and an end, and what is said to them when it cannot be."""

# Hypothesis wants naive bounds, and a wall clock has no zone.
# ruff: noqa: DTZ001

from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.window import check_window, local_instant, wall_instants

ZONES = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Africa/Casablanca",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
walls = st.datetimes(datetime(2007, 1, 1), datetime(2037, 1, 1)).map(
    lambda one: one.replace(second=0, microsecond=0)
)
FOLDS: tuple[Literal["first", "second"] | None, ...] = (None, "first", "second")
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@settings(deadline=None)
@given(walls, zones)
def test_every_wall_clock_is_read_back_or_explained(wall: datetime, tz: ZoneInfo) -> None:
    text = f"{wall:%Y-%m-%d %H:%M}"
    before, after = wall_instants(wall, tz)
    if before == after:
        found = local_instant(text, tz)
        assert found.tzinfo is tz and found.replace(tzinfo=None) == wall
        assert local_instant(text, tz, "second") == found, "fold does not matter here"
    elif before < after:
        with pytest.raises(InvalidInput, match="happens twice"):
            local_instant(text, tz)
        first, second = local_instant(text, tz, "first"), local_instant(text, tz, "second")
        assert (first.astimezone(UTC), second.astimezone(UTC)) == (before, after)
        assert first.replace(tzinfo=None, fold=0) == second.replace(tzinfo=None, fold=0) == wall
    else:
        for fold in FOLDS:
            with pytest.raises(InvalidInput, match="does not exist"):
                local_instant(text, tz, fold)


@settings(deadline=None)
@given(st.datetimes(datetime(2007, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)), zones)
def test_an_offset_decides_in_gap_and_fold_alike(instant: datetime, tz: ZoneInfo) -> None:
    instant = instant.replace(microsecond=0)
    found = local_instant(instant.astimezone(tz).isoformat(), tz)
    assert found.astimezone(UTC) == instant


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("zone", ZONES)
def test_the_remedy_for_a_gap_or_a_fold_works(zone: str, month: int) -> None:
    """Whatever the message tells one to write is then taken, for each change of clocks of a year."""
    tz = ZoneInfo(zone)
    wall = datetime(2026, month, 1)
    while wall.month == month:
        try:
            local_instant(f"{wall:%Y-%m-%d %H:%M}", tz)
        except InvalidInput as error:
            if "happens twice" in error.message:
                offsets = [word for word in error.remedy.split() if word[0] in "+-"]
                found = [local_instant(f"{wall:%Y-%m-%d %H:%M}{one}", tz).astimezone(UTC) for one in offsets]
                assert found == list(wall_instants(wall, tz))
            else:
                clock = error.remedy.split()[1]
                assert (
                    local_instant(f"{wall:%Y-%m-%d} {clock}", tz).astimezone(UTC)
                    == wall_instants(wall, tz)[0]
                )
        wall += timedelta(minutes=15)


def test_a_gap_is_explained() -> None:
    with pytest.raises(InvalidInput) as caught:
        local_instant("2026-03-29 02:30", BERLIN, field="start")
    assert str(caught.value) == (
        "start: 02:30 does not exist on 2026-03-29 in Europe/Berlin: clocks jump 02:00 -> 03:00. "
        "Write 03:30 or give an offset."
    )


def test_a_fold_is_explained() -> None:
    with pytest.raises(InvalidInput) as caught:
        local_instant("2026-10-25 02:30", BERLIN, field="end")
    assert str(caught.value) == (
        "end: 02:30 happens twice on 2026-10-25 in Europe/Berlin. "
        "Add +02:00 for the first or +01:00 for the second."
    )


def test_half_an_hour_on_lord_howe() -> None:
    with pytest.raises(InvalidInput, match="clocks jump 02:00 -> 02:30"):
        local_instant("2026-10-04 02:15", ZoneInfo("Australia/Lord_Howe"))


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-01 08:00",
        "2026-12-01T08:00",
        "2026-12-01T08:00:00",
        "2026/12/1 8:00",
        " 2026-12-01 08:00 ",
        "２０２６-12-01　08：00",
        "2026-12-01T08:00+01:00",
        "2026-12-01 08:00+0100",
        "2026-12-01T07:00Z",
        "2026-12-01 15:00 +08:00",
    ],
)
def test_ways_to_write_the_same_instant(text: str) -> None:
    assert local_instant(text, BERLIN) == datetime(2026, 12, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-12-01",
        "08:00",
        "01.12.2026 08:00",
        "2026-13-01 08:00",
        "2026-02-30 08:00",
        "2026-12-01 24:00",
        "2026-12-01 08:60",
        "2026-12-01 08:00+25:00",
        "2026-12-01 08:00 CET",
        "2026-W49-2 08:00",
        "0000-01-01 00:00",
        "0001-01-01 00:00",
        "9999-12-31 23:59-11:00",
    ],
)
def test_what_cannot_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^start: ") as caught:
        local_instant(text, BERLIN if text[:4] != "9999" else ZoneInfo("Pacific/Kiritimati"), field="start")
    assert "2026-12-01 08:00" in caught.value.remedy


@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_text_is_more_than_refused(text: str) -> None:
    try:
        assert local_instant(text, BERLIN).utcoffset() is not None
    except InvalidInput as error:
        assert error.remedy


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("2026-12-01 08:00", "2026-12-01 07:00", "end: .* before or when it starts"),
        ("2026-12-01 08:00", "2026-12-01 08:00", "end: .* before or when it starts"),
        ("2026-10-01 08:00", "2026-12-01 08:00", "start: .* in the past"),
        ("2026-12-01 08:00", "2027-01-01 08:01", "longer than 31 days"),
        ("2062-12-01 08:00", "2062-12-01 09:00", "Check the year"),
    ],
)
def test_windows_that_are_none(start: str, end: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        check_window(local_instant(start, BERLIN), local_instant(end, BERLIN), NOW)


def test_a_window_of_an_hour_that_the_wall_clock_shows_as_none() -> None:
    """From the first 02:30 to the second: the wall clock shows no time between, an hour passes."""
    now = datetime(2026, 10, 1, tzinfo=UTC)
    first = local_instant("2026-10-25 02:30", BERLIN, "first")
    second = local_instant("2026-10-25 02:30", BERLIN, "second")
    check_window(first, second, now)
    with pytest.raises(InvalidInput):
        check_window(second, first, now)


def test_a_naive_time_is_a_defect_of_the_caller() -> None:
    with pytest.raises(ValueError, match="aware"):
        check_window(datetime(2026, 12, 1), datetime(2026, 12, 2), NOW)
