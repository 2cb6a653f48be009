"""Signing (签收): key customers are asked, answer once per revision, and each answer ends in a receipt.

Promises: what is signed is the exact text of the standing revision, by hash; of two answers
at once one wins; every answer appends one link to the chain of receipts in the same
transaction, or nothing happens at all. Opening a page never gets here: only a POST, a
pressed key, a reply or a person's entry does. Leaves to others: who may call (tokens and
roles are the web's), and what is done while nobody answers (`escalate`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from channels.render import render_notice_text, text_sha256
from channels.signing import FIRST_PREVIOUS, ReceiptPayload, sign_receipt
from outage_notify.domain.acknowledgement import ANSWERED, LEVELS, SIGNED_BY_CUSTOMER, AckState, AckWay
from outage_notify.domain.errors import Conflict, IllegalMove, InvalidInput, NotFound
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageState
from outage_notify.services.notice_facts import facts_for
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store.acknowledgement_tables import Acknowledgement, SignedReceipt
from outage_notify.store.outage_tables import Outage, OutageRevision
from outage_notify.store.work_queries import SYSTEM, close_tasks, open_task, record
from outage_notify.store.work_tables import TaskKind

_ON_THE_SPOT = frozenset({AckWay.PAPER, AckWay.VISIT})
CUSTOMER = "customer"  # actor of an event: the customer, through a link, a key or a reply
_ANSWERABLE = frozenset({OutageState.APPROVED, OutageState.ACTIVE})
LARGEST_SCAN = 6 * 1024 * 1024
_SCANS = {
    b"%PDF-": "application/pdf",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
}
_LONGEST_NAME, _LONGEST_REASON = 200, 4000


@dataclass(frozen=True)
class Answer:
    """What somebody answered, and how. Raises InvalidInput (naming the field) if it cannot stand.

    A refusal (拒签) needs a reason and a witness, and is recorded at a visit or on paper; an objection needs a reason
    or a wished date.
    `shown_sha256`: the hash of the text on the page that was answered; if the text has changed since,
    the answer is not taken. `slip_date`: the date on a paper slip; the receipt bears the time of entry.
    `scan`: the slip as PDF, JPEG or PNG; the receipt bears its hash.
    """

    state: AckState
    way: AckWay
    signer_name: str
    signer_role: str = ""
    reason: str = ""
    witness: str = ""
    wished: str = ""
    shown_sha256: str = ""
    slip_date: date | None = None
    scan: bytes = field(default=b"", repr=False)
    # What more the receipt keeps as proof: the customer's own signature, who passed the link on to whom.
    proof: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.state not in ANSWERED:
            raise InvalidInput(
                f"{self.state} is not an answer.", f"Answer one of {', '.join(sorted(ANSWERED))}."
            )
        for name in ("signer_name", "signer_role", "reason", "witness", "wished"):
            value = " ".join(getattr(self, name).split()) if name != "reason" else self.reason.strip()
            longest = _LONGEST_REASON if name == "reason" else _LONGEST_NAME
            if len(value) > longest or not all(c.isprintable() or c in "\n\r\t" for c in value):
                raise InvalidInput(
                    f"{name} is too long or holds control characters.", f"Use at most {longest} characters."
                )
            object.__setattr__(self, name, value)
        if not self.signer_name:
            raise InvalidInput("signer_name is empty.", "Say who answers, in name.")
        if self.state is AckState.REFUSED and not (self.reason and self.witness):
            raise InvalidInput("A refusal needs a reason and a witness.", "Fill in reason and witness.")
        if self.state is AckState.REFUSED and self.way not in _ON_THE_SPOT:
            # Who is alone with a page needn't answer at all, and nobody could witness it.
            raise InvalidInput(
                "A refusal is recorded before a witness: at a visit, or on paper.",
                "Object instead, with a reason.",
            )
        if self.state is AckState.OBJECTED and not (self.reason or self.wished):
            raise InvalidInput("An objection needs a reason or a wished date.", "Fill in reason or wished.")
        if self.slip_date is not None and self.way not in _ON_THE_SPOT:
            raise InvalidInput("slip_date belongs to paper.", "Leave it empty for other ways.")
        if self.scan and self.way not in _ON_THE_SPOT:
            raise InvalidInput("scan belongs to paper.", "Leave it out for other ways.")
        if self.way in SIGNED_BY_CUSTOMER and "key" not in self.proof:
            raise InvalidInput("The signature is missing.", "Sign with the registered key.")
        if self.scan and (scan_type(self.scan) is None or len(self.scan) > LARGEST_SCAN):
            raise InvalidInput(
                "The scan is neither PDF, JPEG nor PNG, or too large.", "Scan the slip anew, at most 6 MB."
            )


def scan_type(scan: bytes) -> str | None:
    """The media type of a scan by its first bytes; None if it is none that is taken."""
    return next((kind for start, kind in _SCANS.items() if scan.startswith(start)), None)


def wished_start(note: str) -> str:
    """The date and time in an objection's note (see `_follow_up`), as a browser writes it; empty if there is none."""
    found = re.match(r"Wished: (\d{4}-\d{2}-\d{2}) (\d{2}:\d{2})", note)
    return f"{found[1]}T{found[2]}" if found else ""


