"""Which public events are not noted yet, which follow one, and what is to be pushed where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from outage_notify.domain.outage import PUBLIC_STATES
from outage_notify.store.outage_tables import Outage, OutageRevision
from outage_notify.store.webhook_tables import PublicEvent, PublicEventMark, Webhook, WebhookPush


class Counts(NamedTuple):
    waiting: int
    dead: int
    done: int


def unnoted(session: Session, limit: int) -> Sequence[Outage]:
    """Public outages that changed since their events were noted."""
    standing = and_(OutageRevision.outage_ref == Outage.id, OutageRevision.number == Outage.revision)
    statement = (
        select(Outage)
        .join(OutageRevision, standing)
        .outerjoin(PublicEventMark, PublicEventMark.outage_ref == Outage.id)
        .where(
            Outage.state.in_(PUBLIC_STATES),
            OutageRevision.approved_at.is_not(None),
            or_(PublicEventMark.version.is_(None), PublicEventMark.version < Outage.version),
        )
        .order_by(Outage.id)
        .limit(limit)
    )
    return session.scalars(statement).all()


def known_steps(session: Session, outage: int) -> int:
    """How many events of an outage are noted."""
    statement = select(func.count()).select_from(PublicEvent).where(PublicEvent.outage_ref == outage)
    return session.scalar(statement) or 0


def newest(session: Session) -> int:
    return session.scalar(select(func.max(PublicEvent.id))) or 0


def events_after(session: Session, after: int, limit: int) -> Sequence[PublicEvent]:
    """Events in their order."""
    statement = select(PublicEvent).where(PublicEvent.id > after).order_by(PublicEvent.id).limit(limit)
    return session.scalars(statement).all()


def webhooks(session: Session) -> Sequence[Webhook]:
    return session.scalars(select(Webhook).order_by(Webhook.id)).all()


def behind(session: Session) -> Sequence[Webhook]:
    """Webhooks in use that were not handed the newest event, locked."""
    statement = select(Webhook).where(Webhook.stopped_at.is_(None), Webhook.last_event < newest(session))
    return session.scalars(statement.order_by(Webhook.id).with_for_update(skip_locked=True)).all()


def due(session: Session, now: datetime, limit: int) -> Sequence[WebhookPush]:
    """Pushes to make now, the oldest event first, each locked for us alone."""
    statement = (
        select(WebhookPush)
        .join(Webhook, Webhook.id == WebhookPush.webhook_ref)
        .where(
            WebhookPush.done_at.is_(None),
            WebhookPush.dead_at.is_(None),
            WebhookPush.due_at <= now,
            Webhook.stopped_at.is_(None),
        )
        .order_by(WebhookPush.due_at, WebhookPush.id)
        .limit(limit)
        .with_for_update(of=WebhookPush, skip_locked=True)
        .options(joinedload(WebhookPush.webhook), joinedload(WebhookPush.event))
    )
    return session.scalars(statement).unique().all()


def is_due(session: Session, now: datetime) -> bool:
    """Whether there is anything to note, to hand out or to push; one look without a lock."""
    if unnoted(session, 1):
        return True
    lagging = select(Webhook.id).where(Webhook.stopped_at.is_(None), Webhook.last_event < newest(session))
    open_ones = (
        select(WebhookPush.id)
        .join(Webhook, Webhook.id == WebhookPush.webhook_ref)
        .where(
            WebhookPush.done_at.is_(None),
            WebhookPush.dead_at.is_(None),
            WebhookPush.due_at <= now,
            Webhook.stopped_at.is_(None),
        )
    )
    return any(session.scalar(one.limit(1)) is not None for one in (lagging, open_ones))


def counts(session: Session) -> dict[int, Counts]:
    """By webhook: how many pushes wait, were given up, were taken."""
    rows = session.execute(
        select(
            WebhookPush.webhook_ref,
            func.count(),
            func.count(WebhookPush.dead_at),
            func.count(WebhookPush.done_at),
        ).group_by(WebhookPush.webhook_ref)
    )
    return {hook: Counts(number - dead - done, dead, done) for hook, number, dead, done in rows}


def dead(session: Session, webhook: int, limit: int) -> Sequence[WebhookPush]:
    """What was given up, the newest first."""
    statement = (
        select(WebhookPush)
        .where(WebhookPush.webhook_ref == webhook, WebhookPush.dead_at.is_not(None))
        .order_by(WebhookPush.event_ref.desc())
        .limit(limit)
        .options(joinedload(WebhookPush.event))
    )
    return session.scalars(statement).unique().all()


def again(session: Session, webhook: int, after: int, now: datetime) -> int:
    """Open every push of a webhook with an event after `after` once more; returns how many that are."""
    mine = (WebhookPush.webhook_ref == webhook) & (WebhookPush.event_ref > after)
    number = session.scalar(select(func.count()).select_from(WebhookPush).where(mine)) or 0
    session.execute(
        update(WebhookPush)
        .where(mine)
        .values(tries=0, due_at=now, done_at=None, dead_at=None, status=0, detail="")
        .execution_options(synchronize_session=False)
    )
    return number


def revive(session: Session, webhook: int, now: datetime) -> int:
    """Open what was given up once more; returns how many that are."""
    mine = (WebhookPush.webhook_ref == webhook) & WebhookPush.dead_at.is_not(None)
    number = session.scalar(select(func.count()).select_from(WebhookPush).where(mine)) or 0
    session.execute(
        update(WebhookPush)
        .where(mine)
        .values(tries=0, due_at=now, dead_at=None, status=0, detail="")
        .execution_options(synchronize_session=False)
    )
    return number
