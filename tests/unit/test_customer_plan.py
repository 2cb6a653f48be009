"""What a customer's plan says against a window."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outage_notify.domain.customer_plan import Backup, CustomerPlan
from outage_notify.domain.errors import InvalidInput

ZONE = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, tzinfo=ZONE)
HOUR = timedelta(hours=1)


def hurts(line: str, start: datetime, hours: float) -> bool:
    return CustomerPlan(critical=(line,)).hurt(start, start + hours * HOUR, ZONE) == (line,)


@pytest.mark.parametrize(
    ("line", "start", "hours", "hurt"),
    [
        ("mon-fri 08:00-18:00 surgery", MONDAY + 9 * HOUR, 1, True),
        ("mon-fri 08:00-18:00 surgery", MONDAY + 18 * HOUR, 3, False),
        ("mon-fri 08:00-18:00", MONDAY + 6 * HOUR, 2, False),
        ("sat,sun 08:00-18:00", MONDAY + 9 * HOUR, 24, False),
        ("sat-mon 08:00-18:00", MONDAY + 9 * HOUR, 1, True),
        ("周六、周日 08:00-18:00 门诊", MONDAY + timedelta(days=5, hours=9), 1, True),
        ("周一至周五 08:00-18:00 手术", MONDAY + timedelta(days=5, hours=9), 1, False),
        ("每天 22:00-06:00 抽水", MONDAY + 5 * HOUR, 0.5, True),
        ("sun 22:00-06:00", MONDAY + 5 * HOUR, 0.5, True),
        ("mon 22:00-06:00", MONDAY + 5 * HOUR, 0.5, False),
        ("2026-06-07 08:00-18:00 examination", datetime(2026, 6, 7, 12, tzinfo=ZONE), 1, True),
        ("2026-06-07 08:00-18:00 examination", datetime(2026, 6, 8, 12, tzinfo=ZONE), 1, False),
    ],
)
def test_a_critical_time_is_hurt_when_the_window_touches_it(
    line: str, start: datetime, hours: float, hurt: bool
) -> None:
    assert hurts(line, start, hours) is hurt
    assert CustomerPlan(critical=(line,)).hurt(
        start.astimezone(UTC), (start + hours * HOUR).astimezone(UTC), ZONE
    ) == ((line,) if hurt else ())


@pytest.mark.parametrize(
    "line", ["always", "mon 8-18", "mon 25:00-26:00", "funday 08:00-09:00", "2026-13-01 08:00-09:00", "-"]
)
def test_a_line_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        CustomerPlan(critical=(line,))


def test_contract_notice_and_backup_are_held_against_the_window() -> None:
    plan = CustomerPlan(Backup.GENERATOR, 400, 8, date(2026, 1, 1), minimum_notice_hours=72)
    assert plan.too_short(MONDAY, MONDAY - 71 * HOUR)
    assert not plan.too_short(MONDAY, MONDAY - 72 * HOUR)
    assert plan.outlasts(MONDAY, MONDAY + 8 * HOUR)
    assert not plan.outlasts(MONDAY, MONDAY + 9 * HOUR)
    assert CustomerPlan().outlasts(MONDAY, MONDAY + 9 * HOUR)


@pytest.mark.parametrize(
    ("backup", "tested", "old"),
    [
        (Backup.GENERATOR, date(2025, 3, 2), False),
        (Backup.GENERATOR, date(2025, 3, 1), True),
        (Backup.UPS, None, True),
        (Backup.NONE, None, False),
        (Backup.SECOND_FEED, None, False),
    ],
)
def test_a_backup_wants_a_test_in_the_year_before(backup: Backup, tested: date | None, old: bool) -> None:
    plan = CustomerPlan(backup, backup_tested=tested)
    assert plan.untested(MONDAY, ZONE) is old
    assert plan.untested(MONDAY.astimezone(UTC), ZONE) is old, "by the calendar of the place"


@pytest.mark.parametrize(
    "bad",
    [
        {"backup_kw": -1},
        {"backup_hours": float("nan")},
        {"minimum_notice_hours": -1},
        {"contacts": ("x" * 301,)},
        {"notes": ("a\x00b",)},
        {"contacts": ("x",) * 41},
    ],
)
def test_what_makes_no_sense_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        CustomerPlan(**bad)  # type: ignore[arg-type]


@given(
    st.builds(
        CustomerPlan,
        backup=st.sampled_from(Backup),
        backup_kw=st.floats(0, 1e6),
        backup_tested=st.none() | st.dates(),
        minimum_notice_hours=st.integers(0, 8760),
        critical=st.just(("daily 08:00-09:00",)) | st.just(()),
    )
)
def test_it_is_read_as_it_was_written(plan: CustomerPlan) -> None:
    assert CustomerPlan.from_dict(plan.to_dict()) == plan
