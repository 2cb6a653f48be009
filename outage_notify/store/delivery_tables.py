"""The outbox: notices, deliveries, attempts, what providers said, and the senders' budgets."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from channels.model import Channel, Language
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.store.database import Base, Id, Instant, Word
from outage_notify.store.people_tables import Customer


class Notice(Base):
    """(outage, revision, kind, serial). Sending one again raises the serial."""

    __tablename__ = "notices"
    __table_args__ = (UniqueConstraint("outage_ref", "revision", "kind", "serial"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    outage_ref: Mapped[int] = mapped_column(ForeignKey("outages.id"))
    revision: Mapped[int] = mapped_column(Integer)
    kind: Mapped[NoticeKind] = mapped_column(Word(NoticeKind))
    serial: Mapped[int] = mapped_column(Integer, default=1)
    # The moment by which it should be out; the law's deadline where there is one.
    deadline: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    # After this it is of no use and must not go out.
    not_after: Mapped[datetime] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    # Facts of the moment that texts need and revisions don't hold: old_start, expected_end, ...
    facts: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    # Somebody was in doubt when it was made: whoever turns out to have been told is still added.
    incomplete: Mapped[bool] = mapped_column(Boolean, default=False)


class Delivery(Base):
    """One notice to one address by one channel. A row never changes its channel.

    `rung` is the step of the ladder that it stands on. `fence` is raised with each claim:
    a worker that lost its lease can no longer settle. `urgent` may go out in quiet hours.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("notice_ref", "address", "channel"),
        Index(
            "ix_deliveries_due",
            "channel",
            "priority",
            "due_at",
            postgresql_where=text("state = 'READY'"),
            sqlite_where=text("state = 'READY'"),
        ),
        Index(
            "ix_deliveries_open",
            "state",
            "lease_until",
            postgresql_where=text("state IN ('CLAIMED', 'SUBMITTING', 'IN_DOUBT')"),
            sqlite_where=text("state IN ('CLAIMED', 'SUBMITTING', 'IN_DOUBT')"),
        ),
        Index(None, "outage_ref", "revision"),
        Index(
            None,
            "provider_id",
            postgresql_where=text("provider_id IS NOT NULL"),
            sqlite_where=text("provider_id IS NOT NULL"),
        ),
        # A call carries no reference: which of them went to a number is asked for each doubt and each report.
        Index(
            "ix_deliveries_calls",
            "address",
            postgresql_where=text("channel = 'voice'"),
            sqlite_where=text("channel = 'voice'"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    # Printed in each text, so that the message is found again at the provider.
    short_ref: Mapped[str] = mapped_column(String(12), unique=True)
    notice_ref: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    outage_ref: Mapped[int] = mapped_column(ForeignKey("outages.id"))
    revision: Mapped[int] = mapped_column(Integer)
    channel: Mapped[Channel] = mapped_column(Word(Channel))
    address: Mapped[str] = mapped_column(String(320))
    contact_ref: Mapped[int | None] = mapped_column(ForeignKey("contact_points.id"))
    language: Mapped[Language] = mapped_column(Word(Language))
    priority: Mapped[int] = mapped_column(Integer)  # 0 = life support, then by tier
    rung: Mapped[int] = mapped_column(Integer, default=0)
    urgent: Mapped[bool] = mapped_column(Boolean, default=False)
    state: Mapped[DeliveryState] = mapped_column(Word(DeliveryState), default=DeliveryState.READY)
    due_at: Mapped[datetime] = mapped_column(Instant)
    not_after: Mapped[datetime] = mapped_column(Instant)
    # Unsent deliveries of a revision pause while its successor awaits approval.
    paused: Mapped[bool] = mapped_column(Boolean, default=False)
    claimed_by: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    fence: Mapped[int] = mapped_column(Integer, default=0)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    # The sender that was handed it last: who is asked about it in doubt. Empty: none yet.
    sender: Mapped[str] = mapped_column(String(60), default="", server_default="")
    provider_id: Mapped[str | None] = mapped_column(String(200))
    began_at: Mapped[datetime | None] = mapped_column(Instant)
    accepted_at: Mapped[datetime | None] = mapped_column(Instant)
    delivered_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)  # failed or withdrawn
    code: Mapped[str] = mapped_column(String(40), default="")
    fault: Mapped[str] = mapped_column(String(40), default="")
    detail: Mapped[str] = mapped_column(String(500), default="")
    doubt_since: Mapped[datetime | None] = mapped_column(Instant)
    doubt_asked: Mapped[int] = mapped_column(Integer, default=0)
    next_check_at: Mapped[datetime | None] = mapped_column(Instant)
    # Voice: when the provider fetched the words of the call, and the key that was pressed.
    spoken_at: Mapped[datetime | None] = mapped_column(Instant)
    digits: Mapped[str] = mapped_column(String(10), default="")
    # The ladder below a failed row was looked at (next rung inserted or none left).
    stepped: Mapped[bool] = mapped_column(Boolean, default=False)
    # The utility's own words that it was made with: the newest row of `own_texts` then, 0 where there was none.
    # None: it was never begun, or by a release that knew the delivered words alone.
    words: Mapped[int | None] = mapped_column(BigInteger)
    letter_batch_ref: Mapped[int | None] = mapped_column(ForeignKey("letter_batches.id"))

    notice: Mapped[Notice] = relationship()
    recipients: Mapped[list[DeliveryRecipient]] = relationship(
        back_populates="delivery", order_by="DeliveryRecipient.customer_ref"
    )


class DeliveryRecipient(Base):
    """Whom a delivery tells: usually one customer, several where they share an address."""

    __tablename__ = "delivery_recipients"
    __table_args__ = (Index(None, "customer_ref"),)

    delivery_ref: Mapped[int] = mapped_column(
        ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True
    )
    customer_ref: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)

    delivery: Mapped[Delivery] = relationship(back_populates="recipients")
    customer: Mapped[Customer] = relationship()


