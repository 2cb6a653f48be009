"""The nouns of a policy: classes of customers, rules with their article, duties and faults of lead.

Plain data; the questions put to them are in `policy`, which hands these names on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from channels.model import Channel
from outage_notify.domain.audience import Tier, is_key
from outage_notify.domain.deadlines import Lead
from outage_notify.domain.delivery import TOLD, DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind


class CustomerClass(StrEnum):
    """To whom a rule or a ladder applies. A customer is in several; everybody is in ALL."""

    ALL = "all"
    KEY = "key"
    LIFE_SUPPORT = "life_support"
    VULNERABLE = "vulnerable"
    SPECIAL = "special"
    FIRST = "first"
    SECOND = "second"
    TEMPORARY = "temporary"
    GENERAL = "general"
    LOW_VOLTAGE = "low_voltage"


# How special a class is; a single tier counts more than KEY, which holds several.
_SPECIALITY = {
    CustomerClass.ALL: 0,
    CustomerClass.VULNERABLE: 1,
    CustomerClass.KEY: 1,
    CustomerClass.LIFE_SUPPORT: 3,
}


class Reach(StrEnum):
    ALL = "all"
    KEY = "key"
    NONE = "none"

    def includes(self, key: bool) -> bool:
        return self is Reach.ALL or (self is Reach.KEY and key)


def classes_of(tier: Tier, life_support: bool = False, vulnerable: bool = False) -> frozenset[CustomerClass]:
    """Every class that a customer is in."""
    found = {CustomerClass.ALL, CustomerClass(tier.value.lower())}
    if is_key(tier, life_support):
        found.add(CustomerClass.KEY)
    if life_support:
        found.add(CustomerClass.LIFE_SUPPORT)
    if vulnerable:
        found.add(CustomerClass.VULNERABLE)
    return frozenset(found)


@dataclass(frozen=True)
class Rule:
    """One rule: a law's or a regulator's, or a utility's own (`basis` house). `duty` False: good practice.

    `channels_all` and the groups of `channels_any` hold channel values and words for publication
    (`public_announcement`, `city_media`); one of the groups is enough. `grade` says how far `article` was
    checked: A the primary text, B a secondary page, C unchecked, empty for good practice.
    """

    id: str
    applies_to: CustomerClass
    work: frozenset[OutageKind]
    notice: NoticeKind
    lead: Lead
    article: str
    grade: str = ""
    duty: bool = True
    basis: Literal["law", "house"] = "law"
    written: bool = False
    acknowledgement: Literal["required", "sought"] | None = None
    channels_any: tuple[tuple[str, ...], ...] = ()
    channels_all: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    liability: str = ""
    note: str = ""

    @property
    def verified(self) -> bool:
        """Whether the article was read somewhere; if not, whoever shows it says so."""
        return self.grade != "C"

    @property
    def rank(self) -> tuple[bool, int]:
        """Of rules with one deadline the highest is cited: law before house, special before general."""
        return self.basis == "law", _SPECIALITY.get(self.applies_to, 2)

    @property
    def met_by(self) -> DeliveryState:
        received = self.lead.count_from == "received"
        return DeliveryState.DELIVERED if received else DeliveryState.ACCEPTED


@dataclass(frozen=True)
class Duty:
    """What one customer is owed as one notice: the strictest of every rule that applies.

    `rule` is the one to cite, `rules` are all. `written_by`: channels that count as writing
    (empty unless `written`); `channels_all`: what has to be used whatever else is.
    """

    notice: NoticeKind
    deadline: datetime
    met_by: DeliveryState
    written: bool
    acknowledgement: bool
    rule: Rule
    duty: bool
    rules: tuple[Rule, ...] = ()
    written_by: frozenset[Channel] = frozenset()
    channels_all: frozenset[str] = frozenset()
    # The law's own deadline, where a step of the utility's brought `deadline` forward.
    by_law: datetime | None = None

    @property
    def lawful(self) -> datetime:
        """The latest moment that the law allows: what is judged too late is judged by this."""
        return self.by_law or self.deadline

    @property
    def written_rule(self) -> Rule | None:
        """The rule that asks for writing; named when it cannot be done."""
        return next((rule for rule in self.rules if rule.written), None)

    @property
    def acknowledgement_rule(self) -> Rule | None:
        """The rule that asks for an answer."""
        return next((rule for rule in self.rules if rule.acknowledgement is not None), None)

    def met(self, state: DeliveryState) -> bool:
        """Whether a delivery in this state meets the duty (its time and writing aside)."""
        return state is DeliveryState.DELIVERED if self.met_by is DeliveryState.DELIVERED else state in TOLD


@dataclass(frozen=True)
class LeadFault:
    """A rule that can no longer be kept. `earliest_start` (local) is the first that keeps this rule."""

    rule: Rule
    deadline: datetime
    earliest_start: datetime


@dataclass(frozen=True)
class ExceptionClause:
    """Whether a window too late for the law may be approved with a reason and a second person, and why."""

    permitted: bool = False
    article: str = ""
    grade: str = ""
