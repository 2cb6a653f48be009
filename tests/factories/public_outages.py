"""Public outages out of thin air: any life that an outage can lead, with hostile words, for formats and pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from outage_notify.services.public_facts import (
    Phase,
    PublicList,
    PublicOutage,
    PublicStep,
    Step,
    in_order,
)
from tests.factories.people import NOW

ENDS = {
    Phase.PLANNED: (),
    Phase.ACTIVE: (Step.STARTED,),
    Phase.OVERRUN: (Step.STARTED, Step.OVERRUN),
    Phase.RESTORED: (Step.STARTED, Step.RESTORED),
    Phase.CANCELLED: (Step.CANCELLED,),
}
WORDS = st.text(max_size=40) | st.sampled_from(
    ["=1+1", '<b>"&', "北街 3 至 6 号", "a,b;c\nd", "\x00\ufffe", "-2"]
)
ZONES = ("Asia/Shanghai", "Europe/Berlin", "UTC")


def square(number: int, parts: int = 1) -> dict[str, Any]:
    """An area: one square or several, closed, counter-clockwise and to six places."""
    rings = []
    for part in range(parts):
        west, south = 7.0 + number % 100 * 0.01 + part, 48.0 + number // 100 * 0.01
        ring = [[west, south], [west + 0.01, south], [west + 0.01, south + 0.01], [west, south + 0.01]]
        exact = [[round(at, 6) for at in point] for point in ring]
        rings.append([[*exact, exact[0]]])
    if parts == 1:
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}


def outage(
    number: int,
    phase: Phase = Phase.PLANNED,
    start: datetime = NOW + timedelta(days=10),
    hours: float = 4,
    moves: int = 0,
    **more: Any,
) -> PublicOutage:
    """A public outage with a history that fits its phase."""
    at, history = start - timedelta(days=20), []
    window = (start - timedelta(days=moves), start - timedelta(days=moves) + timedelta(hours=hours))
    for revision in range(moves + 1):
        what = Step.MOVED if revision else Step.ANNOUNCED
        history.append(PublicStep(what, at, revision + 1, *window))
        at += timedelta(hours=1)
        if revision < moves:
            window = (window[0] + timedelta(days=1), window[1] + timedelta(days=1))
    expected = window[1] + timedelta(hours=2)
    for what in ENDS[phase]:
        at = {Step.STARTED: window[0], Step.OVERRUN: window[1], Step.RESTORED: window[1]}.get(what, at)
        history.append(PublicStep(what, at, moves + 1, *window, expected if what is Step.OVERRUN else None))
    facts: dict[str, Any] = {
        "kind": "planned",
        "timezone": "Europe/Berlin",
        "reason": {"zh-CN": "更换电缆", "en": "Replacing a cable"},
        "area": f"Street {number}",
        "line": f"Line {number % 7}",
        "customers": 40,
        "geometry": square(number),
    }
    ended = history[-1].at if phase in {Phase.RESTORED, Phase.CANCELLED} else None
    return PublicOutage(
        reference=f"PO-2026-{number:04d}",
        phase=phase,
        revision=moves + 1,
        start=window[0],
        end=window[1],
        expected_end=expected if phase is Phase.OVERRUN else None,
        ended_at=ended,
        changed_at=history[-1].at,
        history=tuple(history),
        **(facts | more),
    )


@st.composite
def lists(draw: st.DrawFn) -> PublicList:
    """Any list that the public may see."""
    numbers = draw(st.lists(st.integers(1, 9_999), unique=True, max_size=6))
    found = [
        outage(
            number,
            draw(st.sampled_from(Phase)),
            NOW + timedelta(minutes=draw(st.integers(-5_000, 60_000))),
            draw(st.integers(1, 700)) / 10,
            draw(st.integers(0, 3)),
            area=draw(WORDS),
            line=draw(WORDS),
            reason={"en": draw(WORDS)} | ({"zh-CN": draw(WORDS)} if draw(st.booleans()) else {}),
            timezone=draw(st.sampled_from(ZONES)),
            customers=draw(st.none() | st.sampled_from([10, 40, 2_000])),
            geometry=draw(st.none() | st.builds(square, st.just(number), st.integers(1, 3))),
        )
        for number in numbers
    ]
    return PublicList(NOW, in_order(found))
