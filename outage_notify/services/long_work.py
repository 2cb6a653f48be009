"""Work that a page asked for, done by the worker: asked for, begun, watched, ended, started again.

Promises: the uploaded file lies in the database, so any worker may take it and any page can say how far it is;
one job runs at a time, the oldest first; a worker that dies leaves a job that is seen as broken off within two
minutes and can be started again, which harms nothing, because each is all or nothing: the same file twice is a
no-op, what is approved is not approved again, and papers are only read. A file that was made is kept for a day.
Leaves the work itself to the imports and `outage_work`.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import structlog

import geo.readers
from outage_notify.domain.errors import Conflict, ImportRefused, InvalidInput, NotFound, OutageNotifyError
from outage_notify.services import outage_work
from outage_notify.services.customer_file import Progress
from outage_notify.services.import_addresses import import_addresses
from outage_notify.services.import_customers import import_customers
from outage_notify.services.import_network import import_network
from outage_notify.services.import_report import ImportReport, fault_dict
from outage_notify.services.runtime import Runtime
from outage_notify.services.service_places import import_places
from outage_notify.store import job_queries, outage_queries
from outage_notify.store.job_tables import IMPORTS, Job, JobKind, JobState
from outage_notify.store.work_queries import record

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
KEPT = timedelta(days=1)
LARGEST_FILE = 512 * 1024 * 1024
AGAIN = frozenset({JobState.LOST, JobState.FAILED})
OVER = frozenset({JobState.DONE, JobState.REFUSED, JobState.FAILED, JobState.LOST})
_SAY_EVERY = 0.5  # seconds


@dataclass(frozen=True)
class Wish:
    """What to do with a file. InvalidInput for a format that is none."""

    kind: JobKind
    format: str = "auto"
    dry_run: bool = False
    mapping: str = ""  # of a GIS export, as YAML

    def __post_init__(self) -> None:
        if self.format != "auto" and self.format not in geo.readers.FORMATS:
            raise InvalidInput(f"There is no format {self.format!r}.", "Choose one of the list.")

    def options(self) -> dict[str, Any]:
        return {"format": self.format, "dry_run": self.dry_run, "mapping": self.mapping}


def ask(rt: Runtime, by: str, wish: Wish, file_name: str, stream: IO[bytes]) -> int:
    """Keep the file and have the worker import it; the job's number. Dying midway leaves nothing.

    InvalidInput for an empty file or one that is too large; Conflict if the very same is waiting or under way.
    """
    name, digest, size = _safe(file_name), sha256(), 0
    while part := stream.read(job_queries.PART):
        digest.update(part)
        size += len(part)
        if size > LARGEST_FILE:
            raise InvalidInput("The file is larger than 512 MB.", "Compress it, or import it by command.")
    if not size:
        raise InvalidInput("The file is empty or missing.", "Choose the file that was exported.")
    stream.seek(0)
    with rt.database.write() as session:
        now = rt.now(session)
        for one in job_queries.newest(session, IMPORTS):
            if one.sha256 == digest.hexdigest() and one.options == wish.options() and one.state not in OVER:
                raise Conflict("This very file is being imported already.", "Wait until it is done.")
        job = Job(
            kind=wish.kind,
            state=JobState.WAITING,
            file_name=name,
            size=size,
            sha256=digest.hexdigest(),
            options=wish.options(),
            asked_by=by,
            asked_at=now,
        )
        job_queries.add(session, job, _parts(stream))
        record(
            session, now, by, "job_asked", job=job.id, kind=wish.kind.value, file=name, dry_run=wish.dry_run
        )
        return job.id


def ask_about(rt: Runtime, by: str, kind: JobKind, reference: str, options: dict[str, Any]) -> int:
    """Have the worker do something with an outage; the job's number. Asked twice, it is done once."""
    with rt.database.write() as session:
        now = rt.now(session)
        outage = outage_queries.outage_by_reference(session, reference)
        for one in job_queries.newest(session, [kind], reference):
            if one.options == options and _as_seen(one, now).state not in OVER:
                return one.id
        job = Job(
            kind=kind,
            state=JobState.WAITING,
            file_name=reference,
            size=0,
            sha256="",
            options=options,
            asked_by=by,
            asked_at=now,
        )
        job_queries.add(session, job, ())
        record(session, now, by, "work_asked", outage=outage.id, job=job.id, kind=kind.value)
        return job.id


