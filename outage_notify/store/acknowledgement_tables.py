"""Signed answers of key customers, and the chain of receipts that proves them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.store.database import Base, Id, Instant, Word
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer

_SERIAL_AT = 40  # an identifier never needs as many bits


def link_subject(ack: int, serial: int) -> int:
    """What a link to sign names: the acknowledgement, and how often its links were revoked before."""
    return ack | (serial << _SERIAL_AT)


def of_link_subject(subject: int) -> tuple[int, int]:
    """The inverse: (acknowledgement, serial)."""
    return subject & ((1 << _SERIAL_AT) - 1), subject >> _SERIAL_AT


class Acknowledgement(Base):
    """A key customer's answer to one revision; exactly one row per customer and revision."""

    __tablename__ = "acknowledgements"
    __table_args__ = (
        UniqueConstraint("outage_ref", "revision", "customer_ref"),
        Index(None, "state", "next_step_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    outage_ref: Mapped[int] = mapped_column(ForeignKey("outages.id"))
    revision: Mapped[int] = mapped_column(Integer)
    customer_ref: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    state: Mapped[AckState] = mapped_column(Word(AckState), default=AckState.REQUESTED)
    requested_at: Mapped[datetime] = mapped_column(Instant)
    # How many steps of the policy's escalation were taken, and when the next is due.
    step: Mapped[int] = mapped_column(Integer, default=0)
    next_step_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    way: Mapped[AckWay | None] = mapped_column(Word(AckWay))
    signer_name: Mapped[str] = mapped_column(String(200), default="")
    signer_role: Mapped[str] = mapped_column(String(200), default="")
    # Of an objection or refusal.
    reason: Mapped[str] = mapped_column(Text, default="")
    witness: Mapped[str] = mapped_column(String(200), default="")
    wished: Mapped[str] = mapped_column(String(200), default="")
    # The exact text that was shown, and its hash.
    text: Mapped[str] = mapped_column(Text, default="")
    text_sha256: Mapped[str] = mapped_column(String(64), default="")
    # How often the links to it were revoked; a link names the number that stood when it was made.
    link_serial: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    customer: Mapped[Customer] = relationship()
    outage: Mapped[Outage] = relationship()


class SignedReceipt(Base):
    """One link of the chain: an Ed25519 JWS. Rows are only ever added."""

    __tablename__ = "signed_receipts"
    __table_args__ = (Index(None, "acknowledgement_ref"),)

    # Counted by the chain itself from 1, without gaps.
    sequence: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    acknowledgement_ref: Mapped[int] = mapped_column(ForeignKey("acknowledgements.id"))
    signed_at: Mapped[datetime] = mapped_column(Instant)
    jws: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    previous_sha256: Mapped[str] = mapped_column(String(64), unique=True)


class AnswerScan(Base):
    """The scanned slip of an answer on paper; its receipt names the hash, so that another one is noticed."""

    __tablename__ = "answer_scans"

    sequence: Mapped[int] = mapped_column(
        ForeignKey("signed_receipts.sequence"), primary_key=True, autoincrement=False
    )
    mimetype: Mapped[str] = mapped_column(String(40))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    added_by: Mapped[str] = mapped_column(String(100))


class AnswerPhoto(Base):
    """A photograph taken at a visit, as it was kept (without where it was taken); its receipt names the hash."""

    __tablename__ = "answer_photos"

    sequence: Mapped[int] = mapped_column(
        ForeignKey("signed_receipts.sequence"), primary_key=True, autoincrement=False
    )
    mimetype: Mapped[str] = mapped_column(String(40))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    added_by: Mapped[str] = mapped_column(String(100))


class VerificationKey(Base):
    """Public keys that receipts were signed with; never deleted, so that old receipts verify."""

    __tablename__ = "verification_keys"

    kid: Mapped[str] = mapped_column(String(100), primary_key=True)
    jwk: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(Instant)
