"""What may stand in the way of a plan: other outages, protected dates, its length, missing contacts.

Pure functions from plain facts to findings. Each finding says what it rests on and how much it
weighs: a STOP nobody may pass, an OVERRIDE needs a reason from the planner and another from
the approver, ADVICE is shown. Leaves to `services.check_plan` where the facts come from, and
the lead that a law asks for to `policy.check_lead`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from outage_notify.domain.audience import Feed


class CheckKind(StrEnum):
    BOTH_FEEDS = "both_feeds"
    OVERLAP = "overlap"
    SWITCHING = "switching"
    REPEATED = "repeated"
    TOO_LONG = "too_long"
    PROTECTED = "protected"
    MERGE = "merge"
    NO_CONTACT = "no_contact"
    CRITICAL_TIME = "critical_time"
    CONTRACT_NOTICE = "contract_notice"
    SHORT_BACKUP = "short_backup"
    BACKUP_UNTESTED = "backup_untested"
    YEARLY = "yearly"
    NO_PLAN = "no_plan"
    LATE_WAVE = "late_wave"


class Weight(StrEnum):
    STOP = "stop"
    OVERRIDE = "override"
    ADVICE = "advice"


WEIGHT_ORDER: Mapping[Weight, int] = {weight: rank for rank, weight in enumerate(Weight)}


@dataclass(frozen=True)
class Limits:
    """What a policy allows beside leads. `times` in any `within`: that many outages of one customer are too many."""

    longest: timedelta | None = None
    longest_article: str = ""
    times: int = 3
    within: timedelta = timedelta(days=60)
    merge_within: timedelta = timedelta(days=14)
    # So many outages of one customer in a calendar year at most; an article that nobody has read only advises.
    yearly: int | None = None
    yearly_article: str = ""
    yearly_verified: bool = True
    # Whether a key customer has to have an emergency plan before its supply is cut.
    plan_required: bool = False


@dataclass(frozen=True)
class Finding:
    """One thing that stands in the way. `names` are people or dates to show on a page, never in a log."""

    kind: CheckKind
    weight: Weight
    references: tuple[str, ...] = ()
    customers: int = 0
    people: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    article: str = ""
    detail: str = ""

    @property
    def key(self) -> str:
        """Names the finding, whoever is counted in it: what was accepted stays accepted."""
        about = self.references or self.names
        return ":".join((self.kind.value, *about))

    @property
    def sentence(self) -> str:
        return _SENTENCES[self.kind](self)


@dataclass(frozen=True)
class Other:
    """Another outage: its window, the loads that it takes, and whether it is only a draft."""

    reference: str
    start: datetime
    end: datetime
    lost: frozenset[str]
    draft: bool = False
    over: bool = False  # it lies behind us: it counts as a repetition, nothing can be merged with it


@dataclass(frozen=True)
class ProtectedDate:
    """保电: a day or a span of days on which supply is to be kept, such as an examination."""

    name: str
    first: date
    last: date


@dataclass(frozen=True)
class Plan:
    """The plan that is checked."""

    start: datetime
    end: datetime
    lost: frozenset[str]
    dark: frozenset[int]  # customers who lose supply


def clash(plan: Plan, other: Other) -> bool:
    """Whether the two windows have a moment in common; one that ends as the other starts has none."""
    return plan.start < other.end and other.start < plan.end


def overlaps(plan: Plan, others: Iterable[Other], dark: Mapping[str, AbstractSet[int]]) -> list[Finding]:
    """Others that take the same customers: at the same time, or so near that one outage would do (一停多用).

    `dark`: customers without supply by reference of the other outage.
    """
    found = []
    for other in others:
        both = len(plan.dark & dark.get(other.reference, frozenset()))
        if not both or other.over:
            continue
        if clash(plan, other):
            weight = Weight.ADVICE if other.draft else Weight.OVERRIDE
            found.append(Finding(CheckKind.OVERLAP, weight, (other.reference,), both))
        else:
            found.append(Finding(CheckKind.MERGE, Weight.ADVICE, (other.reference,), both))
    return found


def near(plan: Plan, other: Other, within: timedelta) -> bool:
    """Whether two windows lie at most `within` apart."""
    return other.start - plan.end <= within and plan.start - other.end <= within


def both_feeds(
    plan: Plan,
    others: Sequence[Other],
    feeds: Iterable[Feed],
    together: Mapping[frozenset[str], AbstractSet[str]] | None = None,
) -> list[Finding]:
    """Key customers whose every feed is out at one moment, though no single outage takes them all.

    `feeds`: every feed of each site that the plan touches. `together`: loads that a set of others
    (by references) and the plan take when switched at once, where that is more than the sum.
    A hard stop: it is what a second feed is paid for.
    """
    mine = [other for other in others if clash(plan, other) and not other.draft]
    sites: dict[int, list[Feed]] = {}
    for feed in feeds:
        if feed.key:
            sites.setdefault(feed.site, []).append(feed)
    people: dict[int, set[str]] = {}
    for moment in sorted({plan.start, *(one.start for one in mine if one.start > plan.start)}):
        active = [one for one in mine if one.start <= moment < one.end]
        if not active:
            continue
        theirs = frozenset().union(*(one.lost for one in active))
        names = frozenset(one.reference for one in active)
        out = plan.lost | theirs | (together or {}).get(names, frozenset())
        for site in sites.values():
            elements = {feed.element for feed in site}
            alone = elements <= plan.lost or elements <= theirs
            if len(site) > 1 and elements <= out and not alone:
                blame = {one.reference for one in active if elements & one.lost} or set(names)
                people.setdefault(site[0].customer, set()).update(blame)
    if not people:
        return []
    references = tuple(sorted(set().union(*people.values())))
    return [Finding(CheckKind.BOTH_FEEDS, Weight.STOP, references, len(people), people=tuple(sorted(people)))]


def repeated(
    plan: Plan, others: Iterable[Other], dark: Mapping[str, AbstractSet[int]], limits: Limits
) -> list[Finding]:
    """Customers for whom the plan would be one of `times` outages that start within `within`."""
    starts: dict[int, list[datetime]] = {}
    counted: set[str] = set()
    for other in others:
        if other.draft or abs(other.start - plan.start) > limits.within:
            continue
        for customer in plan.dark & dark.get(other.reference, frozenset()):
            starts.setdefault(customer, []).append(other.start)
            counted.add(other.reference)
    hit = sum(1 for mine in starts.values() if _crowded([*mine, plan.start], plan.start, limits))
    if not hit:
        return []
    detail = f"{limits.times} in {limits.within.days} days"
    return [Finding(CheckKind.REPEATED, Weight.OVERRIDE, tuple(sorted(counted)), hit, detail=detail)]


def _crowded(starts: list[datetime], mine: datetime, limits: Limits) -> bool:
    """Whether some span of `within` that holds `mine` holds `times` of the starts."""
    ordered = sorted(starts)
    runs = zip(ordered, ordered[limits.times - 1 :], strict=False)
    return any(first <= mine <= last and last - first <= limits.within for first, last in runs)


def too_long(plan: Plan, limits: Limits) -> list[Finding]:
    """A window longer than the policy's longest."""
    if limits.longest is None or plan.end - plan.start <= limits.longest:
        return []
    hours = f"{limits.longest.total_seconds() / 3600:g}"
    return [Finding(CheckKind.TOO_LONG, Weight.OVERRIDE, article=limits.longest_article, detail=hours)]


