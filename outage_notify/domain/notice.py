"""What is told: kinds of notices and their nature.

A notice is (outage, revision, kind, serial). The calendar feed is publication
and never counts as having told somebody.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from outage_notify.domain.outage import OutageState


class NoticeKind(StrEnum):
    SEVEN_DAY = "SEVEN_DAY"
    DAY_AHEAD = "DAY_AHEAD"
    CHANGED = "CHANGED"
    CANCELLED = "CANCELLED"
    STARTED = "STARTED"
    OVERRUN = "OVERRUN"
    RESTORED = "RESTORED"
    REMINDER = "REMINDER"
    AGAIN = "AGAIN"  # a step of the utility's own between the two; its serial is the number of the step
    FOLLOWERS = "FOLLOWERS"  # news to strangers who asked for it; no duty, and nobody counts as told by it
    INVITATION = (
        "INVITATION"  # the calendar entry alone, to mailboxes that wish it and that the ladder passes over
    )
    INVITATION_CANCELLED = "INVITATION_CANCELLED"
    PASSED_ON = "PASSED_ON"  # a customer's person hands the link to answer on to a colleague, by us


# Notices that announce a coming window: whoever got one of them has been told of it.
ANNOUNCEMENTS = frozenset({NoticeKind.SEVEN_DAY, NoticeKind.AGAIN, NoticeKind.DAY_AHEAD, NoticeKind.CHANGED})

# Entries for calendars.
INVITATIONS = frozenset({NoticeKind.INVITATION, NoticeKind.INVITATION_CANCELLED})

# Beside the notice, never the notice itself: who gets one of these has not been told, and no channel follows it.
BESIDE = INVITATIONS | {NoticeKind.PASSED_ON}

# What takes something back stays true whatever becomes of the outage.
TAKEN_BACK = frozenset({NoticeKind.CANCELLED, NoticeKind.INVITATION_CANCELLED})

# News of the hour: sent at once by SMS and e-mail, voice waits out the quiet hours except for key customers.
IMMEDIATE = frozenset(
    {
        NoticeKind.CHANGED,
        NoticeKind.CANCELLED,
        NoticeKind.STARTED,
        NoticeKind.OVERRUN,
        NoticeKind.RESTORED,
    }
)

# Notices whose text a key customer signs.
SIGNED = ANNOUNCEMENTS | {NoticeKind.REMINDER}

# In which states of its outage a notice of a kind says something true. A part of the audience is
# told CANCELLED when a revision spares it, so that one stays true whatever becomes of the outage.
TRUE_WHILE: Mapping[NoticeKind, frozenset[OutageState]] = {
    NoticeKind.SEVEN_DAY: frozenset({OutageState.APPROVED}),
    NoticeKind.AGAIN: frozenset({OutageState.APPROVED}),
    NoticeKind.DAY_AHEAD: frozenset({OutageState.APPROVED}),
    NoticeKind.CHANGED: frozenset({OutageState.APPROVED}),
    NoticeKind.REMINDER: frozenset({OutageState.APPROVED}),
    NoticeKind.CANCELLED: frozenset(OutageState),
    NoticeKind.STARTED: frozenset({OutageState.ACTIVE}),
    NoticeKind.OVERRUN: frozenset({OutageState.ACTIVE}),
    NoticeKind.RESTORED: frozenset({OutageState.COMPLETED}),
    # It says which step it tells of; a newer step withdraws or follows it.
    NoticeKind.FOLLOWERS: frozenset(OutageState),
    NoticeKind.INVITATION: frozenset({OutageState.APPROVED}),
    NoticeKind.INVITATION_CANCELLED: frozenset(OutageState),
    # As long as an answer is taken.
    NoticeKind.PASSED_ON: frozenset({OutageState.APPROVED, OutageState.ACTIVE}),
}


def still_true(kind: NoticeKind, revision: int, state: OutageState, standing: int) -> bool:
    """Whether a notice of a revision may still go out, given the outage's state and standing revision."""
    return revision >= standing and state in TRUE_WHILE[kind]
