"""What a policy asks to be announced, and which records meet it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.papers import PUBLIC, Paper
from outage_notify.domain.announcement import PUBLIC_MEDIA, DutyState, Medium, Said, announcement_duties
from outage_notify.domain.outage import OutageKind
from outage_notify.domain.place import street_words
from outage_notify.policies import load_policy

TZ = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 3, 20, 9, tzinfo=TZ)
DEADLINE = START - timedelta(days=7)
CN = load_policy("cn")


def state(*said: Said, now: datetime = START, policy: object = CN) -> list[DutyState]:
    found = announcement_duties(policy, OutageKind.PLANNED, START, TZ, {"all"}, said, now)  # type: ignore[arg-type]
    return [one.state for one in found]


def said(hours_before: float, medium: Medium = Medium.WEBSITE, paper: Paper = Paper.MEDIA) -> Said:
    return Said(paper, medium, DEADLINE - timedelta(hours=hours_before))


def test_a_duty_is_open_until_its_deadline_and_late_after_it() -> None:
    (duty,) = announcement_duties(CN, OutageKind.PLANNED, START, TZ, {"all"}, [], DEADLINE)
    assert duty.rule.id == "cn.house.announcement"
    assert duty.state is DutyState.OPEN and duty.deadline <= DEADLINE
    assert state(now=START) == [DutyState.LATE]


def test_no_law_asks_to_announce_a_fault() -> None:
    assert announcement_duties(CN, OutageKind.FAULT, START, TZ, {"all"}, [], START) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(Paper)),
            st.sampled_from(sorted(Medium)),
            st.floats(min_value=-100, max_value=100).filter(lambda hours: abs(hours) > 25),
        ),
        max_size=5,
    )
)
def test_a_public_paper_by_a_public_medium_in_time_meets_it_and_nothing_else(
    entries: list[tuple[Paper, Medium, float]],
) -> None:
    records = [said(hours, medium, paper) for paper, medium, hours in entries]
    met = any(paper in PUBLIC and medium in PUBLIC_MEDIA and hours > 0 for paper, medium, hours in entries)
    assert state(*records) == [DutyState.MET if met else DutyState.LATE]


def test_a_policy_may_ask_for_media_by_name() -> None:
    rule = next(one for one in CN.rules if one.id == "cn.house.announcement")
    strict = replace(rule, id="sh", channels_all=("website", "city_media"))
    policy = replace(CN, rules=(strict,))
    assert state(said(30), policy=policy) == [DutyState.LATE, DutyState.MET]
    assert state(said(30), said(30, Medium.RADIO), policy=policy) == [DutyState.MET, DutyState.MET]
    either = replace(rule, id="sh", channels_all=(), channels_any=(("website",), ("newspaper", "radio")))
    policy = replace(CN, rules=(either,))
    assert state(said(30), policy=policy) == [DutyState.MET]
    assert state(said(30, Medium.NEWSPAPER), policy=policy) == [DutyState.LATE]
    by_letter = replace(rule, id="sh", channels_all=(), channels_any=(("website",), ("letter",)))
    assert state(policy=replace(CN, rules=(by_letter,))) == []


@pytest.mark.parametrize(
    ("place", "street"),
    [
        ("Kiefernweg 12a", "Kiefernweg"),
        ("5 North Street", "North Street"),
        ("12-14 High Street", "High Street"),
        ("北街 3-1 号", "北街"),
        ("阳光小区5栋2单元", "阳光小区"),
        ("滨河路三号", "滨河路"),
        ("Flat 1, Ahornweg 40, Schutterwald", "Ahornweg"),
        ("Clinic, feed A, Lerchenweg 3, Schutterwald", "Lerchenweg"),
        ("Kreuzstraße 28, flat 1", "Kreuzstraße"),
        ("St. Elisabeth Hospital", ""),
        ("Villa Anna", ""),
        ("12", ""),
        ("", ""),
    ],
)
def test_a_street_has_no_number_and_a_name_alone_is_no_street(place: str, street: str) -> None:
    assert street_words(place) == street


@given(st.text(max_size=60))
def test_no_number_of_a_house_comes_through(place: str) -> None:
    assert not any(letter.isdigit() and letter.isascii() for letter in street_words(place))
