"""First byte of the board, one outage and the numbers with thousands of outages: `make bench-board`.

A small town on SQLite, one real outage copied with its audience of 21 over two years around now; whole
pages through the WSGI application, nine requests each, no network. Exit status 1 if a median misses
the goal. The figures of `numbers` have no goal of their own.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from outage_notify.domain.outage import OutageState, RevisionState
from outage_notify.services.runtime import Runtime
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.web import create_app
from tests.factories import town
from tests.factories.people import NOW, START
from tests.factories.runtimes import make_runtime
from tests.web.conftest import Person

GOAL = 0.2
REQUESTS = 9
PAGES = (
    ("board", "/desk/", True),
    ("board, one state", "/desk/?state=APPROVED", True),
    ("board, search", "/desk/?q=4711", True),
    ("board, needs somebody", "/desk/?needs=1", True),
    ("board, last page", "/desk/?page=200", True),
    ("calendar, a month", "/desk/?view=calendar", True),
    ("calendar, a week", "/desk/?view=calendar&week=2026-W11", True),
    ("map, the page", "/desk/?view=map", True),
    ("map, its areas", "/desk/board.geojson", True),
    ("one outage", "/desk/outages/{reference}", True),
    ("its papers", "/desk/outages/{reference}/papers", True),
    ("its texts", "/desk/outages/{reference}/texts", True),
    ("numbers of a year", "/desk/numbers", False),
    ("numbers of a month", "/desk/numbers?from=2026-03-01&to=2026-03-31", False),
)


def fill(rt: Runtime, reference: str, number: int, first: int = 1) -> None:
    """Copies of one approved outage, in all states, hour by hour around now. `first`: how many there are already."""
    with rt.database.write() as session:
        outage = session.scalars(select(Outage).where(Outage.reference == reference)).one()
        revision = outage.standing
        members = session.scalars(
            select(AudienceMember).where(AudienceMember.revision_ref == revision.id)
        ).all()
        facts = {one.key: getattr(revision, one.key) for one in OutageRevision.__mapper__.column_attrs}
        states = list(OutageState)
        outages: list[dict[str, Any]] = []
        revisions: list[dict[str, Any]] = []
        audience: list[dict[str, Any]] = []
        for at in range(first, number):
            state, start = states[at % 6], NOW + timedelta(hours=2 * (at - number // 2))
            outages.append(
                {
                    "id": outage.id + at,
                    "reference": f"PO-2025-{at:05d}",
                    "kind": outage.kind,
                    "state": state,
                    "revision": 1,
                    "timezone": outage.timezone,
                    "created_at": NOW,
                    "created_by": town.PLANNER,
                    "changed_at": NOW,
                    "version": 1,
                    "started_at": start if state in {OutageState.ACTIVE, OutageState.COMPLETED} else None,
                    "completed_at": start + timedelta(hours=5) if state is OutageState.COMPLETED else None,
                    "cancelled_at": start if state is OutageState.CANCELLED else None,
                }
            )
            draft = state in {OutageState.DRAFT, OutageState.SUBMITTED}
            revisions.append(
                facts
                | {
                    "id": revision.id + at,
                    "outage_ref": outage.id + at,
                    "start": start,
                    "end": start + timedelta(hours=4),
                    "area": f"Street {at}",
                    "state": RevisionState(state.value) if draft else RevisionState.APPROVED,
                    "approved_at": None if draft else NOW,
                }
            )
            audience += [
                {
                    "revision_ref": revision.id + at,
                    "service_point_ref": one.service_point_ref,
                    "customer_ref": one.customer_ref,
                    "impact": one.impact,
                    "tier": one.tier,
                    "is_key": one.is_key,
                    "life_support": one.life_support,
                }
                for one in members
            ]
        for table, rows in ((Outage, outages), (OutageRevision, revisions), (AudienceMember, audience)):
            session.execute(insert(table), rows)


def measure(person: Person, path: str) -> list[float]:
    found = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        answer = person.get(path)
        found.append(time.perf_counter() - began)
        assert answer.status_code == 200, (path, answer.status_code)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the desk's pages.")
    parser.add_argument("--outages", type=int, default=10_000)
    number = parser.parse_args().outages
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rt = make_runtime(f"sqlite:///{folder / 'bench.db'}", folder)
        town.build(rt, folder)
        reference = town.approved(rt, START)
        fill(rt, reference, number)
        app = create_app(rt)
        app.config["TEST_BASE"] = rt.settings.base_url
        person = Person(app).sign_in(town.PLANNER)
        missed = 0
        print(f"{number} outages; milliseconds: median, longest of {REQUESTS}")
        for label, path, judged in PAGES:
            times = measure(person, path.format(reference=reference))
            median = statistics.median(times)
            late = judged and median > GOAL
            missed += late
            print(f"{label:<24} {1000 * median:7.0f} {1000 * max(times):7.0f}{'  MISSED' if late else ''}")
        rt.database.close()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
