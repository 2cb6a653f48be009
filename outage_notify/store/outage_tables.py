"""Outages, their revisions and the audience frozen with each revision."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outage_notify.domain.audience import Impact, Tier
from outage_notify.domain.outage import OutageKind, OutageState, RevisionState
from outage_notify.store.database import Base, Id, Instant, Word
from outage_notify.store.people_tables import Customer, ServicePoint


class Outage(Base):
    """The outage and where it stands. `revision` is the standing one: the newest that was
    approved, or 1 before any was."""

    __tablename__ = "outages"
    __table_args__ = (Index(None, "state"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[OutageKind] = mapped_column(Word(OutageKind))
    state: Mapped[OutageState] = mapped_column(Word(OutageState), default=OutageState.DRAFT)
    revision: Mapped[int] = mapped_column(Integer, default=1)
    timezone: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(Instant)
    created_by: Mapped[str] = mapped_column(String(100))
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    # Set while it overruns: when supply is expected back.
    expected_end: Mapped[datetime | None] = mapped_column(Instant)
    completed_at: Mapped[datetime | None] = mapped_column(Instant)
    cancelled_at: Mapped[datetime | None] = mapped_column(Instant)
    cancel_reason: Mapped[str] = mapped_column(String(500), default="")
    # The decision to start although key customers have not signed: of which revision, who, why.
    go_revision: Mapped[int | None] = mapped_column(Integer)
    go_by: Mapped[str] = mapped_column(String(100), default="", server_default="")
    go_reason: Mapped[str] = mapped_column(String(500), default="", server_default="")
    go_at: Mapped[datetime | None] = mapped_column(Instant)
    # Raised with every write; a writer that read an older one is told so.
    version: Mapped[int] = mapped_column(Integer, default=1)
    changed_at: Mapped[datetime] = mapped_column(Instant)

    revisions: Mapped[list[OutageRevision]] = relationship(
        back_populates="outage", order_by="OutageRevision.number"
    )

    __mapper_args__ = {"version_id_col": version}

    @property
    def standing(self) -> OutageRevision:
        return next(one for one in self.revisions if one.number == self.revision)

    @property
    def pending(self) -> OutageRevision | None:
        """A revision that is drafted or submitted beside the standing one."""
        newest = self.revisions[-1]
        open_states = {RevisionState.DRAFT, RevisionState.SUBMITTED}
        return newest if newest.number > self.revision and newest.state in open_states else None

    @property
    def newest(self) -> OutageRevision:
        """The revision that planners work on: the pending one, else the standing one."""
        return self.pending or self.standing


class OutageRevision(Base):
    """What is planned: window, work, switching. Frozen once submitted."""

    __tablename__ = "outage_revisions"
    __table_args__ = (UniqueConstraint("outage_ref", "number"), Index(None, "start"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    outage_ref: Mapped[int] = mapped_column(ForeignKey("outages.id"))
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[RevisionState] = mapped_column(Word(RevisionState), default=RevisionState.DRAFT)
    start: Mapped[datetime] = mapped_column(Instant)
    end: Mapped[datetime] = mapped_column(Instant)
    # Why, in each language: {"zh-CN": "...", "en": "..."}; at least one is there.
    reason: Mapped[dict[str, str]] = mapped_column(JSON)
    # Area and line in words, for the announcement.
    area: Mapped[str] = mapped_column(String(300), default="")
    line: Mapped[str] = mapped_column(String(300), default="")
    # What was asked for: {"work": [...], "out": [...], "close": [...], "close_ties": bool}
    switching: Mapped[dict[str, Any]] = mapped_column(JSON)
    # What the trace answered: {"opened": [...], "closed": [...]}
    isolation: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    lost: Mapped[list[str]] = mapped_column(JSON, default=list)
    network_ref: Mapped[int | None] = mapped_column(ForeignKey("network_versions.id"))
    # The public area, a GeoJSON geometry; null where the network has no coordinates.
    public_area: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    planned_by: Mapped[str] = mapped_column(String(100))
    submitted_by: Mapped[str | None] = mapped_column(String(100))
    submitted_at: Mapped[datetime | None] = mapped_column(Instant)
    approved_by: Mapped[str | None] = mapped_column(String(100))
    approved_at: Mapped[datetime | None] = mapped_column(Instant)
    # A permitted exception from the lead that the law asks for, and what it excepts from.
    exception_reason: Mapped[str] = mapped_column(Text, default="")
    exception_rule: Mapped[str] = mapped_column(String(200), default="")
    # Checks that the planner asked to be let through, and who accepted that:
    # [{"check", "finding", "reason", "asked_by", "accepted_by", "accepted_reason", "accepted_at"}]
    overrides: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)

    # The utility's own steps that were in force at approval; none where there were none.
    own_steps_ref: Mapped[int | None] = mapped_column(BigInteger)

    outage: Mapped[Outage] = relationship(back_populates="revisions")


class AudienceMember(Base):
    """One affected service point of one revision, frozen at approval."""

    __tablename__ = "audience_members"
    __table_args__ = (
        UniqueConstraint("revision_ref", "service_point_ref"),
        Index(None, "customer_ref"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    revision_ref: Mapped[int] = mapped_column(ForeignKey("outage_revisions.id", ondelete="CASCADE"))
    service_point_ref: Mapped[int] = mapped_column(ForeignKey("service_points.id"))
    customer_ref: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    impact: Mapped[Impact] = mapped_column(Word(Impact))
    tier: Mapped[Tier] = mapped_column(Word(Tier))
    is_key: Mapped[bool] = mapped_column(Boolean)
    life_support: Mapped[bool] = mapped_column(Boolean)

    customer: Mapped[Customer] = relationship()
    service_point: Mapped[ServicePoint] = relationship()