def request_for(
    session: Session,
    rt: Runtime,
    outage: Outage,
    revision: OutageRevision,
    customer_ids: Iterable[int],
    now: datetime,
) -> int:
    """Ask these customers (database ids) to sign `revision`; returns how many were not asked before.

    Part of the approval's transaction. Called twice it adds nothing.
    """
    new = acks.insert_requests(session, outage.id, revision.number, customer_ids, now)
    if new:
        record(session, now, SYSTEM, "ack_requested", outage=outage.id, revision=revision.number, count=new)
    return new


def supersede(session: Session, outage: Outage, below_revision: int, now: datetime) -> int:
    """Make every acknowledgement of revisions below `below_revision` SUPERSEDED, answered or not.

    Closes the visits and objections that were about them and withdraws their unsent
    reminders. Called twice it does nothing more. Receipts stay: they prove what was signed then.
    """
    moved = acks.move_all(session, outage.id, AckState.SUPERSEDED, below=below_revision)
    _nothing_to_do(session, outage.id, moved, now, "superseded")
    if moved:
        record(
            session, now, SYSTEM, "ack_superseded", outage=outage.id, below=below_revision, count=len(moved)
        )
    return len(moved)


def close_at_start(session: Session, rt: Runtime, outage: Outage, now: datetime) -> int:
    """The work starts: whoever has not answered is UNREACHED. Called twice it does nothing more."""
    moved = acks.move_all(session, outage.id, AckState.UNREACHED)
    for customer in moved:
        record(
            session,
            now,
            SYSTEM,
            "ack_unreached",
            outage=outage.id,
            customer=customer,
            revision=outage.revision,
        )
        close_tasks(session, TaskKind.VISIT, now, SYSTEM, outage=outage.id, customer=customer)
    acks.withdraw_reminders(session, outage.id, moved, now, "started")
    return len(moved)


def close_at_cancel(session: Session, outage: Outage, now: datetime) -> None:
    """The outage is cancelled: nobody need go there or be reminded any more. Twice is harmless."""
    asked = [ack.customer_ref for ack in acks.of_revision(session, outage.id, outage.revision)]
    _nothing_to_do(session, outage.id, asked, now, "cancelled")


def _nothing_to_do(session: Session, outage: int, customers: list[int], now: datetime, why: str) -> None:
    for customer in customers:
        close_tasks(session, TaskKind.VISIT, now, SYSTEM, outage=outage, customer=customer)
        close_tasks(session, TaskKind.OBJECTION, now, SYSTEM, outage=outage, customer=customer)
    acks.withdraw_reminders(session, outage, customers, now, why)