def protected(plan: Plan, dates: Iterable[ProtectedDate], tz: ZoneInfo) -> list[Finding]:
    """Protected dates that the window touches, by the calendar of the place."""
    first = plan.start.astimezone(tz).date()
    last = (plan.end.astimezone(tz) - timedelta(microseconds=1)).date()
    return [
        Finding(
            CheckKind.PROTECTED,
            Weight.OVERRIDE,
            names=(one.name,),
            detail=one.first.isoformat()
            if one.first == one.last
            else f"{one.first.isoformat()} – {one.last.isoformat()}",
        )
        for one in dates
        if one.first <= last and first <= one.last
    ]


def yearly(often: Collection[int], limits: Limits, year: int) -> list[Finding]:
    """Customers who have had as many outages in this year as the policy allows: the plan would be one too many."""
    if limits.yearly is None or not often:
        return []
    weight = Weight.OVERRIDE if limits.yearly_verified else Weight.ADVICE
    detail = f"{limits.yearly} in {year}"
    return [
        Finding(CheckKind.YEARLY, weight, customers=len(often), article=limits.yearly_article, detail=detail)
    ]


def no_plan(people: Sequence[int], limits: Limits) -> list[Finding]:
    """Key customers who would lose supply and have no emergency plan on file."""
    if not people:
        return []
    weight = Weight.OVERRIDE if limits.plan_required else Weight.ADVICE
    return [Finding(CheckKind.NO_PLAN, weight, customers=len(people), people=tuple(people[:12]))]


