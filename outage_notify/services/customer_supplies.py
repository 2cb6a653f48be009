"""The supplies of a customer: sites, the feeds of each, and the feeder that each normally hangs on.

Promises: as the network in force says; feeds that are gone are left out; two feeds of a site that hang on one feeder
are told apart from two that do not, because only the latter are of use when that feeder fails. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from outage_notify.store import customer_queries
from outage_notify.store.people_tables import ServicePoint


@dataclass(frozen=True)
class Supply:
    """One feed. `feeder` is empty where the network names none."""

    point: ServicePoint
    feeder: str


@dataclass(frozen=True)
class SiteSupplies:
    """A site with its feeds, in the order in which they were imported."""

    site_id: str
    feeds: tuple[Supply, ...]

    @property
    def one_feeder(self) -> bool:
        """Whether several feeds hang on one and the same feeder."""
        feeders = {one.feeder for one in self.feeds}
        return len(self.feeds) > 1 and len(feeders) == 1 and "" not in feeders


def supplies(session: Session, points: Iterable[ServicePoint]) -> list[SiteSupplies]:
    """By site, sites in order of their first feed."""
    standing = [one for one in points if one.gone_at is None]
    feeders = customer_queries.feeders_of(session, {one.element for one in standing})
    by_site: dict[str, list[Supply]] = {}
    for one in standing:
        by_site.setdefault(one.site.site_id, []).append(Supply(one, feeders.get(one.element, "")))
    return [SiteSupplies(site, tuple(feeds)) for site, feeds in by_site.items()]
