"""How each sender fares, as all workers know it: guarded changes of one row each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Update, case, select, update
from sqlalchemy.orm import Session

from outage_notify.store.sender_tables import SenderState

# How the reason of a hold begins that a person set.
HELD_BY = "by "


def states(session: Session, names: Sequence[str]) -> dict[str, SenderState]:
    """What is known of these senders, as it is now; a sender that was never used is not there."""
    found = session.scalars(
        select(SenderState).where(SenderState.sender.in_(names)).execution_options(populate_existing=True)
    )
    return {one.sender: one for one in found}


def count_troubles(session: Session, sender: str, troubles: int, added: bool) -> int:
    """Add to the calls without a proper answer, or begin to count anew; how many there are now."""
    value = SenderState.troubles + troubles if added else troubles
    statement = update(SenderState).where(SenderState.sender == sender).values(troubles=value)
    return session.scalar(statement.returning(SenderState.troubles)) or 0


def take_down(session: Session, sender: str, now: datetime, reason: str) -> bool:
    """From now on it is not used while another one can stand in. Whether that is news."""
    known = update(SenderState).where(SenderState.sender == sender)
    fresh = known.where(SenderState.down_since.is_(None))
    if _changed(session, fresh.values(down_since=now, down_reason=reason, probe_at=now, trial=False)):
        return True
    _changed(session, known.values(down_reason=reason))
    return False


def bring_up(session: Session, sender: str) -> bool:
    """It gives proper answers again. Whether that is news."""
    well = {"down_since": None, "down_reason": "", "probe_at": None, "trial": False, "troubles": 0}
    return _changed(session, _down(sender).values(**well, **_let_go()))


def to_ask(session: Session, now: datetime) -> list[str]:
    """Senders that are down and whose provider is to be asked now."""
    waiting = select(SenderState.sender).where(
        SenderState.down_since.is_not(None), SenderState.trial.is_(False), SenderState.probe_at <= now
    )
    return list(session.scalars(waiting.order_by(SenderState.sender)))


def let_try(session: Session, sender: str) -> bool:
    """Its provider says that all is well: one message may try."""
    return _changed(session, _down(sender).values(trial=True, **_let_go()))


def tried(session: Session, sender: str, ask_again_at: datetime) -> bool:
    """The trial is on its way; if it fails, the provider is asked again at that time."""
    return _changed(session, _down(sender).values(trial=False, probe_at=ask_again_at))


def release(session: Session, sender: str) -> bool:
    """It is held no longer, whoever held it. Whether it was."""
    held = update(SenderState).where(SenderState.sender == sender, SenderState.held_until.is_not(None))
    return _changed(session, held.values(held_until=None, held_reason=""))


def _let_go() -> dict[str, Any]:
    """The end of a hold that a provider caused; a person's own stays."""
    by_hand = SenderState.held_reason.startswith(HELD_BY, autoescape=True)
    return {
        "held_until": case((by_hand, SenderState.held_until), else_=None),
        "held_reason": case((by_hand, SenderState.held_reason), else_=""),
    }


def _down(sender: str) -> Update:
    return update(SenderState).where(SenderState.sender == sender, SenderState.down_since.is_not(None))


def _changed(session: Session, statement: Update) -> bool:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount == 1
