"""Who is affected, and how much: tiers, impacts, members of an audience.

Tiers follow GB/T 29328 and the low-voltage classes below it; terms follow IEC CIM.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Tier(StrEnum):
    """Priority tier of a customer, highest first."""

    SPECIAL = "SPECIAL"
    FIRST = "FIRST"
    SECOND = "SECOND"
    TEMPORARY = "TEMPORARY"
    GENERAL = "GENERAL"
    LOW_VOLTAGE = "LOW_VOLTAGE"


TIER_ORDER: Mapping[Tier, int] = {tier: rank for rank, tier in enumerate(Tier)}
# The order in which a wave goes out: 0 is life support, then by tier.
PRIORITIES = range(1 + len(TIER_ORDER))
KEY_TIERS = frozenset({Tier.SPECIAL, Tier.FIRST, Tier.SECOND, Tier.TEMPORARY})


class Impact(StrEnum):
    """What a service point feels, gravest first."""

    OUTAGE = "OUTAGE"
    REDUCED_REDUNDANCY = "REDUCED_REDUNDANCY"
    MOMENTARY = "MOMENTARY"
    NONE = "NONE"


IMPACT_ORDER: Mapping[Impact, int] = {impact: rank for rank, impact in enumerate(Impact)}


def is_key(tier: Tier, life_support: bool) -> bool:
    """Whether a customer is key (重要用户) and therefore signs."""
    return tier in KEY_TIERS or life_support


def gravest(impacts: Iterable[Impact]) -> Impact:
    """The gravest of several impacts; NONE of none."""
    return min(impacts, key=IMPACT_ORDER.__getitem__, default=Impact.NONE)


# Tens of thousands of these are made for one big outage: without a dictionary each, they cost a third.
@dataclass(frozen=True, slots=True)
class Feed:
    """One service point of one customer: the unit that is traced."""

    service_point: int
    customer: int
    site: int
    element: str
    tier: Tier
    life_support: bool = False

    @property
    def key(self) -> bool:
        return is_key(self.tier, self.life_support)


@dataclass(frozen=True, slots=True)
class Affected:
    """A feed together with what it feels."""

    feed: Feed
    impact: Impact


def assess(feeds: Iterable[Feed], lost: frozenset[str], momentary: frozenset[str]) -> list[Affected]:
    """The affected ones among `feeds`, given the loads lost and those lost for a moment.

    `feeds` must hold *every* feed of each site that has one in `lost` or `momentary`:
    a site is dark (OUTAGE) only when all its feeds are lost, else its lost feeds
    count as REDUCED_REDUNDANCY. A site whose feeds are lost or momentary, with at
    least one momentary, is not dark for long: its lost feeds are REDUCED_REDUNDANCY.
    A momentary feed of a site that keeps another feed untouched is still MOMENTARY,
    since nobody knows on which feed the customer runs.
    """
    by_site: dict[int, list[Feed]] = {}
    for feed in feeds:
        known = by_site.get(feed.site)
        if known is None:
            by_site[feed.site] = [feed]
        else:
            known.append(feed)
    found: list[Affected] = []
    for site in by_site.values():
        dark = Impact.OUTAGE
        for feed in site:
            if feed.element not in lost:
                dark = Impact.REDUCED_REDUNDANCY
                break
        for feed in site:
            if feed.element in lost:
                found.append(Affected(feed, dark))
            elif feed.element in momentary:
                found.append(Affected(feed, Impact.MOMENTARY))
    return found


def count_by_tier(affected: Iterable[Affected]) -> dict[str, dict[str, int]]:
    """All six tiers; impacts count service points, `customers` distinct customers."""
    counts = {tier: {"outage": 0, "reduced": 0, "momentary": 0, "customers": 0} for tier in Tier}
    customers: dict[Tier, set[int]] = {tier: set() for tier in Tier}
    column = {Impact.OUTAGE: "outage", Impact.REDUCED_REDUNDANCY: "reduced", Impact.MOMENTARY: "momentary"}
    for one in affected:
        feed = one.feed
        counts[feed.tier][column[one.impact]] += 1
        customers[feed.tier].add(feed.customer)
    for tier, members in customers.items():
        counts[tier]["customers"] = len(members)
    return {tier.value: found for tier, found in counts.items()}
