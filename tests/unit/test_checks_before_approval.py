"""The checks as pure functions: windows that touch, both feeds of a site, the third time, protected days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from outage_notify.domain import checks
from outage_notify.domain.audience import Feed, Tier
from outage_notify.domain.checks import CheckKind, Limits, Other, Plan, ProtectedDate, Weight

START = datetime(2026, 6, 1, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def plan(
    hour: float = 0, hours: float = 4, lost: str = "load:1", dark: frozenset[int] = frozenset({1})
) -> Plan:
    start = START + timedelta(hours=hour)
    return Plan(start, start + timedelta(hours=hours), frozenset(lost.split()), dark)


def other(
    name: str = "B", hour: float = 0, hours: float = 4, lost: str = "load:2", draft: bool = False
) -> Other:
    start = START + timedelta(hours=hour)
    return Other(name, start, start + timedelta(hours=hours), frozenset(lost.split()), draft)


def feed(number: int, element: str, site: int = 1, tier: Tier = Tier.FIRST) -> Feed:
    return Feed(number, site, site, element, tier)


HOSPITAL = (feed(1, "load:1"), feed(2, "load:2"))


def test_windows_that_touch_at_an_end_do_not_overlap() -> None:
    dark = {"B": {1}}
    assert checks.overlaps(plan(), [other(hour=4)], dark)[0].kind is CheckKind.MERGE
    found = checks.overlaps(plan(), [other(hour=3.9)], dark)[0]
    assert (found.kind, found.weight, found.customers) == (CheckKind.OVERLAP, Weight.OVERRIDE, 1)
    assert checks.overlaps(plan(), [other(draft=True)], dark)[0].weight is Weight.ADVICE
    assert checks.overlaps(plan(), [other()], {"B": {2}}) == []


def test_two_outages_at_once_that_take_both_feeds_are_stopped() -> None:
    found = checks.both_feeds(plan(), [other()], HOSPITAL)
    assert [(one.weight, one.references, one.people) for one in found] == [(Weight.STOP, ("B",), (1,))]
    assert checks.both_feeds(plan(), [other(hour=4)], HOSPITAL) == []
    assert checks.both_feeds(plan(), [other(draft=True)], HOSPITAL) == []


def test_what_one_outage_takes_alone_is_not_blamed_on_two() -> None:
    assert checks.both_feeds(plan(lost="load:1 load:2"), [other()], HOSPITAL) == []
    assert checks.both_feeds(plan(lost="load:1"), [other(lost="load:1 load:2")], HOSPITAL) == []


def test_only_key_customers_and_their_own_site_count() -> None:
    shop = (feed(1, "load:1", tier=Tier.GENERAL), feed(2, "load:2", tier=Tier.GENERAL))
    two_sites = (feed(1, "load:1", site=1), feed(2, "load:2", site=2))
    assert checks.both_feeds(plan(), [other()], shop) == []
    assert checks.both_feeds(plan(), [other()], two_sites) == []


def test_three_feeds_need_all_three_out_at_one_moment() -> None:
    three = (*HOSPITAL, feed(3, "load:3"))
    early, late = other("B", -3, 4, "load:2"), other("C", 0.5, 2, "load:3")
    assert checks.both_feeds(plan(), [early, late], three)[0].references == ("B", "C")
    assert checks.both_feeds(plan(), [early, other("C", 1, 2, "load:3")], three) == []


def test_a_feed_that_only_falls_when_both_are_switched_counts_too() -> None:
    together = {frozenset({"B"}): frozenset({"load:1", "load:2"})}
    assert checks.both_feeds(plan(), [other(lost="load:9")], HOSPITAL, together)[0].references == ("B",)


def test_the_third_time_in_sixty_days_counts_the_customers_hit() -> None:
    limits = Limits()
    before, after = other("B", -24 * 30), other("C", 24 * 20)
    dark = {"B": {1, 2}, "C": {1, 3}}
    found = checks.repeated(plan(dark=frozenset({1, 2, 3})), [before, after], dark, limits)
    assert [(one.customers, one.references) for one in found] == [(1, ("B", "C"))]
    apart = other("C", 24 * 31)
    assert checks.repeated(plan(), [before, apart], {"B": {1}, "C": {1}}, limits) == []
    exactly = other("C", 24 * 30)
    assert checks.repeated(plan(), [before, exactly], {"B": {1}, "C": {1}}, limits) != []


@given(st.lists(st.integers(-70, 70), max_size=6))
def test_repetition_agrees_with_counting_every_span(days: list[int]) -> None:
    limits = Limits()
    others = [other(f"O{place}", 24 * day) for place, day in enumerate(days)]
    found = checks.repeated(plan(), others, {one.reference: {1} for one in others}, limits)
    starts = [0, *days]
    spans = range(-60, 1)
    brute = any(sum(first <= day <= first + 60 for day in starts) >= 3 for first in spans)
    assert bool(found) == brute


def test_a_protected_day_is_that_of_the_place() -> None:
    exam = [ProtectedDate("高考", date(2026, 6, 1), date(2026, 6, 1))]
    assert checks.protected(plan(hour=15, hours=1), exam, SHANGHAI)[0].names == ("高考",)
    assert checks.protected(plan(hour=16, hours=1), exam, SHANGHAI) == []  # midnight there
    assert checks.protected(plan(hour=-17, hours=1), exam, SHANGHAI) == []  # ends at midnight


def test_length_has_a_limit_only_where_a_policy_names_one() -> None:
    assert checks.too_long(plan(hours=100), Limits()) == []
    eight = Limits(longest=timedelta(hours=8), longest_article="Art. 51")
    assert checks.too_long(plan(hours=8), eight) == []
    assert "Art. 51" in checks.too_long(plan(hours=8.1), eight)[0].sentence


def test_the_gravest_comes_first_and_each_has_a_sentence_and_a_key() -> None:
    found = checks.in_order(
        [
            *checks.no_contact(2),
            *checks.overlaps(plan(), [other()], {"B": {1}}),
            *checks.both_feeds(plan(), [other()], HOSPITAL),
        ]
    )
    assert [one.weight for one in found] == [Weight.STOP, Weight.OVERRIDE, Weight.ADVICE]
    assert all(one.sentence.endswith(".") for one in found)
    assert [one.key for one in checks.to_override(found)] == ["overlap:B"]
    assert checks.to_override(found, {"overlap:B"}) == []
