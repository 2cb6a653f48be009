"""The network half of the planner's screen: who is hit, what helps, why, and what to light up on the map.

Reads only. Promises: one consistent look at the network in force; key customers come with every feed of
their sites and the proof path of each. Whoever tries one window after the other for the same work does not wait for the
same trace: the last few answers are held, and never longer than network and people stay as they were. Leaves
the window to `window_facts`, checks to `check_plan`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from geo.model import GeoError
from geo.outcome import Outcome
from geo.proof import Proof, prove
from geo.request import Request
from outage_notify.domain.audience import Affected, Impact, Tier, gravest
from outage_notify.domain.errors import InvalidInput
from outage_notify.services import network_map, switching_advice
from outage_notify.services.network_in_force import LoadedNetwork, load_network
from outage_notify.services.resolve_audience import Foreseen, Switching, foresee
from outage_notify.services.runtime import Runtime
from outage_notify.store import feed_lookup, people_columns, planner_queries

# More are counted, and named on the outage's page.
MOST_KEYS = 30
MOST_DRAWN = 1500
MOST_HOMES = 600
_MANY = frozenset({"dead", "lost", "reduced"})
_DRAWN = ("line", "trafo", "trafo3w")
# Answers that are held: a few planners at work, each with one or two switchings in hand.
MOST_HELD = 8

_lock = threading.Lock()
_held: OrderedDict[tuple[str, int, str, Switching], PlannerView] = OrderedDict()


@dataclass(frozen=True)
class KeyFeed:
    """One feed of a key customer: whether it has supply during the work, and the chain that proves it."""

    element: str
    place: str
    state: str
    proofs: tuple[Proof, ...]


@dataclass(frozen=True)
class KeySeen:
    customer_id: str
    name: str
    tier: Tier
    life_support: bool
    impact: Impact
    feeds: tuple[KeyFeed, ...]


@dataclass(frozen=True)
class PlannerView:
    """`ties` and `together` as `switching_advice` says them; `features` are GeoJSON with a role each."""

    foreseen: Foreseen
    keys: tuple[KeySeen, ...]
    keys_in_all: int
    ties: Sequence[Mapping[str, Any]]
    together: Mapping[str, Any] | None
    features: Sequence[Mapping[str, Any]]

    @property
    def told(self) -> int:
        return len(self.foreseen.hit.customers())

    @property
    def without(self) -> int:
        return len(self.foreseen.hit.customers([Impact.OUTAGE]))


def planner_view(rt: Runtime, switching: Switching, beside: Sequence[str] = ()) -> PlannerView:
    """Trace a switching; with `beside` (references) also what it does together with other outages.

    InvalidInput where the network can't serve it.
    """
    with rt.database.read() as session:
        version, loaded = load_network(session, rt)
        if beside:
            # Other outages change without a mark.
            return _seen(session, rt, version, loaded, switching, beside)
        key = (str(rt.database.url), version, people_columns.mark(session), switching)
        with _lock:
            if key in _held:
                _held.move_to_end(key)
                return _held[key]
        found = _seen(session, rt, version, loaded, switching, ())
        if people_columns.mark(session) == key[2]:
            _hold(key, found)
        return found


def _hold(key: tuple[str, int, str, Switching], view: PlannerView) -> None:
    with _lock:
        # What belongs to another network or other people is not asked for any more.
        for old in [one for one in _held if one[:3] != key[:3]]:
            del _held[old]
        _held[key] = view
        while len(_held) > MOST_HELD:
            _held.popitem(last=False)


def _seen(
    session: Session,
    rt: Runtime,
    version: int,
    loaded: LoadedNetwork,
    switching: Switching,
    beside: Sequence[str],
) -> PlannerView:
    foreseen = foresee(session, rt, switching)
    request, outcome = foreseen.traced.request, foreseen.traced.outcome
    try:
        _, ties = switching_advice.worthwhile_ties(session, loaded, request)
        together = None
        if beside:
            _, together = switching_advice.together_with(session, rt, loaded, switching, beside)
        by_customer = _key_members(foreseen)
        keys = _keys(session, loaded, request, outcome, by_customer)
    except GeoError as error:
        raise InvalidInput(error.message, error.remedy) from error
    features = _features(session, version, switching, foreseen, ties)
    return PlannerView(foreseen, keys, len(by_customer), ties, together, features)


def _key_members(foreseen: Foreseen) -> dict[int, list[Affected]]:
    """Affected feeds of key customers, the hardest hit and highest first."""
    hit = foreseen.hit
    found: dict[int, list[Affected]] = {}
    for one in hit.affected(foreseen.traced.grid, hit.keys_first_hit()):
        found.setdefault(one.feed.customer, []).append(one)
    return found


def _keys(
    session: Session,
    loaded: LoadedNetwork,
    request: Request,
    outcome: Outcome,
    by_customer: Mapping[int, list[Affected]],
) -> tuple[KeySeen, ...]:
    shown = dict(list(by_customer.items())[:MOST_KEYS])
    elements = {one.feed.element for members in shown.values() for one in members}
    feeds = [one for one in feed_lookup.feeds_of_sites_on(session, elements) if one.customer in shown]
    names = planner_queries.supplied(session, [one.service_point for one in feeds])
    found = []
    for customer, members in shown.items():
        mine = []
        for feed in feeds:
            if feed.customer != customer:
                continue
            proofs = prove(loaded.grid, request, outcome, feed.element)
            mine.append(KeyFeed(feed.element, names[feed.service_point].place, proofs[0].state, proofs))
        head = members[0].feed
        known = names[head.service_point]
        impact = gravest(one.impact for one in members)
        found.append(
            KeySeen(known.customer_id, known.name, head.tier, head.life_support, impact, tuple(mine))
        )
    return tuple(found)


def _features(
    session: Session,
    version: int,
    switching: Switching,
    foreseen: Foreseen,
    ties: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """What lights up, in drawing order. Feeders are drawn as what of them is dead."""
    resolution = foreseen.resolution
    zone = set(resolution.zone)
    reduced = set(foreseen.traced.grid.load_names(foreseen.hit.loads(Impact.REDUCED_REDUNDANCY)))
    lost = [one for one in resolution.dark if one not in reduced]
    roles = (
        ("dead", _branches(one for one in resolution.dead if one not in zone)),
        ("picked", _branches((*switching.work, *switching.out))),
        ("zone", _branches(resolution.zone)),
        ("lost", _thinned(lost, MOST_HOMES)),
        ("reduced", _thinned([one for one in resolution.dark if one in reduced], MOST_HOMES)),
        ("open", resolution.opened),
        ("closed", resolution.needed or resolution.closed),
        ("tie", [name for one in ties for name in one["close"]]),
    )
    features = network_map.shapes_of(session, version, roles)
    buys = {name: one for one in ties for name in one["close"]}
    for feature in features:
        if feature["properties"]["role"] in _MANY:
            # Thousands of these may light up; nobody asks them for their names.
            feature["properties"] = {"role": feature["properties"]["role"]}
        elif feature["properties"]["role"] == "tie":
            feature["properties"]["customers"] = buys[feature["properties"]["id"]]["customers"]
    return features


def _branches(names: Iterable[str]) -> list[str]:
    return _thinned([name for name in names if name.partition(":")[0] in _DRAWN], MOST_DRAWN)


def _thinned(names: list[str], most: int) -> list[str]:
    """At most so many, from all over: the first ones would light up a corner and leave the rest in the dark."""
    return names[:: -(-len(names) // most)] if len(names) > most else names
