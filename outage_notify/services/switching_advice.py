"""Beyond who loses supply: why a load does, what to close for the fewest customers, what works do together.

Reads only. The weights say how much a customer's loss counts when ties are compared; they order
suggestions and decide nothing about telling.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from geo.loading import overloads
from geo.model import GeoError
from geo.outcome import trace
from geo.proof import prove
from geo.request import Request, read_request
from geo.transfers import Suggestion, suggest
from outage_notify.domain.audience import IMPACT_ORDER, Affected, Tier
from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.outage import OutageState
from outage_notify.services.network_in_force import LoadedNetwork, load_network
from outage_notify.services.people_in_force import TIERS, people_in_force
from outage_notify.services.resolve_audience import Resolved, Switching, as_json, resolve_audience
from outage_notify.services.runtime import Runtime
from outage_notify.store import feed_lookup, outage_queries
from outage_notify.store.outage_tables import OutageRevision

TIER_WEIGHT: Mapping[Tier, int] = {
    Tier.SPECIAL: 1000,
    Tier.FIRST: 300,
    Tier.SECOND: 100,
    Tier.TEMPORARY: 100,
    Tier.GENERAL: 3,
    Tier.LOW_VOLTAGE: 1,
}
LIFE_SUPPORT_WEIGHT = 300
# By `People.kinds_on`: tier by tier, without and with life support.
_WEIGHTS = np.array([TIER_WEIGHT[tier] + life * LIFE_SUPPORT_WEIGHT for tier in TIERS for life in (0, 1)])
_OPEN = frozenset({OutageState.DRAFT, OutageState.SUBMITTED, OutageState.APPROVED, OutageState.ACTIVE})


def advised(
    rt: Runtime,
    switching: Switching,
    *,
    why: Sequence[str] = (),
    suggest_ties: bool = False,
    allow_loops: bool = False,
    beside: Sequence[str] = (),
) -> dict[str, Any]:
    """The answer of `resolve --json` with what else was asked for; `beside` are references of other outages.

    With `beside`, everything is about all the works at once.
    """
    with rt.database.read() as session:
        _, loaded = load_network(session, rt)
        union, together = switching, None
        if beside:
            try:
                union, together = together_with(session, rt, loaded, switching, beside)
            except GeoError as error:
                raise InvalidInput(error.message, error.remedy) from error
        if union.work or union.out:
            answer = as_json(session, resolve_audience(session, rt, union))
        elif why:
            answer = {}
        else:
            raise InvalidInput("Nothing is worked on or taken out.", "Name an element, such as line:12.")
        if together is not None:
            answer["with"] = together
        if why or suggest_ties:
            try:
                request = as_request(loaded, union)
                if suggest_ties:
                    answer["suggested"], advised_request = suggested(session, loaded, request, allow_loops)
                    request = advised_request if why and not union.close and not union.close_ties else request
                if why:
                    answer["why"] = _why(loaded, request, why)
            except GeoError as error:
                raise InvalidInput(error.message, error.remedy) from error
    return answer


def as_request(loaded: LoadedNetwork, switching: Switching) -> Request:
    return read_request(
        loaded.grid,
        work=switching.work,
        out=switching.out,
        close=switching.close,
        close_ties=switching.close_ties,
    )


def _why(loaded: LoadedNetwork, request: Request, loads: Iterable[str]) -> list[dict[str, Any]]:
    outcome = trace(loaded.grid, request.change, request.loads_out)
    return [
        {
            "load": one.load,
            "phases": one.phases,
            "state": one.state,
            "before": list(one.before),
            "cut": list(one.cut),
            "now": list(one.now),
        }
        for load in dict.fromkeys(loads)
        for one in prove(loaded.grid, request, outcome, load)
    ]


def suggested(
    session: Session, loaded: LoadedNetwork, request: Request, allow_loops: bool
) -> tuple[dict[str, Any], Request]:
    """What to open and close for the fewest customers, beside the ties that were named."""
    found, ties = worthwhile_ties(session, loaded, request, allow_loops)
    return {
        "isolation": list(found.isolation),
        "close": [name for one in found.transfers for name in one.close],
        "ties": ties,
        "lost": list(found.lost),
        "loops_left_out": list(found.looping),
    }, found.request


def worthwhile_ties(
    session: Session, loaded: LoadedNetwork, request: Request, allow_loops: bool = False
) -> tuple[Suggestion, list[dict[str, Any]]]:
    """The ties that help, most weight first, with whom each helps; counted from columns of the people."""
    own = replace(request, change=replace(request.change, all_ties=False))
    people = people_in_force(session, loaded)

    counted: dict[bytes, np.ndarray] = {}

    def kinds_on(loads: np.ndarray) -> np.ndarray:
        # Asked twice of each tie: for its weight, and for what is said of it.
        key = loads.tobytes()
        if key not in counted:
            counted[key] = people.kinds_on(loads)
        return counted[key]

    def weight(loads: np.ndarray) -> float:
        # Loads without customers count a little, so that a network alone is ranked too.
        return float(_WEIGHTS[kinds_on(loads)].sum()) + 0.001 * len(loads)

    found = suggest(loaded.grid, own, weight, allow_loops)
    over = overloads(loaded.grid, found)
    ties = []
    for one in found.transfers:
        counts = np.bincount(kinds_on(one.loads) // 2, minlength=len(TIERS)).tolist()
        ties.append(
            {
                "close": list(one.close),
                "loads": len(one.loads),
                "service_points": people.points_on(one.loads),
                "customers": sum(counts),
                "by_tier": {tier.value: count for tier, count in zip(TIERS, counts, strict=True)},
                "weight": round(one.weight),
                "overloads": [
                    {"element": it.element, "rating_mva": it.rating_mva, "load_mva": it.load_mva}
                    for it in over[one.edge]
                ],
            }
        )
    return found, ties


def together_with(
    session: Session, rt: Runtime, loaded: LoadedNetwork, own: Switching, references: Sequence[str]
) -> tuple[Switching, dict[str, Any]]:
    """All works as one, and whom they hit harder together than each of them does alone."""
    union = own
    singles = [own] if own.work or own.out else []
    for reference in dict.fromkeys(references):
        outage = outage_queries.outage_by_reference(session, reference)
        if outage.state not in _OPEN:
            raise InvalidInput(
                f"{reference} is {outage.state}, so it takes nobody off.", "Name outages that are still open."
            )
        other = _as_switched(outage.standing)
        singles.append(other)
        union = Switching(
            tuple(dict.fromkeys((*union.work, *other.work))),
            tuple(dict.fromkeys((*union.out, *other.out))),
            tuple(dict.fromkeys((*union.close, *other.close))),
            union.close_ties or other.close_ties,
        )
    union, refused = _closable(loaded, union, own)
    alone = [resolve_audience(session, rt, one) for one in singles]
    both = resolve_audience(session, rt, union)
    harder = _harder(alone, both)
    names = feed_lookup.service_point_names(session, [one.feed.service_point for one in harder])
    return union, {
        "outages": list(dict.fromkeys(references)),
        "only_together": [
            {
                "service_point": names[one.feed.service_point],
                "element": one.feed.element,
                "tier": one.feed.tier.value,
                "impact": one.impact.value,
            }
            for one in harder
        ],
        "lost_only_together": _lost_only(alone, both),
        "not_closable": refused,
    }


def _as_switched(revision: OutageRevision) -> Switching:
    """What a revision asks for; the ties that it closes are those that were frozen with it."""
    asked = Switching.from_dict(revision.switching)
    frozen = revision.isolation.get("closed") if revision.isolation else None
    return asked if frozen is None else replace(asked, close=tuple(frozen), close_ties=False)


def _closable(loaded: LoadedNetwork, union: Switching, own: Switching) -> tuple[Switching, list[str]]:
    """The union without ties of the others that its own works forbid to close; own ones are an error as ever."""
    kept, refused = [], []
    for switch in union.close:
        try:
            as_request(loaded, replace(union, close=(switch,)))
        except GeoError:
            if switch in own.close or not _stands(loaded, replace(union, close=())):
                raise
            refused.append(switch)
        else:
            kept.append(switch)
    return replace(union, close=tuple(kept)), refused


def _stands(loaded: LoadedNetwork, switching: Switching) -> bool:
    try:
        as_request(loaded, switching)
    except GeoError:
        return False
    return True


def _harder(alone: Sequence[Resolved], both: Resolved) -> list[Affected]:
    """Those whom all works at once hit harder than the hardest of them alone."""
    hardest: dict[int, int] = {}
    for one in alone:
        for hit in one.affected:
            point = hit.feed.service_point
            hardest[point] = min(hardest.get(point, 99), IMPACT_ORDER[hit.impact])
    return [
        hit for hit in both.affected if IMPACT_ORDER[hit.impact] < hardest.get(hit.feed.service_point, 99)
    ]


def _lost_only(alone: Sequence[Resolved], both: Resolved) -> list[str]:
    known = {load for one in alone for load in one.resolution.dark}
    return [load for load in both.resolution.dark if load not in known]