class Attempt(Base):
    """One call to a provider: committed before the call, settled after it."""

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "delivery_ref"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    delivery_ref: Mapped[int] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    fence: Mapped[int] = mapped_column(Integer)
    worker: Mapped[str] = mapped_column(String(100))
    sender: Mapped[str] = mapped_column(String(60))
    began_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    outcome: Mapped[str] = mapped_column(String(20), default="")
    code: Mapped[str] = mapped_column(String(40), default="")
    provider_id: Mapped[str] = mapped_column(String(200), default="")


class ProviderReport(Base):
    """What a provider said later, raw, stored before anything is done with it."""

    __tablename__ = "provider_reports"
    __table_args__ = (
        Index(
            "ix_provider_reports_open",
            "id",
            postgresql_where=text("applied_at IS NULL"),
            sqlite_where=text("applied_at IS NULL"),
        ),
        Index(None, "delivery_ref"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    received_at: Mapped[datetime] = mapped_column(Instant)
    channel: Mapped[Channel] = mapped_column(Word(Channel))
    delivery_ref: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id", ondelete="SET NULL"))
    form: Mapped[dict[str, str]] = mapped_column(JSON)
    applied_at: Mapped[datetime | None] = mapped_column(Instant)
    # What came of it: applied, outranked, unknown message, ...
    verdict: Mapped[str] = mapped_column(String(60), default="")


class SenderBudget(Base):
    """What releases before revision 0016 kept of each sender. Nothing here reads it (`sender_tables`
    does); it stays while workers of such a release may still run, and a later revision drops it."""

    __tablename__ = "sender_budgets"

    channel: Mapped[Channel] = mapped_column(Word(Channel), primary_key=True)
    per_second: Mapped[float] = mapped_column(Float)
    burst: Mapped[float] = mapped_column(Float)
    tokens: Mapped[float] = mapped_column(Float)
    refilled_at: Mapped[datetime] = mapped_column(Instant)
    # Until then nothing is claimed: the provider said 429, or our configuration is at fault.
    held_until: Mapped[datetime | None] = mapped_column(Instant)
    held_reason: Mapped[str] = mapped_column(Text, default="")


class LetterBatch(Base):
    """Letters printed together; posting and delivery dates are entered by a person."""

    __tablename__ = "letter_batches"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    outage_ref: Mapped[int] = mapped_column(ForeignKey("outages.id"))
    printed_at: Mapped[datetime] = mapped_column(Instant)
    printed_by: Mapped[str] = mapped_column(String(100))
    posted_at: Mapped[datetime | None] = mapped_column(Instant)
    delivered_at: Mapped[datetime | None] = mapped_column(Instant)
    # What was printed, byte for byte: it is proof, and names and texts change later.
    pdf: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
