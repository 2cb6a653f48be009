"""An approval that somebody asks for: done at once, or left to the worker where the audience is big.

The desk and machines ask the same way. Promises: whatever can be refused without tracing anything is refused at once
(role, state, second person, version), so that no job is asked for in vain; the worker looks at all of it again. What is
left to the worker is approved as it was when it was asked for, or not at all. Asked twice, it is done once.
"""

from __future__ import annotations

from outage_notify.services import long_work, outage_work
from outage_notify.services.approve_outage import approve, require_approver
from outage_notify.services.plan_outage import require_version
from outage_notify.services.runtime import Runtime
from outage_notify.store import outage_queries
from outage_notify.store.job_tables import JobKind


def ask_approval(
    rt: Runtime,
    by: str,
    reference: str,
    accept_exception: bool = False,
    version: int | None = None,
    override_reason: str = "",
) -> int | None:
    """The number of the job that does it, or None: it is approved. Raises what `approve` raises."""
    if not outage_work.is_big(rt, reference):
        approve(rt, by, reference, accept_exception, version, override_reason)
        return None
    with rt.database.read() as session:
        outage = outage_queries.outage_by_reference(session, reference)
        require_version(outage, version)
        require_approver(session, outage, by)
        seen = outage.version
    options = {"version": seen, "accept_exception": accept_exception, "override_reason": override_reason}
    return long_work.ask_about(rt, by, JobKind.APPROVAL, reference, options)
