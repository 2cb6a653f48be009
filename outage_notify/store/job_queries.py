"""Jobs: take the next one, say how far it is, end it; each step guarded by the attempt that holds it.

Promises: one job runs at a time; whoever lost a job to another attempt changes nothing more. A row of SQLite
can't be written while an import holds the database's one write lock, so progress is then left out, never waited for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from outage_notify.store.database import Database
from outage_notify.store.job_tables import Job, JobKind, JobPart, JobState

PART = 1 << 20
LISTED = 100


def add(session: Session, job: Job, parts: Iterable[bytes]) -> None:
    """A new job with its file, piece by piece."""
    session.add(job)
    session.flush()
    for place, content in enumerate(parts):
        session.execute(insert(JobPart).values(job_ref=job.id, place=place, content=content))


def parts(session: Session, job: int) -> Iterator[bytes]:
    """The file in order, at flat memory."""
    statement = select(JobPart.content).where(JobPart.job_ref == job).order_by(JobPart.place)
    yield from session.scalars(statement.execution_options(yield_per=4))


def put_parts(session: Session, job: int, attempt: int, parts: Iterable[bytes]) -> bool:
    """The file that an attempt made, in place of an earlier one. False: another attempt has taken over."""
    found = by_id(session, job, lock=True)
    if found is None or found.attempt != attempt:
        return False
    drop_parts(session, job)
    found.size = 0
    for place, content in enumerate(parts):
        session.execute(insert(JobPart).values(job_ref=job, place=place, content=content))
        found.size += len(content)
    return True


def outdated(session: Session, before: datetime) -> list[int]:
    """Jobs whose file was made so long ago that it is let go."""
    made = (Job.kind == JobKind.PAPERS, Job.state == JobState.DONE, Job.size > 0, Job.ended_at < before)
    return list(session.scalars(select(Job.id).where(*made)))


def forget_file(session: Session, job: int) -> None:
    """Let the file of a job go; that there was one is still known."""
    drop_parts(session, job)
    session.execute(update(Job).where(Job.id == job).values(size=0))


def drop_parts(session: Session, job: int) -> None:
    session.execute(delete(JobPart).where(JobPart.job_ref == job))


def newest(session: Session, kinds: Collection[JobKind], about: str = "") -> list[Job]:
    """Of these kinds, of all or of one outage."""
    query = select(Job).where(Job.kind.in_(kinds)).order_by(Job.id.desc()).limit(LISTED)
    return list(session.scalars(query.where(Job.file_name == about) if about else query))


def by_id(session: Session, id: int, *, lock: bool = False) -> Job | None:
    return session.get(Job, id, with_for_update=True if lock else None, populate_existing=True)


def take(session: Session, now: datetime, lease_until: datetime) -> Job | None:
    """The oldest waiting job, begun; None while another one runs or nothing waits."""
    # All rows that matter are locked in one order, so that two workers can't both begin one.
    open_states = (JobState.WAITING, JobState.RUNNING)
    rows = list(
        session.scalars(select(Job).where(Job.state.in_(open_states)).order_by(Job.id).with_for_update())
    )
    if any(one.state is JobState.RUNNING for one in rows):
        return None
    # A kind that a newer release asked for is left to that one's workers.
    known = frozenset(JobKind)
    found = next((one for one in rows if one.state is JobState.WAITING and one.kind in known), None)
    if found is None:
        return None
    found.state, found.attempt = JobState.RUNNING, found.attempt + 1
    found.began_at, found.lease_until, found.ended_at = now, lease_until, None
    found.phase, found.fraction, found.result = "", 0.0, {}
    return found


def lose_silent(session: Session, now: datetime) -> list[int]:
    """Jobs whose worker fell silent are broken off; which ones these are."""
    statement = (
        update(Job)
        .where(Job.state == JobState.RUNNING, Job.lease_until < now)
        .values(state=JobState.LOST, ended_at=now)
        .returning(Job.id)
    )
    return list(session.scalars(statement))


def has_silent(session: Session, now: datetime) -> bool:
    statement = select(Job.id).where(Job.state == JobState.RUNNING, Job.lease_until < now)
    return session.scalar(statement.limit(1)) is not None


def has_waiting(session: Session) -> bool:
    return session.scalar(select(Job.id).where(Job.state == JobState.WAITING).limit(1)) is not None


def say_how_far(
    database: Database,
    job: int,
    attempt: int,
    lease_until: datetime,
    phase: str | None = None,
    fraction: float | None = None,
) -> bool:
    """Write progress in a transaction of its own. False: another attempt has taken over, or the database is busy."""
    statement = (
        update(Job)
        .where(Job.id == job, Job.attempt == attempt, Job.state == JobState.RUNNING)
        .values(lease_until=lease_until)
    )
    if phase is not None:
        statement = statement.values(phase=phase[:60], fraction=fraction)
    with database.engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        if database.is_sqlite:
            driver.execute("PRAGMA busy_timeout=0")
        try:
            with connection.begin():
                return cast(CursorResult[Any], connection.execute(statement)).rowcount == 1
        except OperationalError:
            return False
        finally:
            if database.is_sqlite:
                driver.execute("PRAGMA busy_timeout=60000")


def end(
    session: Session, job: int, attempt: int, state: JobState, result: dict[str, Any], now: datetime
) -> bool:
    """How an attempt ended; also one that was given up for lost meanwhile. False if a newer attempt has begun."""
    statement = (
        update(Job)
        .where(Job.id == job, Job.attempt == attempt, Job.state.in_((JobState.RUNNING, JobState.LOST)))
        .values(state=state, result=result, ended_at=now, lease_until=None)
    )
    if state is JobState.DONE:
        statement = statement.values(fraction=1.0, phase="done")
    return cast(CursorResult[Any], session.execute(statement)).rowcount == 1
