"""Acknowledgements and the chain of receipts: who is asked, who may answer, what stands.

Each change of state is one UPDATE whose WHERE holds the legal predecessors and which says
whether it won. The chain has one head: whoever appends holds `lock_chain` until the end of
the transaction. What a move means to people is the business of the services.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import exists, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload, selectinload

from outage_notify.domain.acknowledgement import ANSWERED, OPEN, AckState, ack_predecessors
from outage_notify.domain.delivery import UNSENT, DeliveryState
from outage_notify.domain.notice import ANNOUNCEMENTS, NoticeKind
from outage_notify.domain.outage import OutageState
from outage_notify.store.acknowledgement_tables import (
    Acknowledgement,
    AnswerScan,
    SignedReceipt,
    VerificationKey,
)
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.outage_tables import AudienceMember, Outage
from outage_notify.store.people_tables import ServicePoint

# Number of the advisory lock that the chain's head is guarded with on PostgreSQL.
CHAIN_LOCK = 7036874417767
_ROWS_AT_ONCE = 500


def insert_requests(
    session: Session, outage: int, revision: int, customers: Iterable[int], now: datetime
) -> int:
    """Ask each of these customers unless they were asked about this revision already; how many are new.

    `next_step_at` starts as `now`: the first look at the request sets its real date, when it is
    known by which time the customer will have been told.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    wanted = sorted(set(customers))
    new = 0
    for first in range(0, len(wanted), _ROWS_AT_ONCE):
        rows = [
            {
                "outage_ref": outage,
                "revision": revision,
                "customer_ref": customer,
                "state": AckState.REQUESTED,
                "requested_at": now,
                "next_step_at": now,
            }
            for customer in wanted[first : first + _ROWS_AT_ONCE]
        ]
        statement = insert(Acknowledgement).values(rows).on_conflict_do_nothing()
        new += len(session.execute(statement.returning(Acknowledgement.id)).all())
    return new


def fresh(session: Session, ack: int) -> Acknowledgement | None:
    """The row as it is in the database now, whatever this session has read of it before."""
    return session.get(Acknowledgement, ack, populate_existing=True)


def fresh_outage(session: Session, outage: int) -> Outage:
    return session.get_one(Outage, outage, populate_existing=True)


def standing_of(session: Session, outage: int, customer: int) -> Acknowledgement | None:
    """The customer's acknowledgement of the standing revision."""
    return session.scalar(
        select(Acknowledgement)
        .join(
            Outage, (Outage.id == Acknowledgement.outage_ref) & (Outage.revision == Acknowledgement.revision)
        )
        .where(Acknowledgement.outage_ref == outage, Acknowledgement.customer_ref == customer)
        .execution_options(populate_existing=True)
    )


def of_revision(session: Session, outage: int, revision: int) -> list[Acknowledgement]:
    """Every acknowledgement of one revision, in the order of asking."""
    statement = (
        select(Acknowledgement)
        .where(Acknowledgement.outage_ref == outage, Acknowledgement.revision == revision)
        .order_by(Acknowledgement.id)
    )
    return list(session.scalars(statement))


def move(session: Session, ack: int, target: AckState, **values: Any) -> bool:
    """Enter `target` if the table of moves allows it from the present state. Says whether it won."""
    statement = (
        update(Acknowledgement)
        .where(Acknowledgement.id == ack, Acknowledgement.state.in_(ack_predecessors(target)))
        .values(state=target, **values)
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(statement.returning(Acknowledgement.id)).all()) == 1


def move_all(session: Session, outage: int, target: AckState, *, below: int | None = None) -> list[int]:
    """Enter `target` with every acknowledgement of an outage (of revisions below `below`) that may.
    Returns the customers whose acknowledgement moved."""
    statement = update(Acknowledgement).where(
        Acknowledgement.outage_ref == outage, Acknowledgement.state.in_(ack_predecessors(target))
    )
    if below is not None:
        statement = statement.where(Acknowledgement.revision < below)
    statement = statement.values(state=target, next_step_at=None)
    return sorted(set(session.scalars(statement.returning(Acknowledgement.customer_ref))))


# The chain


@dataclass(frozen=True)
class Head:
    """The end of the chain: number, hash and time of the last receipt."""

    sequence: int
    sha256: str
    signed_at: datetime