def late_wave(count: int) -> list[Finding]:
    """About so many first messages can't all be out by their deadline. Advice: approval counts the rows themselves,
    and has its own second person for it."""
    return [Finding(CheckKind.LATE_WAVE, Weight.ADVICE, customers=count)] if count else []


def no_contact(missing: int) -> list[Finding]:
    """Affected customers without a usable address: they get a visit or a letter, so this is advice."""
    return [Finding(CheckKind.NO_CONTACT, Weight.ADVICE, customers=missing)] if missing else []


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The gravest first."""
    kinds = list(CheckKind)
    return sorted(findings, key=lambda one: (WEIGHT_ORDER[one.weight], kinds.index(one.kind), one.key))


def stops(findings: Iterable[Finding]) -> list[Finding]:
    return [one for one in findings if one.weight is Weight.STOP]


def to_override(findings: Iterable[Finding], accepted: Collection[str] = ()) -> list[Finding]:
    """Findings that somebody has to answer for; those whose key is in `accepted` are left out."""
    return [one for one in findings if one.weight is Weight.OVERRIDE and one.key not in accepted]


def _outages(finding: Finding) -> str:
    return ", ".join(finding.references)


def _people(count: int) -> str:
    return f"{count} customer{'s' if count != 1 else ''}"


_SENTENCES: Mapping[CheckKind, Callable[[Finding], str]] = {
    CheckKind.BOTH_FEEDS: lambda one: (
        f"Together with {_outages(one)} it takes every feed of "
        f"{one.customers} key customer{'s' if one.customers != 1 else ''}."
    ),
    CheckKind.OVERLAP: lambda one: (
        f"Overlaps {_outages(one)}, which takes {_people(one.customers)} of the same; make it one outage."
    ),
    CheckKind.SWITCHING: lambda one: f"Cannot be switched together with {_outages(one)}: {one.detail}",
    CheckKind.REPEATED: lambda one: (
        f"{_people(one.customers)} would be out once too often ({one.detail}), after or before {_outages(one)}."
    ),
    CheckKind.TOO_LONG: lambda one: (
        f"The window is longer than {one.detail} hours{f' ({one.article})' if one.article else ''}."
    ),
    CheckKind.PROTECTED: lambda one: f"Falls on a protected date: {one.names[0]}, {one.detail}.",
    CheckKind.MERGE: lambda one: (
        f"{_outages(one)} takes {_people(one.customers)} of the same soon; one outage could do for both."
    ),
    CheckKind.NO_CONTACT: lambda one: f"{_people(one.customers)} cannot be reached on any channel.",
    CheckKind.CRITICAL_TIME: lambda one: (
        f"{_people(one.customers)} must not be cut at this time by the customer's plan: {one.detail}."
    ),
    CheckKind.CONTRACT_NOTICE: lambda one: (
        f"{_people(one.customers)} must be told earlier by contract ({one.detail} hours)."
    ),
    CheckKind.YEARLY: lambda one: (
        f"{_people(one.customers)} would be out more often than {one.detail}"
        f"{f' ({one.article})' if one.article else ''}."
    ),
    CheckKind.NO_PLAN: lambda one: f"No emergency plan is on file for {_people(one.customers)} who are key.",
    CheckKind.LATE_WAVE: lambda one: (
        f"About {one.customers} first messages can't all be out by their deadline."
    ),
    CheckKind.SHORT_BACKUP: lambda one: (
        f"The backup supply of {_people(one.customers)} ends before the work does ({one.detail} hours)."
    ),
    CheckKind.BACKUP_UNTESTED: lambda one: (
        f"The backup supply of {_people(one.customers)} has had no test in the year before the work"
        f"{f' (last test {one.detail})' if one.detail else ''}."
    ),
}
