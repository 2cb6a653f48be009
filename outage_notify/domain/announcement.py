"""Announcing to everybody: by which media, and whether what a law asks for was done in time.

Pure. A rule of the policy may name words for publication among its channels
(`public_announcement`, `city_media`); a record of an announcement meets such a word by its medium and
time. A record counts for the window and area it was made for: a moved window is announced anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from channels.papers import PUBLIC, Paper
from outage_notify.domain import deadlines
from outage_notify.domain.outage import OutageKind
from outage_notify.domain.policy import Policy
from outage_notify.domain.rules import CustomerClass, Rule


class Medium(StrEnum):
    WEBSITE = "website"
    APP = "app"
    SOCIAL = "social"
    NEWSPAPER = "newspaper"
    RADIO = "radio"
    TELEVISION = "television"
    BOARD = "board"  # put up where people live
    SYSTEM = "system"  # the hotline's own
    EMAIL = "email"
    POST = "post"
    HAND = "hand"


PUBLIC_MEDIA = frozenset(
    {
        Medium.WEBSITE,
        Medium.APP,
        Medium.SOCIAL,
        Medium.NEWSPAPER,
        Medium.RADIO,
        Medium.TELEVISION,
        Medium.BOARD,
    }
)
# What a word of a policy is met by.
WORDS: dict[str, AbstractSet[Medium]] = {
    "public_announcement": PUBLIC_MEDIA,
    "city_media": frozenset({Medium.NEWSPAPER, Medium.RADIO, Medium.TELEVISION}),
    **{one.value: frozenset({one}) for one in PUBLIC_MEDIA},
}


@dataclass(frozen=True)
class Said:
    """A record that counts: what was announced, by which medium, when."""

    paper: Paper
    medium: Medium
    at: datetime


class DutyState(StrEnum):
    MET = "met"
    OPEN = "open"
    LATE = "late"  # the deadline has passed without a record in time


@dataclass(frozen=True)
class AnnouncementDuty:
    """One word of one rule: by when, and whether it was done. `at`: the first record that meets it,
    even if that came too late."""

    rule: Rule
    word: str
    deadline: datetime
    state: DutyState
    at: datetime | None = None

    @property
    def sentence(self) -> str:
        """For commands and records; pages have words of their own."""
        return f"{self.rule.article}: {self.word} by {self.deadline:%Y-%m-%d %H:%M %z}"


def meets(word: str, said: Said) -> bool:
    """Whether one record meets one word: a public paper by a medium that the word stands for."""
    return said.paper in PUBLIC and said.medium in WORDS.get(word, frozenset())


def announcement_duties(
    policy: Policy,
    kind: OutageKind,
    start: datetime,
    tz: ZoneInfo,
    classes: Iterable[str],
    said: Sequence[Said],
    now: datetime,
    holidays: AbstractSet[date] = frozenset(),
) -> list[AnnouncementDuty]:
    """What the policy asks to be announced for work of this kind, in order of deadline.

    Of `channels_any` a group of publication words alone is asked for where no group is met by
    notices to each customer; the first such group stands for it.
    """
    found = []
    for rule in policy.rules_for(kind, {CustomerClass(one) for one in classes}):
        if not rule.duty:
            continue
        by = deadlines.deadline(rule.lead, start, tz, holidays).astimezone(tz)
        for word in _words(rule, said):
            when = min((one.at for one in said if meets(word, one)), default=None)
            if when is not None and deadlines.kept(rule.lead, when, start, tz, holidays):
                state = DutyState.MET
            else:
                state = DutyState.OPEN if now <= by and when is None else DutyState.LATE
            found.append(AnnouncementDuty(rule, word, by, state, when))
    return sorted(found, key=lambda one: (one.deadline, one.rule.id, one.word))


def _words(rule: Rule, said: Sequence[Said]) -> tuple[str, ...]:
    asked = tuple(word for word in rule.channels_all if word in WORDS)
    groups = rule.channels_any
    if not groups or any(not set(group) <= set(WORDS) for group in groups):
        return asked
    met = (group for group in groups if all(any(meets(word, one) for one in said) for word in group))
    return asked + next(met, groups[0])
