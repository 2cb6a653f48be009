"""What is told: kinds of notices and their nature.

A notice is (outage, revision, kind, serial). The calendar feed is publication
and never counts as having told somebody.
"""

from __future__ import annotations

from enum import StrEnum


class NoticeKind(StrEnum):
    SEVEN_DAY = "SEVEN_DAY"
    DAY_AHEAD = "DAY_AHEAD"
    CHANGED = "CHANGED"
    CANCELLED = "CANCELLED"
    STARTED = "STARTED"
    OVERRUN = "OVERRUN"
    RESTORED = "RESTORED"
    REMINDER = "REMINDER"


# Notices that announce a coming window: whoever got one of them has been told of it.
ANNOUNCEMENTS = frozenset({NoticeKind.SEVEN_DAY, NoticeKind.DAY_AHEAD, NoticeKind.CHANGED})

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
SIGNED = frozenset({NoticeKind.SEVEN_DAY, NoticeKind.CHANGED, NoticeKind.REMINDER, NoticeKind.DAY_AHEAD})
