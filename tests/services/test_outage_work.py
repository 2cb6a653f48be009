"""Work on an outage done by the worker: a big approval, and all papers as one file."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from channels.model import Language
from channels.papers import Paper
from outage_notify.domain.errors import NotFound
from outage_notify.domain.outage import OutageState
from outage_notify.services import desk_views, long_work, outage_work
from outage_notify.services.runtime import Runtime
from outage_notify.store.job_tables import JobKind, JobState
from tests.factories import town
from tests.factories.runtimes import StandingClock, make_runtime

OPTIONS = {"version": None, "accept_exception": False, "override_reason": ""}


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Runtime:
    runtime = make_runtime(database_url, tmp_path)
    town.build(runtime, tmp_path)
    return runtime


def test_the_worker_approves_for_whoever_asked_and_once(rt: Runtime) -> None:
    reference = town.submitted(rt)
    job = long_work.ask_about(rt, town.APPROVER, JobKind.APPROVAL, reference, OPTIONS)
    assert long_work.ask_about(rt, town.APPROVER, JobKind.APPROVAL, reference, OPTIONS) == job
    assert long_work.work_due(rt) == 1
    done = long_work.one(rt, job)
    assert done.state is JobState.DONE and done.result["messages"] > 20
    assert desk_views.version_of(rt, reference).state is OutageState.APPROVED
    # Asked for once more, it is refused with the reason, and nothing is planned twice.
    again = long_work.ask_about(rt, town.APPROVER, JobKind.APPROVAL, reference, OPTIONS)
    assert again != job and long_work.work_due(rt) == 1
    assert long_work.one(rt, again).state is JobState.FAILED
    assert reference in long_work.one(rt, again).result["message"]
    assert [one.id for one in long_work.listing(rt)] == []


def test_the_worker_lets_nobody_approve_who_may_not(rt: Runtime) -> None:
    reference = town.submitted(rt)
    job = long_work.ask_about(rt, town.PLANNER, JobKind.APPROVAL, reference, OPTIONS)
    long_work.work_due(rt)
    assert long_work.one(rt, job).state is JobState.FAILED
    assert desk_views.version_of(rt, reference).state is OutageState.SUBMITTED


def test_all_papers_come_as_one_file_that_is_kept_for_a_day(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage_work, "LETTERS", 3)
    reference = town.approved(rt)
    job = long_work.ask_about(rt, town.PLANNER, JobKind.PAPERS, reference, {})
    with pytest.raises(NotFound):
        list(long_work.made(rt, job))
    long_work.work_due(rt)
    body = b"".join(long_work.made(rt, job))
    assert long_work.one(rt, job).size == len(body)
    with ZipFile(BytesIO(body)) as file:
        names = set(file.namelist())
        papers = {f"{reference}-{one.value}-{tag.value}" for one in Paper for tag in Language}
        letters = {f"{reference}-key-customers-{part}" for part in (1, 2)}
        assert names == {f"{reference}/{one}.{form}" for one in papers | letters for form in ("pdf", "txt")}
        assert all(file.read(name)[:4] == b"%PDF" for name in names if name.endswith(".pdf"))
        text = "".join(file.read(f"{reference}/{one}.txt").decode() for one in letters)
        assert "市第一人民医院" in text and "City Water Works" in text
    assert isinstance(rt.clock, StandingClock)
    rt.clock.instant += timedelta(days=1, minutes=1)
    long_work.work_due(rt)
    with pytest.raises(NotFound):
        list(long_work.made(rt, job))
