"""When a notice is sent: margins, nights, late approvals, news of the hour."""

# Hypothesis wants naive bounds, and a wall clock has no zone.
# ruff: noqa: DTZ001

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.model import Channel
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.policy import Policy
from outage_notify.policies import available, load_policy

CN = load_policy("cn")
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
policies = st.sampled_from(available()).map(load_policy)
planned = st.sampled_from([NoticeKind.SEVEN_DAY, NoticeKind.DAY_AHEAD])
zones = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"]).map(
    ZoneInfo
)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("notice", "deadline", "now", "due"),
    [
        # A day of margin before the seven.
        (NoticeKind.SEVEN_DAY, "2026-11-24 09:00", "2026-11-10 12:00", "2026-11-23 09:00"),
        # Two hours before the deadline is six in the morning: the evening before.
        (NoticeKind.DAY_AHEAD, "2026-11-30 08:00", "2026-11-10 12:00", "2026-11-29 20:00"),
        (NoticeKind.DAY_AHEAD, "2026-11-30 10:00", "2026-11-10 12:00", "2026-11-30 08:00"),
        # The margin is used up, the day is not: now.
        (NoticeKind.SEVEN_DAY, "2026-11-24 09:00", "2026-11-23 15:00", "2026-11-23 15:00"),
        # Approved at night, and the morning is soon enough.
        (NoticeKind.SEVEN_DAY, "2026-11-24 12:00", "2026-11-23 23:00", "2026-11-24 08:00"),
        # Approved at night, and the morning would leave less than an hour for the wave.
        (NoticeKind.SEVEN_DAY, "2026-11-24 08:30", "2026-11-23 23:00", "2026-11-23 23:00"),
    ],
)
def test_when_a_planned_notice_is_due(notice: NoticeKind, deadline: str, now: str, due: str) -> None:
    assert CN.due_at(notice, _at(deadline), _at(now), SHANGHAI) == _at(due)


def test_a_letter_is_due_earlier_and_at_any_hour() -> None:
    au = load_policy("au")
    due = au.due_at(
        NoticeKind.SEVEN_DAY, _at("2026-11-24 03:00"), _at("2026-11-01 12:00"), SHANGHAI, Channel.LETTER
    )
    assert due == _at("2026-11-17 03:00")


@settings(deadline=None)
@given(policies, planned, instants, instants, zones)
def test_nobody_is_told_after_the_deadline_who_could_be_told_before(
    policy: Policy, notice: NoticeKind, deadline: datetime, now: datetime, tz: ZoneInfo
) -> None:
    due = policy.due_at(notice, deadline, now, tz)
    assert due >= now
    if now <= deadline:
        assert due <= deadline
    if policy.quiet_hours.is_quiet(due, tz):
        assert due == now, "only what cannot wait goes out at night"
        assert policy.quiet_hours.quiet_end(now, tz) > deadline - policy.wave_margin


def test_a_second_notice_right_after_the_first_is_redundant() -> None:
    now = _at("2026-12-01 10:00")
    assert CN.redundant(now, now)
    assert not CN.redundant(now, now + timedelta(days=6))


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL, Channel.LETTER])
def test_news_of_the_hour_goes_at_once_in_writing(channel: Channel) -> None:
    assert CN.immediate_due(channel, False, _at("2026-12-01 02:00"), SHANGHAI) == _at("2026-12-01 02:00")


def test_a_call_waits_for_the_morning_except_to_key_customers() -> None:
    night = _at("2026-12-01 02:00")
    assert CN.immediate_due(Channel.VOICE, False, night, SHANGHAI) == _at("2026-12-01 08:00")
    assert CN.immediate_due(Channel.VOICE, True, night, SHANGHAI) == night
    assert CN.immediate_due(Channel.VOICE, False, _at("2026-12-01 12:00"), SHANGHAI) == _at(
        "2026-12-01 12:00"
    )


@pytest.mark.parametrize(
    ("old", "new", "late"),
    [
        ("2026-12-03 01:59", None, True),
        ("2026-12-03 02:01", None, False),
        ("2026-12-20 08:00", "2026-12-02 08:00", True),
        ("2026-12-20 08:00", "2026-12-21 08:00", False),
    ],
)
def test_a_change_is_late_by_the_nearer_start(old: str, new: str | None, late: bool) -> None:
    night = _at("2026-12-01 02:00")
    new_start = _at(new) if new else None
    assert CN.change_is_late(night, _at(old), new_start) is late
    due = CN.change_due(Channel.SMS, False, night, SHANGHAI, old_start=_at(old), new_start=new_start)
    assert due == (night if late else _at("2026-12-01 08:00"))
    call = CN.change_due(Channel.VOICE, False, night, SHANGHAI, old_start=_at(old), new_start=new_start)
    assert call == _at("2026-12-01 08:00")


def test_a_change_does_not_sleep_through_the_deadline_of_the_new_date() -> None:
    night, far = _at("2026-12-01 02:00"), _at("2026-12-08 07:30")
    due = CN.change_due(
        Channel.SMS, False, night, SHANGHAI, old_start=far, new_start=far, deadline=far - timedelta(days=7)
    )
    assert due == night


def test_an_escalation_step_keeps_out_of_the_night() -> None:
    asked, start = _at("2026-12-01 22:30"), _at("2026-12-10 08:00")
    assert CN.step_due(asked, start, 0, SHANGHAI) == _at("2026-12-02 20:00")
    # Too soon after the request to be moved before it: the morning.
    assert CN.step_due(asked, asked + 30 * HOUR, 0, SHANGHAI) == _at("2026-12-02 08:00")
    # The start does not leave a morning.
    assert CN.step_due(asked, asked + 5 * HOUR, 0, SHANGHAI) == asked + HOUR


@settings(deadline=None)
@given(policies, instants, st.timedeltas(timedelta(0), timedelta(days=20)), zones)
def test_escalation_steps_lie_between_request_and_start(
    policy: Policy, asked: datetime, left: timedelta, tz: ZoneInfo
) -> None:
    due = [policy.step_due(asked, asked + left, number, tz) for number in range(len(policy.escalation.steps))]
    assert all(asked <= one <= asked + left for one in due)
    assert due == sorted(due)


def test_who_hears_the_news() -> None:
    assert CN.told_of(NoticeKind.STARTED, key=True) and not CN.told_of(NoticeKind.STARTED, key=False)
    assert CN.told_of(NoticeKind.RESTORED, key=False) and CN.told_of(NoticeKind.CHANGED, key=False)