def lock_chain(session: Session) -> None:
    """Wait until nobody else appends, and keep it so until this transaction ends.

    On SQLite the writer's BEGIN IMMEDIATE has seen to that. Take it before touching the
    row of an acknowledgement, always: two transactions that answer several at once
    would otherwise wait for each other.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": CHAIN_LOCK})


def head(session: Session) -> Head | None:
    """The last receipt; None of an empty chain. To append, hold `lock_chain` first."""
    row = session.execute(
        select(SignedReceipt.sequence, SignedReceipt.sha256, SignedReceipt.signed_at)
        .order_by(SignedReceipt.sequence.desc())
        .limit(1)
    ).first()
    return Head(*row) if row else None


def last_receipt(session: Session, ack: int) -> SignedReceipt | None:
    """The newest receipt of one acknowledgement."""
    statement = select(SignedReceipt).where(SignedReceipt.acknowledgement_ref == ack)
    return session.scalar(statement.order_by(SignedReceipt.sequence.desc()).limit(1))


def receipt_by_hash(session: Session, sha256: str) -> tuple[SignedReceipt, Acknowledgement] | None:
    """The link with this hash and the answer that it proves."""
    row = session.execute(
        select(SignedReceipt, Acknowledgement)
        .join(Acknowledgement, SignedReceipt.acknowledgement_ref == Acknowledgement.id)
        .where(SignedReceipt.sha256 == sha256)
    ).first()
    return (row[0], row[1]) if row is not None else None


def add_scan(session: Session, sequence: int, mimetype: str, content: bytes, by: str) -> None:
    """Keep the slip of a receipt."""
    digest = sha256(content).hexdigest()
    session.add(AnswerScan(sequence=sequence, mimetype=mimetype, sha256=digest, content=content, added_by=by))


def receipts_of(session: Session, customer: int) -> list[tuple[SignedReceipt, Acknowledgement, bool]]:
    """The receipts of a customer, newest first, each with its answer and whether a scan is kept."""
    statement = (
        select(SignedReceipt, Acknowledgement, AnswerScan.sequence.is_not(None))
        .join(Acknowledgement, SignedReceipt.acknowledgement_ref == Acknowledgement.id)
        .outerjoin(AnswerScan, AnswerScan.sequence == SignedReceipt.sequence)
        .where(Acknowledgement.customer_ref == customer)
        .order_by(SignedReceipt.sequence.desc())
        .options(selectinload(Acknowledgement.outage))
        .limit(100)
    )
    return [(receipt, ack, bool(kept)) for receipt, ack, kept in session.execute(statement)]


def scan_hashes(session: Session, sequence: int) -> tuple[str, str]:
    """(hash of the scan that is kept, hash that was written beside it); two empty ones where none is kept."""
    row = session.execute(
        select(AnswerScan.content, AnswerScan.sha256).where(AnswerScan.sequence == sequence)
    ).first()
    return (sha256(row[0]).hexdigest(), row[1]) if row is not None else ("", "")


def scan_of(session: Session, customer: int, sequence: int) -> tuple[str, bytes] | None:
    """(media type, content) of a scan, if it belongs to this customer."""
    row = session.execute(
        select(AnswerScan.mimetype, AnswerScan.content)
        .join(SignedReceipt, SignedReceipt.sequence == AnswerScan.sequence)
        .join(Acknowledgement, SignedReceipt.acknowledgement_ref == Acknowledgement.id)
        .where(AnswerScan.sequence == sequence, Acknowledgement.customer_ref == customer)
    ).first()
    return (row[0], row[1]) if row is not None else None


def receipts_in_order(session: Session, chunk: int = 1000) -> Iterator[tuple[SignedReceipt, Acknowledgement]]:
    """The whole chain with what each link is about, in order, at flat memory."""
    statement = (
        select(SignedReceipt, Acknowledgement)
        .join(Acknowledgement, Acknowledgement.id == SignedReceipt.acknowledgement_ref)
        .options(joinedload(Acknowledgement.customer), joinedload(Acknowledgement.outage))
        .order_by(SignedReceipt.sequence)
        .execution_options(yield_per=chunk)
    )
    return ((receipt, ack) for receipt, ack in session.execute(statement))


def lines_in_order(session: Session, upto: int, chunk: int = 1000) -> Iterator[str]:
    """The signed lines alone, in order, at flat memory."""
    statement = (
        select(SignedReceipt.jws).where(SignedReceipt.sequence <= upto).order_by(SignedReceipt.sequence)
    )
    yield from session.scalars(statement.execution_options(yield_per=chunk))


def answers_without_receipt(session: Session, limit: int = 20) -> list[int]:
    """Answers that nothing proves: there is none unless somebody changed the database by hand."""
    proof = exists().where(
        SignedReceipt.acknowledgement_ref == Acknowledgement.id,
        SignedReceipt.signed_at == Acknowledgement.answered_at,
    )
    claimed = or_(Acknowledgement.state.in_(ANSWERED), Acknowledgement.answered_at.is_not(None))
    statement = select(Acknowledgement.id).where(claimed, ~proof).order_by(Acknowledgement.id).limit(limit)
    return list(session.scalars(statement))


def keep_keys(session: Session, jwks: Iterable[tuple[str, str]], now: datetime) -> None:
    """Store verification keys as (kid, JWK in JSON) that are not there yet; none is ever replaced."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    for kid, jwk in jwks:
        values = {"kid": kid, "jwk": jwk, "added_at": now}
        session.execute(insert(VerificationKey).values(**values).on_conflict_do_nothing())