def about(rt: Runtime, reference: str, kind: JobKind) -> Job | None:
    """The newest of a kind that was asked for an outage."""
    with rt.database.read() as session:
        found = job_queries.newest(session, [kind], reference)
        return _as_seen(found[0], rt.now(session)) if found else None


def made(rt: Runtime, job_id: int) -> Iterator[bytes]:
    """The file that a job made, piece by piece. NotFound where there is none, or none any more."""
    job = one(rt, job_id)
    if job.kind is not JobKind.PAPERS or job.state is not JobState.DONE or not job.size:
        raise NotFound("There is no such file any more.", "Have it made again.")
    with rt.database.read() as session:
        yield from job_queries.parts(session, job_id)


def start_again(rt: Runtime, by: str, job_id: int) -> None:
    """Let a job that broke off wait for a worker once more. Twice is harmless; Conflict if it did not break off."""
    with rt.database.write() as session:
        job = job_queries.by_id(session, job_id, lock=True)
        if job is None:
            raise NotFound("There is no such work.", "Look at the list again.")
        if job.state is JobState.WAITING:
            return
        if job.state not in AGAIN:
            raise Conflict(f"This is {job.state}; it can't be started again.", "Ask for it anew.")
        # Whoever may still be at it loses its attempt, so that it can't end this one.
        job.state, job.attempt, job.ended_at = JobState.WAITING, job.attempt + 1, None
        job.phase, job.fraction = "", 0.0
        # Who starts an approval again answers for it.
        job.asked_by = by if job.kind is JobKind.APPROVAL else job.asked_by
        what = "job_started_again" if job.kind in IMPORTS else "work_started_again"
        record(session, rt.now(session), by, what, job=job.id)


def listing(rt: Runtime) -> list[Job]:
    """Imports, the newest first."""
    with rt.database.read() as session:
        return [_as_seen(one, rt.now(session)) for one in job_queries.newest(session, IMPORTS)]


def one(rt: Runtime, job_id: int) -> Job:
    with rt.database.read() as session:
        job = job_queries.by_id(session, job_id)
        if job is None:
            raise NotFound("There is no such work.", "Look at the list again.")
        return _as_seen(job, rt.now(session))


def work_due(rt: Runtime) -> int:
    """Do what waits, one job after the other, until nothing does; how many were done. For the worker's bell."""
    done = 0
    _let_go(rt)
    while _work_next(rt):
        done += 1
    return done


def _work_next(rt: Runtime) -> bool:
    with rt.database.read() as session:
        now = rt.now(session)
        # Asked before the write lock is taken: nearly always there is nothing to do.
        if not (job_queries.has_waiting(session) or job_queries.has_silent(session, now)):
            return False
    with rt.database.write() as session:
        now = rt.now(session)
        for lost in job_queries.lose_silent(session, now):
            log.warning("job broken off", job=lost)
        job = job_queries.take(session, now, now + LEASE)
    if job is None:
        return False
    state, result = _attempt(rt, job)
    with rt.database.write() as session:
        now = rt.now(session)
        if job_queries.end(session, job.id, job.attempt, state, result, now):
            if state in {JobState.DONE, JobState.REFUSED} and job.kind is not JobKind.PAPERS:
                job_queries.drop_parts(session, job.id)
            what = "job_ended" if job.kind in IMPORTS else "work_ended"
            record(session, now, job.asked_by, what, job=job.id, state=state.value)
    return True


def _let_go(rt: Runtime) -> None:
    """Files that were made hold names; after a day they go."""
    with rt.database.read() as session:
        old = job_queries.outdated(session, rt.now(session) - KEPT)
    for one in old:
        with rt.database.write() as session:
            job_queries.forget_file(session, one)


