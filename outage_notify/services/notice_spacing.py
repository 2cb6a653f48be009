"""Which of a person's planned notices are sent: two that would follow closely on each other are one.

What approval writes, what the preflight foresees and what the audit asks for is decided here, once for all three.
Leaves to `domain.policy` how close is too close, and to `schedule_notices` the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from channels.model import Channel
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.own_steps import StepDue
from outage_notify.services.runtime import Runtime
from outage_notify.services.whom_to_tell import Person

# When a notice of a kind with a deadline is sent by a channel.
Due = Callable[..., datetime]


def due_times(rt: Runtime, now: datetime, zone: ZoneInfo) -> Due:
    """`Policy.due_at` of one announcement: asked for each of many customers, worked out once for each answer."""

    @cache
    def due_at(kind: NoticeKind, deadline: datetime, channel: Channel | None = None) -> datetime:
        return rt.policy.due_at(kind, deadline, now, zone, channel)

    return due_at


def day_ahead_redundant(rt: Runtime, person: Person, due: Due) -> bool:
    """Whether the first notice follows so late that a second one would say it twice."""
    first = person.duties.get(NoticeKind.SEVEN_DAY)
    second = person.duties.get(NoticeKind.DAY_AHEAD)
    if first is None or second is None:
        return False
    return rt.policy.redundant(
        due(NoticeKind.SEVEN_DAY, first.deadline), due(NoticeKind.DAY_AHEAD, second.deadline)
    )


def steps_told(
    rt: Runtime, person: Person, due: Due, now: datetime, changed: bool = False
) -> tuple[StepDue, ...]:
    """The utility's own steps that a person is told of beside first notice and day-ahead notice.

    Whoever hears of the outage within the policy's `spacing` of a step anyway is spared it, and so is whoever it
    would reach too late. `changed`: told at `now` that the window is another one, which does for a first notice.
    """
    if not person.steps:
        return ()
    first, second = (person.duties.get(kind) for kind in (NoticeKind.SEVEN_DAY, NoticeKind.DAY_AHEAD))
    before = due(NoticeKind.SEVEN_DAY, first.deadline) if first is not None else None
    if changed:
        before = now
    after = due(NoticeKind.DAY_AHEAD, second.deadline) if second is not None else None

    def apart(at: datetime) -> bool:
        return not (
            (before is not None and rt.policy.redundant(before, at))
            or (after is not None and rt.policy.redundant(at, after))
        )

    ahead = (one for one in person.steps if one.deadline > now)
    return tuple(one for one in ahead if apart(due(NoticeKind.AGAIN, one.deadline)))