def notice_text(session: Session, rt: Runtime, ack: Acknowledgement) -> tuple[str, str]:
    """The exact text that is signed, and its SHA-256 in hexadecimal (of its UTF-8 bytes).

    It holds no link and no reference of a single message, so that page, paper and key
    press show the same words. Once somebody has answered this revision, the text that was shown
    then stands, also for a later change of mind.
    """
    if ack.text:
        return ack.text, ack.text_sha256
    revision = next(one for one in ack.outage.revisions if one.number == ack.revision)
    facts = facts_for(session, rt, ack.outage, revision, ack.customer, NoticeKind.SEVEN_DAY)
    text = render_notice_text(replace(facts, short_ref="", sign_url="", notice_url="", feed_url=""))
    return text, text_sha256(text)


def answer(rt: Runtime, ack_id: int, answer: Answer, by: str = CUSTOMER) -> SignedReceipt:
    """`answer_in` in a transaction of its own. NotFound if there is no such acknowledgement."""
    with rt.database.write() as session:
        ack = acks.fresh(session, ack_id)
        if ack is None:
            raise NotFound("There is no such request for an acknowledgement.")
        return answer_in(session, rt, ack, answer, rt.now(session), by)


def answer_in(
    session: Session, rt: Runtime, ack: Acknowledgement, answer: Answer, now: datetime, by: str = CUSTOMER
) -> SignedReceipt:
    """Take an answer and append its receipt to the chain. `by`: who entered it, a username or the customer.

    Called twice, or by two at once: the first wins, the other gets IllegalMove saying what stands.
    If it dies midway, nothing has happened. Raises IllegalMove also for a stale revision and an
    outage that is cancelled or over, Conflict if the text is not the one that was shown.
    """
    outage = acks.fresh_outage(session, ack.outage_ref)
    _require_standing(outage, ack)
    text, shown = notice_text(session, rt, ack)
    if answer.shown_sha256 and answer.shown_sha256 != shown:
        raise Conflict("The notice was changed after it was shown.", "Read it again, then answer.")
    if answer.slip_date is not None and answer.slip_date > now.astimezone(rt.zone).date():
        raise InvalidInput("slip_date lies in the future.", "Enter the date on the slip.")
    acks.lock_chain(session)
    last = acks.head(session)
    # Whoever waited for the lock asked for the time before; along the chain it never goes backwards.
    at = max(now, last.signed_at) if last else now
    won = acks.move(
        session,
        ack.id,
        answer.state,
        answered_at=at,
        next_step_at=None,
        way=answer.way,
        signer_name=answer.signer_name,
        signer_role=answer.signer_role,
        reason=answer.reason,
        witness=answer.witness,
        wished=answer.wished,
        text=text,
        text_sha256=shown,
    )
    session.refresh(ack)
    if not won:
        raise _what_stands(outage, ack, answer.state)
    receipt = _append(session, rt, outage, ack, answer, at)
    if answer.scan:
        acks.add_scan(session, receipt.sequence, str(scan_type(answer.scan)), answer.scan, by)
    _follow_up(session, outage, ack, answer, receipt, at, by)
    return receipt


def answer_by_customer(
    session: Session,
    rt: Runtime,
    customer_ref: int,
    outage_ref: int,
    way: AckWay,
    signer_name: str,
    now: datetime,
    *,
    revision: int,
) -> SignedReceipt | None:
    """ "Received" by a pressed key or a reply to a message about `revision`. Pressed twice, the receipt that
    stands is given again.

    None: nothing was signed, because this customer was not asked, the revision is stale (nobody signs
    what he has not heard), the outage is over, or another answer stands. It never raises for that, so that
    the caller can still commit that somebody was there.
    """
    ack = acks.standing_of(session, outage_ref, customer_ref)
    if ack is None or ack.revision != revision:
        return None
    if ack.state is AckState.ACKNOWLEDGED:
        return acks.last_receipt(session, ack.id)
    try:
        return answer_in(session, rt, ack, Answer(AckState.ACKNOWLEDGED, way, signer_name), now)
    except IllegalMove:
        return None  # refused before anything was written; what stands was given by another way


