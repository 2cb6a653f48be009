"""A changed network asks a dispatcher: the task says in words and by tier who would join and who would leave."""

from __future__ import annotations

from outage_notify.services.retrace_open import Retraced
from outage_notify.services.runtime import Runtime
from outage_notify.store.work_queries import open_task
from outage_notify.store.work_tables import TaskKind
from tests.factories.people import NOW
from tests.web.conftest import Person


def test_the_task_says_who_would_join_and_leave(planner: Person, rt: Runtime) -> None:
    changed = Retraced("PO-2026-0001", {"SPECIAL": 1, "LOW_VOLTAGE": 12}, {}, 3)
    lost = Retraced("PO-2026-0002", {}, {}, 0, "There is no <line:7>.")
    with rt.database.write() as session:
        for at, one in enumerate((changed, lost)):
            open_task(session, TaskKind.AUDIENCE, f"audience:{at}", NOW, note=one.note)
        open_task(session, TaskKind.AUDIENCE, "audience:9", NOW, note="audience: [not ours]")
    page = planner.get("/desk/tasks?kind=audience").get_data(as_text=True)
    assert "Others would be affected" in page
    assert "13 (Special 1, Low voltage 12) would join and 0 would leave. 3 would be hit otherwise." in page
    assert "It cannot be traced any more: There is no &lt;line:7&gt;." in page
    assert "[not ours]" in page and "{&#34;" not in page
    chinese = planner.get("/desk/tasks?kind=audience&lang=zh-CN").get_data(as_text=True)
    assert "将新增 13（" in chinese or "将新增 13 (" in chinese
