"""What checks and previews ask of an audience, whether it comes as objects or as columns."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from outage_notify.domain.audience import Affected, Impact, Tier
from outage_notify.domain.policy import Policy

HIT = (Impact.OUTAGE, Impact.REDUCED_REDUNDANCY, Impact.MOMENTARY)


class Crowd(Protocol):
    """The affected service points of one switching."""

    def customers(self, impacts: Collection[Impact] = HIT) -> list[int]:
        """Distinct customers of whom some point feels one of `impacts`, by row id, rising."""

    def told(self, policy: Policy) -> list[int]:
        """Distinct customers of whom some point is one that the policy tells about."""

    def classes(self, policy: Policy) -> set[tuple[Tier, bool]]:
        """(tier, life support) of those whom the policy tells."""


@dataclass(frozen=True)
class Listed:
    """A crowd of objects: a frozen audience, or one about to be."""

    affected: tuple[Affected, ...]

    @classmethod
    def of(cls, affected: Iterable[Affected]) -> Listed:
        return cls(tuple(affected))

    def customers(self, impacts: Collection[Impact] = HIT) -> list[int]:
        return sorted({one.feed.customer for one in self.affected if one.impact in impacts})

    def told(self, policy: Policy) -> list[int]:
        return sorted({one.feed.customer for one in self._told(policy)})

    def classes(self, policy: Policy) -> set[tuple[Tier, bool]]:
        return {(one.feed.tier, one.feed.life_support) for one in self._told(policy)}

    def _told(self, policy: Policy) -> Iterable[Affected]:
        return (one for one in self.affected if policy.told(one.impact, one.feed.key))


class Tallied:
    """A crowd that comes piece by piece: eight bytes for each service point, however many there are."""

    def __init__(self) -> None:
        self._customers: dict[tuple[Impact, bool, Tier, bool], array[int]] = {}

    def add(self, affected: Iterable[Affected]) -> None:
        for one in affected:
            feed = one.feed
            kind = (one.impact, feed.key, feed.tier, feed.life_support)
            known = self._customers.get(kind)
            if known is None:
                known = self._customers[kind] = array("q")
            known.append(feed.customer)

    def customers(self, impacts: Collection[Impact] = HIT) -> list[int]:
        return _distinct(them for (impact, *_), them in self._customers.items() if impact in impacts)

    def told(self, policy: Policy) -> list[int]:
        return _distinct(
            them for (impact, key, *_), them in self._customers.items() if policy.told(impact, key)
        )

    def classes(self, policy: Policy) -> set[tuple[Tier, bool]]:
        return {
            (tier, life_support)
            for impact, key, tier, life_support in self._customers
            if policy.told(impact, key)
        }


def _distinct(parts: Iterable[array[int]]) -> list[int]:
    return sorted({customer for part in parts for customer in part})
