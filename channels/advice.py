"""What to do, by who is told: advice for life-support, for kinds of customers, for everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from channels.catalogues import N_
from channels.model import NoticeFacts
from channels.say import Say

_LIFE_SUPPORT = (
    N_(
        "You have registered life-support equipment: keep backup power or charged batteries for the whole time."
    ),
    N_("If you cannot bridge the time, call us now; in an emergency call the emergency services."),
)
_REDUCED = (
    N_("During the work you run on one supply: check that it carries your whole load."),
    N_("Have your own backup supply tested and ready, and put off risky work."),
)
_MOMENTARY = (N_("Expect short interruptions at the start and at the end: protect computers and controls."),)
_GENERAL = (
    N_("Save your work and switch off sensitive appliances beforehand."),
    N_("Do not use lifts shortly before the start."),
    N_("Treat all installations as live the whole time: supply may return early."),
)
_BY_KIND: Mapping[str, Sequence[str]] = {
    "hospital": (
        N_(
            "Hospitals: test the emergency generator under load, check fuel and UPS for theatres and intensive care."
        ),
    ),
    "nursing_home": (
        N_("Nursing homes: check residents' medical devices, nurse call and lifts; plan staff."),
    ),
    "water_works": (N_("Water works: fill reservoirs beforehand and have pumps ready on backup supply."),),
    "telecom": (N_("Telecom sites: check batteries and arrange a mobile generator for longer times."),),
    "bank": (N_("Banks: check UPS, vault and alarm systems, shut down cash machines in order."),),
    "school": (N_("Schools: plan lessons, kitchen and access control without power."),),
    "shop": (N_("Shops: keep cold chains closed or cooled, tills and doors need a manual plan."),),
    "rail": (N_("Railways: check the supply of signalling and station emergency lighting."),),
    "plant": (
        N_("Plants: bring processes to a safe state before the start; do not rely on an exact restart time."),
    ),
}
_SYNONYMS = {
    "clinic": "hospital",
    "medical": "hospital",
    "care_home": "nursing_home",
    "elderly_care": "nursing_home",
    "water": "water_works",
    "waterworks": "water_works",
    "telecom_site": "telecom",
    "data_centre": "telecom",
    "data_center": "telecom",
    "restaurant": "shop",
    "supermarket": "shop",
    "cold_store": "shop",
    "kindergarten": "school",
    "university": "school",
    "railway": "rail",
    "metro": "rail",
    "factory": "plant",
    "industry": "plant",
    "industrial": "plant",
}


# What a text may leave out: good advice, and nothing that a life hangs on.
DISPENSABLE = frozenset((*_REDUCED, *_MOMENTARY, *_GENERAL, *chain.from_iterable(_BY_KIND.values())))


def advice(facts: NoticeFacts, say: Say) -> tuple[str, ...]:
    """Sentences of advice, most important first: all of it ahead of the work, what still helps while it lasts,
    none when it is over or cancelled."""
    if facts.kind in ("CANCELLED", "RESTORED"):
        return ()
    impacts = {place.impact for place in facts.places} or {"OUTAGE"}
    found: list[str] = []
    if facts.life_support:
        found += _LIFE_SUPPORT
    if facts.kind in ("STARTED", "OVERRUN"):
        found += _GENERAL[-1:] if "OUTAGE" in impacts else ()
    else:
        kind = facts.customer_kind.strip().lower().replace(" ", "_").replace("-", "_")
        found += _BY_KIND.get(_SYNONYMS.get(kind, kind), ())
        found += _REDUCED if "REDUCED_REDUNDANCY" in impacts else ()
        found += _MOMENTARY if "MOMENTARY" in impacts else ()
        found += _GENERAL if "OUTAGE" in impacts else ()
    return tuple(words for words in map(say, found) if words)
