"""What the planner's screen shows while one is still typing: as much as the form allows, nothing stored.

The network half needs something to be worked on, the window half a beginning and an end; with both, everything
that stands in the way is there too. A half that can't be served says why and leaves the other standing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from outage_notify.domain.checks import Finding
from outage_notify.domain.errors import OutageNotifyError
from outage_notify.domain.outage import OutageKind
from outage_notify.domain.window import check_window
from outage_notify.services import merge_outages
from outage_notify.services.merge_outages import Taken
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.services.planner_view import PlannerView, planner_view
from outage_notify.services.preview_plan import PlanPreview, preview_plan
from outage_notify.services.resolve_audience import Switching
from outage_notify.services.runtime import Runtime
from outage_notify.services.window_facts import WindowFacts, window_facts
from outage_notify.store import planner_queries

# Other outages whose window lies this near may be traced together with the plan.
NEAR = timedelta(days=7)
MOST_NEAR = 50


@dataclass(frozen=True)
class Draft:
    """A form that may still be half empty. `beside`: references of outages to trace together with; `merged`: of those
    whose work it takes in."""

    switching: Switching
    kind: OutageKind = OutageKind.PLANNED
    start: datetime | None = None
    end: datetime | None = None
    reason: dict[str, str] = field(default_factory=dict)
    area: str = ""
    line: str = ""
    beside: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    reference: str = ""
    window_fault: OutageNotifyError | None = None


@dataclass(frozen=True)
class Screen:
    """`network` and `window` are None while the form says too little, or where the fault says why."""

    network: PlannerView | None = None
    network_fault: OutageNotifyError | None = None
    window: WindowFacts | None = None
    window_fault: OutageNotifyError | None = None
    preview: PlanPreview | None = None
    near: Sequence[tuple[str, str]] = ()
    taken: Sequence[Taken] = ()
    taken_fault: OutageNotifyError | None = None

    @property
    def findings(self) -> list[Finding]:
        """What stands in the way once the outages that are taken in are cancelled."""
        gone = {one.reference for one in self.taken if one.quiet}
        found = self.preview.findings if self.preview else ()
        return [one for one in found if not one.references or not gone.issuperset(one.references)]

    @property
    def blank(self) -> bool:
        return not (self.network or self.network_fault or self.window or self.window_fault)


def look(rt: Runtime, draft: Draft) -> Screen:
    """Everything that can be said of a draft. Raises nothing that the planner could mend: faults are shown."""
    screen = _look(rt, draft)
    try:
        return replace(screen, taken=merge_outages.look_at(rt, draft.merged))
    except OutageNotifyError as error:
        return replace(screen, taken_fault=error)


def _look(rt: Runtime, draft: Draft) -> Screen:
    network: PlannerView | None = None
    network_fault: OutageNotifyError | None = None
    window_fault = draft.window_fault
    if draft.switching.work or draft.switching.out:
        try:
            network = planner_view(rt, draft.switching, draft.beside)
        except OutageNotifyError as error:
            network_fault = error
    if draft.start is None or draft.end is None or window_fault is not None:
        return Screen(network, network_fault, None, window_fault)
    start, end = draft.start, draft.end
    with rt.database.read() as session:
        now = rt.now(session)
        try:
            check_window(start, end, now)
        except OutageNotifyError as error:
            return Screen(network, network_fault, None, error)
        near = planner_queries.open_between(session, start - NEAR, end + NEAR, draft.reference, MOST_NEAR)
        if network is None:
            window = window_facts(session, rt, draft.kind, start, end, None, now)
            return Screen(None, network_fault, window, None, near=near)
    switching = draft.switching
    request = PlanRequest(
        draft.kind,
        start,
        end,
        draft.reason,
        draft.area,
        draft.line,
        switching.work,
        switching.out,
        switching.close,
        switching.close_ties,
    )
    preview = preview_plan(rt, request, draft.reference, network.foreseen)
    return Screen(network, network_fault, preview.window, None, preview, near)
