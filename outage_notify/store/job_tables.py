"""Long work that a page asked for and the worker does: one row per job, the uploaded file, or the one that was made,
in parts beside it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base, Id, Instant, Word


class JobKind(StrEnum):
    NETWORK = "network"
    CUSTOMERS = "customers"
    ADDRESSES = "addresses"
    SERVICE_POINTS = "service_points"
    APPROVAL = "approval"  # of an outage that hits very many
    PAPERS = "papers"  # all papers of an outage as one file


IMPORTS = frozenset({JobKind.NETWORK, JobKind.CUSTOMERS, JobKind.ADDRESSES, JobKind.SERVICE_POINTS})


class JobState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"  # the file has faults; nothing was changed
    FAILED = "failed"  # a defect or the database; nothing was changed
    LOST = "lost"  # whoever did it fell silent; a person may start it again


class Job(Base):
    __tablename__ = "jobs"
    __table_args__ = (Index(None, "state"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[JobKind] = mapped_column(Word(JobKind))
    state: Mapped[JobState] = mapped_column(Word(JobState))
    # Of an import the file; else the reference of the outage.
    file_name: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    asked_by: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    # Raised by each start: only the newest attempt may say how far it is and how it ended.
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    phase: Mapped[str] = mapped_column(String(60), default="")
    fraction: Mapped[float] = mapped_column(Float, default=0.0)
    began_at: Mapped[datetime | None] = mapped_column(Instant)
    # Whoever does it says so again and again; silent beyond this, it counts as lost.
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    # The report of an import, or its faults by file, row and field.
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class JobPart(Base):
    """A piece of the uploaded file, gone once the job is done or refused; or of the file that the job made."""

    __tablename__ = "job_parts"

    job_ref: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