def kept_keys(session: Session) -> Mapping[str, str]:
    """Every verification key ever used: kid to JWK in JSON."""
    rows = session.execute(
        select(VerificationKey.kid, VerificationKey.jwk).order_by(VerificationKey.added_at)
    )
    return {row.kid: row.jwk for row in rows}


# Escalation


def due_for_a_step(session: Session, now: datetime, after: int = 0, limit: int = 200) -> list[int]:
    """Unanswered requests of standing revisions of approved outages whose next step has come, by id."""
    statement = (
        select(Acknowledgement.id)
        .join(Outage, Outage.id == Acknowledgement.outage_ref)
        .where(
            Acknowledgement.state.in_(OPEN),
            Acknowledgement.next_step_at <= now,
            Acknowledgement.revision == Outage.revision,
            Outage.state == OutageState.APPROVED,
            Acknowledgement.id > after,
        )
        .order_by(Acknowledgement.id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def take_step(session: Session, ack: int, step: int, next_step_at: datetime | None) -> bool:
    """Count one more step, if `step` were taken so far and no answer came. Says whether it won."""
    statement = (
        update(Acknowledgement)
        .where(Acknowledgement.id == ack, Acknowledgement.step == step, Acknowledgement.state.in_(OPEN))
        .values(state=AckState.ESCALATED, step=step + 1, next_step_at=next_step_at)
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(statement.returning(Acknowledgement.id)).all()) == 1


def put_off(session: Session, ack: int, step: int, next_step_at: datetime | None) -> bool:
    """Set the date of the next step alone, under the same conditions as `take_step`."""
    statement = (
        update(Acknowledgement)
        .where(Acknowledgement.id == ack, Acknowledgement.step == step, Acknowledgement.state.in_(OPEN))
        .values(next_step_at=next_step_at)
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(statement.returning(Acknowledgement.id)).all()) == 1


def first_told_due(session: Session, outage: int, revision: int, customer: int) -> datetime | None:
    """When the customer's first announcement of this revision is due; None if there is none."""
    return session.scalar(
        select(func.min(Delivery.due_at))
        .join(Notice, Notice.id == Delivery.notice_ref)
        .join(DeliveryRecipient, DeliveryRecipient.delivery_ref == Delivery.id)
        .where(
            Delivery.outage_ref == outage,
            Delivery.revision == revision,
            Notice.kind.in_(ANNOUNCEMENTS),
            DeliveryRecipient.customer_ref == customer,
        )
    )


def grid_manager_of(session: Session, revision_id: int, customer: int) -> int | None:
    """Who goes there: the grid manager of the customer's first affected service point that has one."""
    return session.scalar(
        select(ServicePoint.grid_manager_ref)
        .join(AudienceMember, AudienceMember.service_point_ref == ServicePoint.id)
        .where(
            AudienceMember.revision_ref == revision_id,
            AudienceMember.customer_ref == customer,
            ServicePoint.grid_manager_ref.is_not(None),
        )
        .order_by(ServicePoint.id)
        .limit(1)
    )


def withdraw_reminders(
    session: Session, outage: int, customers: Sequence[int], now: datetime, detail: str
) -> int:
    """Withdraw what still waits to remind these customers and nobody else; how many that were."""
    if not customers:
        return 0
    mine = exists().where(
        DeliveryRecipient.delivery_ref == Delivery.id, DeliveryRecipient.customer_ref.in_(customers)
    )
    others = exists().where(
        DeliveryRecipient.delivery_ref == Delivery.id, DeliveryRecipient.customer_ref.not_in(customers)
    )
    reminders = select(Notice.id).where(Notice.outage_ref == outage, Notice.kind == NoticeKind.REMINDER)
    statement = (
        update(Delivery)
        .where(
            Delivery.outage_ref == outage,
            Delivery.state.in_(UNSENT),
            Delivery.notice_ref.in_(reminders),
            mine,
            ~others,
        )
        .values(state=DeliveryState.WITHDRAWN, ended_at=now, detail=detail)
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(statement.returning(Delivery.id)).all())