def _require_standing(outage: Outage, ack: Acknowledgement) -> None:
    if outage.state not in _ANSWERABLE:
        raise IllegalMove(
            f"{outage.reference} is {outage.state}; there is nothing to answer any more.",
            "Ask the dispatcher.",
        )
    if ack.revision != outage.revision:
        raise _stale(outage, ack.revision)


def _stale(outage: Outage, revision: int) -> IllegalMove:
    return IllegalMove(
        f"Revision {revision} of {outage.reference} was replaced by revision {outage.revision}.",
        "Answer the newer notice.",
    )


def _what_stands(outage: Outage, ack: Acknowledgement, wanted: AckState) -> IllegalMove:
    """Says the answer that stands, without naming a person: errors end up in logs."""
    stands = f"{outage.reference}, revision {ack.revision}, is {ack.state}"
    if ack.answered_at is not None and ack.way is not None:
        stands += f" since {ack.answered_at:%Y-%m-%d %H:%M:%S} UTC ({ack.way})"
    return IllegalMove(f"{stands}; it cannot become {wanted}.", "Reload to see the answer that stands.")


def _append(
    session: Session, rt: Runtime, outage: Outage, ack: Acknowledgement, answer: Answer, at: datetime
) -> SignedReceipt:
    """The next link of the chain. The caller holds the chain's lock."""
    last = acks.head(session)
    details = {
        "level": LEVELS[answer.way].value,
        "reason": answer.reason,
        "witness": answer.witness,
        "wished": answer.wished,
        "slip_date": answer.slip_date.isoformat() if answer.slip_date else "",
        "scan_sha256": sha256(answer.scan).hexdigest() if answer.scan else "",
        **answer.proof,
    }
    payload = ReceiptPayload(
        sequence=last.sequence + 1 if last else 1,
        previous=last.sha256 if last else FIRST_PREVIOUS,
        customer=ack.customer.customer_id,
        outage=outage.reference,
        revision=ack.revision,
        text_sha256=ack.text_sha256,
        signer_name=answer.signer_name,
        signer_role=answer.signer_role,
        way=answer.way.value,
        answer=answer.state.value,
        at=at,
        details={name: value for name, value in details.items() if value},
    )
    signed = sign_receipt(rt.signing_key, payload)
    published = rt.signing_key.public_jwks["keys"]
    acks.keep_keys(session, ((jwk["kid"], json.dumps(jwk, sort_keys=True)) for jwk in published), at)
    receipt = SignedReceipt(
        sequence=payload.sequence,
        acknowledgement_ref=ack.id,
        signed_at=at,
        jws=signed.jws,
        sha256=signed.sha256,
        previous_sha256=payload.previous,
    )
    session.add(receipt)
    session.flush()
    return receipt


def _follow_up(
    session: Session,
    outage: Outage,
    ack: Acknowledgement,
    answer: Answer,
    receipt: SignedReceipt,
    at: datetime,
    by: str,
) -> None:
    """What an answer means for people: visits and reminders end, an objection becomes a task."""
    about = {"outage": outage.id, "customer": ack.customer_ref}
    record(
        session,
        at,
        by,
        "ack_answered",
        **about,
        state=answer.state.value,
        way=answer.way.value,
        revision=ack.revision,
        receipt=receipt.sequence,
    )
    close_tasks(session, TaskKind.VISIT, at, by, **about)
    close_tasks(session, TaskKind.OBJECTION, at, by, **about)
    acks.withdraw_reminders(session, outage.id, [ack.customer_ref], at, "answered")
    if answer.state is AckState.OBJECTED:
        wish = f"Wished: {answer.wished}. " if answer.wished else ""
        open_task(
            session,
            TaskKind.OBJECTION,
            f"objection:{ack.id}:{receipt.sequence}",
            at,
            **about,
            due_at=outage.standing.start,
            note=f"{wish}{answer.reason}".strip(),
        )
