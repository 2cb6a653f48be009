"""How the telling of every approved outage stands, counted in customers: the story of all, where `explain`
tells that of one. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from outage_notify.domain.outage import OutageState
from outage_notify.services.runtime import Runtime
from outage_notify.store import audit_queries, outage_queries, telling_queries
from outage_notify.store.telling_queries import Reach


def told_so_far(rt: Runtime, untold: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """For each approved outage: customers told, on the way, waiting, not reached; those whom a person was asked to
    tell (`by_hand`, of whichever of these); and notices that the audit misses (`untold`, its own list is given)."""
    missed = Counter(one["outage"] for one in untold)
    with rt.database.read() as session:
        found = []
        for outage in outage_queries.outages_in(session, [OutageState.APPROVED]):
            reach = telling_queries.customers_by_reach(session, outage.id, outage.revision)
            found.append(
                {
                    "outage": outage.reference,
                    "revision": outage.revision,
                    "told": reach[Reach.TOLD],
                    "on_the_way": reach[Reach.ON_THE_WAY],
                    "waiting": reach[Reach.WAITING],
                    "not_reached": reach[Reach.NOT_REACHED],
                    "by_hand": len(audit_queries.customers_with_tasks(session, outage.id)),
                    "untold": missed[outage.reference],
                }
            )
        return found
