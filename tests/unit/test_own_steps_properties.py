"""A utility's own steps never weaken a law: whatever is laid over whichever policy, for whichever start."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outage_notify.domain.audience import Tier
from outage_notify.domain.calendar import DaysOff
from outage_notify.domain.deadlines import Lead, LeadUnit
from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind
from outage_notify.domain.own_steps import MOST_STEPS, OwnStep, brought_forward, check, due_steps
from outage_notify.domain.policy import CustomerClass, classes_of
from outage_notify.policies import available, load_policy

instants = st.datetimes(
    datetime(2025, 1, 1),  # noqa: DTZ001 - Hypothesis wants naive bounds
    datetime(2028, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
days = st.frozensets(st.dates(date(2024, 10, 1), date(2028, 3, 1)), max_size=40)
leads = st.one_of(
    st.builds(Lead, st.integers(1, 40), st.sampled_from([LeadUnit.CALENDAR_DAY, LeadUnit.BUSINESS_DAY])),
    st.builds(Lead, st.integers(1, 900), st.just(LeadUnit.HOUR)),
)
step_sets = st.lists(
    st.tuples(
        st.sampled_from(list(CustomerClass)),
        st.frozensets(st.sampled_from(list(OutageKind)), min_size=1),
        leads,
    ),
    max_size=6,
).map(lambda lines: tuple(OwnStep(number, *line) for number, line in enumerate(lines, 1)))


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(available()),
    step_sets,
    st.sampled_from(list(OutageKind)),
    instants,
    st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=40))),
    st.sampled_from(list(Tier)),
    st.booleans(),
    st.booleans(),
    days,
    days,
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe"]).map(ZoneInfo),
)
def test_no_steps_ever_weaken_what_is_owed(
    name: str,
    steps: tuple[OwnStep, ...],
    kind: OutageKind,
    start: datetime,
    before: timedelta | None,
    tier: Tier,
    life_support: bool,
    vulnerable: bool,
    off: frozenset[date],
    worked: frozenset[date],
    tz: ZoneInfo,
) -> None:
    policy, holidays = load_policy(name), DaysOff.of(off, worked)
    now = None if before is None else start - before
    law = policy.duties(
        kind, start, tz, tier=tier, life_support=life_support, vulnerable=vulnerable, holidays=holidays
    )
    mine = classes_of(tier, life_support, vulnerable)
    asked = due_steps(steps, kind, mine, start, tz, holidays)
    duties, further = brought_forward(law, asked, now)
    # Not one duty fewer, none later, none with less to it.
    owed = {one.notice: one for one in duties}
    assert set(owed) == {one.notice for one in law} and len(duties) == len(law)
    for one in law:
        found = owed[one.notice]
        assert found.deadline <= one.deadline
        assert (found.rule, found.rules, found.duty, found.written, found.met_by) == (
            one.rule,
            one.rules,
            one.duty,
            one.written,
            one.met_by,
        )
        assert (found.acknowledgement, found.channels_all) == (one.acknowledgement, one.channels_all)
        # Never brought forward into the past, where it would count as missed.
        assert found.deadline == one.deadline or now is None or found.deadline > now
    # Each step for this customer is a notice of its own, brings the first one forward, or is past.
    ahead = [one for one in asked if now is None or one.deadline > now]
    first = owed.get(NoticeKind.SEVEN_DAY)
    assert {one.deadline for one in ahead} <= {one.deadline for one in further} | (
        {first.deadline} if first else set()
    )
    assert [one.deadline for one in further] == sorted(one.deadline for one in further)


PLANNED = frozenset({OutageKind.PLANNED})


def step(value: int, unit: LeadUnit = LeadUnit.CALENDAR_DAY, number: int = 1) -> OwnStep:
    return OwnStep(number, CustomerClass.ALL, PLANNED, Lead(value, unit))


def test_what_the_law_asks_for_already_is_refused_with_its_article() -> None:
    with pytest.raises(InvalidInput, match="第二十八条"):
        check(load_policy("cn").rules, [step(7)])
    check(load_policy("cn").rules, [step(12), step(9, number=2), step(5, number=3)])


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([step(61)], "too far ahead"),
        ([step(12), step(12, number=2)], "twice"),
        ([step(20 + n, number=n) for n in range(1, MOST_STEPS + 2)], "At most"),
        ([OwnStep(1, CustomerClass.ALL, frozenset(), Lead(9, LeadUnit.CALENDAR_DAY))], "no kind of work"),
    ],
)
def test_sets_that_can_not_be_meant_are_refused(steps: list[OwnStep], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        check(load_policy("gb").rules, steps)
