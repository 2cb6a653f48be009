"""The last look before a message goes out, and the record that it is about to.

Whatever has changed since the notice was planned counts: the revision, consent, quiet
hours, the text itself. What passes is on record as SUBMITTING, with its attempt, when this
returns; what does not is given back or withdrawn.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from channels.model import Channel, Message
from channels.sender import Sender
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind, still_true
from outage_notify.services.notice_facts import WaveTexts
from outage_notify.services.runtime import Runtime
from outage_notify.services.settle import step_ladder
from outage_notify.store import claims, pacing, passed_on_queries
from outage_notify.store.claims import Claim
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.outage_tables import Outage
from outage_notify.store.wave_queries import WaveRow, load_wave
from outage_notify.store.work_queries import open_task
from outage_notify.store.work_tables import TaskKind

log = structlog.get_logger()

NO_TEXT_WAIT = timedelta(minutes=10)


@dataclass(frozen=True)
class Ready:
    """A begun message: from here on it may reach the person."""

    held: Claim
    message: Message
    lease_ends: float  # on the monotonic clock of this process
    sender: str


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def begin(rt: Runtime, sender: Sender, held: Sequence[Claim], lease: timedelta) -> list[Ready]:
    """Recheck and put on record. Dies midway: nothing is on record, the claims run out.

    Where another worker was asked to wait since these were claimed, all are given back.
    """
    with rt.database.write() as session:
        now, ends = rt.now(session), time.monotonic() + lease.total_seconds()
        if pacing.is_held(session, sender.name, now):
            claims.release(session, held)
            return []
        fences = {one.delivery: one for one in held}
        claims.hold(session, fences)
        wave = load_wave(session, list(fences))
        texts = WaveTexts(rt, wave, now)
        made: dict[Claim, Message] = {}
        for row in wave.rows:
            claim = fences[row.id]
            outage = wave.outages[row.outage_ref]
            if row.state is not DeliveryState.CLAIMED or row.fence != claim.fence:
                continue
            if _may_go(session, rt, row, outage, now):
                message = _message(session, texts, row, now)
                if message is not None:
                    made[claim] = message
        words = max((row.words_now for row in wave.rows), default=0)
        won = claims.begin_many(session, list(made), worker_name(), sender.name, now, lease, words)
    return [
        Ready(claim, message, ends, sender.name) for claim, message in made.items() if claim.delivery in won
    ]


def _message(session: Session, texts: WaveTexts, row: WaveRow, now: datetime) -> Message | None:
    """The message, or None if it can't be made: one such row must not hold up all the others.

    It is tried again later, and a person is told.
    """
    try:
        return texts.message(row)
    except Exception:
        log.exception("message can't be made", delivery=row.id)
        claims.back_to_ready(session, row.id, now + NO_TEXT_WAIT, fence=row.fence, code="no_text")
        open_task(
            session,
            TaskKind.DOUBTFUL,
            f"text:{row.id}",
            now,
            outage=row.outage_ref,
            customer=row.recipients[0].id if row.recipients else None,
            delivery=row.id,
            due_at=now,
            note="the text can't be made; see the log of the worker",
        )
        return None


def _may_go(session: Session, rt: Runtime, row: WaveRow, outage: Outage, now: datetime) -> bool:
    """Revision, consent and quiet hours, looked at again at the last moment.

    An answer "later" may have brought a row back after its outage was cancelled or revised.
    """
    true = still_true(row.notice_kind, row.revision, outage.state, outage.revision)
    if row.not_after > now and not true:
        claims.take_back(session, row.id, now, "no longer true")
        return False
    if row.bad_at or row.opted_out_at:
        # Found out since this was planned. The next channel is tried at once.
        why = "opted out" if row.opted_out_at else "the address is known to be wrong"
        if claims.withdraw(session, row.id, now, why, DeliveryState.CLAIMED):
            step_ladder(session, rt, session.get_one(Delivery, row.id), now)
        return False
    unwished = row.notice_kind is NoticeKind.INVITATION and not row.invitation
    if unwished and session.get_one(Delivery, row.id).doubt_since is None:
        # Or the ladder has come to this mailbox meanwhile. One that may have arrived is settled first.
        claims.withdraw(session, row.id, now, "wished no longer, or with the notice", DeliveryState.CLAIMED)
        return False
    if row.notice_kind is NoticeKind.PASSED_ON and not passed_on_queries.still_serves(
        session, int(row.notice_facts["delegation"])
    ):
        claims.take_back(session, row.id, now, "the link serves no more")
        return False
    if row.urgent or row.channel is Channel.EMAIL:
        return True
    morning = rt.policy.quiet_hours.quiet_end(now, ZoneInfo(outage.timezone))
    # The schedule avoids the quiet hours unless the deadline leaves no choice; a row that
    # slipped into them (a paused revision, a held sender) waits if the deadline allows.
    if morning > now and morning <= row.deadline - rt.policy.wave_margin:
        claims.back_to_ready(session, row.id, morning, fence=row.fence)
        return False
    return True