def _attempt(rt: Runtime, job: Job) -> tuple[JobState, dict[str, Any]]:
    """One try; whatever happens becomes a state, so that the page can show it."""
    try:
        with TemporaryDirectory(prefix="outage-notify-") as folder, _pulse(rt, job):
            report = _import(rt, job, Path(folder)) if job.kind in IMPORTS else _do(rt, job, Path(folder))
    except ImportRefused as error:
        return JobState.REFUSED, {"faults": [fault_dict(one) for one in error.faults], "more": error.more}
    except OutageNotifyError as error:
        return JobState.FAILED, {"message": error.message, "remedy": error.remedy}
    except Exception as error:
        # A defect, or the database went away: the class is enough for the log, a value could be personal.
        log.error("job failed", job=job.id, error=type(error).__name__)
        return JobState.FAILED, {
            "message": f"Unexpected: {type(error).__name__}.",
            "remedy": "Start it again.",
        }
    return JobState.DONE, report


def _import(rt: Runtime, job: Job, folder: Path) -> dict[str, Any]:
    path = folder / job.file_name
    with path.open("wb") as target, rt.database.read() as session:
        for part in job_queries.parts(session, job.id):
            target.write(part)
    progress = _saying(rt, job)
    dry_run = bool(job.options["dry_run"])
    plain = {
        JobKind.CUSTOMERS: import_customers,
        JobKind.ADDRESSES: import_addresses,
        JobKind.SERVICE_POINTS: _service_points,
    }.get(job.kind)
    if plain is not None:
        return plain(rt, path, dry_run, progress, job.asked_by).as_dict()
    mapping: Path | None = None
    if job.options["mapping"]:
        mapping = folder / "mapping.yaml"
        mapping.write_text(job.options["mapping"], encoding="utf-8")
    return import_network(rt, path, job.options["format"], dry_run, job.asked_by, progress, mapping).as_dict()


def _do(rt: Runtime, job: Job, folder: Path) -> dict[str, Any]:
    progress = _saying(rt, job)
    if job.kind is JobKind.APPROVAL:
        return outage_work.approve_asked(rt, job.asked_by, job.file_name, job.options, progress)
    if job.kind is not JobKind.PAPERS:
        raise InvalidInput(f"This release knows no work called {job.kind}.", "Let a newer worker do it.")
    target = folder / "papers.zip"
    report = outage_work.write_papers(rt, job.file_name, target, progress)
    with target.open("rb") as stream, rt.database.write() as session:
        if not job_queries.put_parts(session, job.id, job.attempt, _parts(stream)):
            raise Conflict("Another worker has begun this anew.", "Wait for it.")
    return report


def _service_points(rt: Runtime, path: Path, dry_run: bool, progress: Progress, by: str) -> ImportReport:
    number = import_places(rt, path, dry_run, by)
    return ImportReport(path.name, dry_run, {"service_places": {"all": number}})


@contextmanager
def _pulse(rt: Runtime, job: Job) -> Iterator[None]:
    """Says again and again that somebody is at it, also while a file is read for minutes without a word."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(LEASE.total_seconds() / 6):
            _say(rt, job)

    thread = threading.Thread(target=beat, name="job pulse", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _say(rt: Runtime, job: Job, phase: str | None = None, fraction: float | None = None) -> None:
    with rt.database.read() as session:
        lease = rt.now(session) + LEASE
    job_queries.say_how_far(rt.database, job.id, job.attempt, lease, phase, fraction)


def _saying(rt: Runtime, job: Job) -> Progress:
    """Writes progress twice a second at most, however often the import tells."""
    last: list[Any] = [0.0, ""]

    def say(phase: str, fraction: float) -> None:
        now = time.monotonic()
        if phase == last[1] and now - last[0] < _SAY_EVERY:
            return
        last[:] = [now, phase]
        _say(rt, job, phase, min(max(fraction, 0.0), 1.0))

    return say


def _as_seen(job: Job, now: datetime) -> Job:
    """As a person should see it: silent beyond its lease is broken off, also before a worker says so."""
    if job.state is JobState.RUNNING and job.lease_until is not None and job.lease_until < now:
        job.state = JobState.LOST
    return job


def _parts(stream: IO[bytes]) -> Iterator[bytes]:
    while part := stream.read(job_queries.PART):
        yield part


def _safe(name: str) -> str:
    """The file's own name without anything that leads elsewhere; its endings say how it is read."""
    last = re.split(r"[/\\]", name)[-1]
    kept = re.sub(r"[^\w.()\- ]", "_", last).strip(". ")
    return kept[-200:] or "file"
