"""Who follows what: counted against limits, due to hear something, or due to be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Update, delete, func, or_, select, update
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.audience import Impact
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.store.delivery_tables import Delivery, Notice, ProviderReport
from outage_notify.store.follower_tables import Follower
from outage_notify.store.map_queries import AHEAD
from outage_notify.store.outage_tables import AudienceMember, Outage

# What stands in place of an address once it is forgotten; no address begins like that.
FORGOTTEN = "forgotten:"
# Messages to addresses that no customer gave as its own.
_OF_STRANGERS = (NoticeKind.FOLLOWERS, NoticeKind.PASSED_ON)


def asked_since(session: Session, since: datetime, channel: Channel, address: str) -> tuple[int, int]:
    """(questions of this address, of everybody) since a moment; both cost the same, whoever it is."""
    mine = (Follower.address == address) & (Follower.channel == channel)
    asked = (Follower.parent_ref.is_(None), Follower.made_at > since)
    one = session.scalar(select(func.count()).select_from(Follower).where(mine, *asked)) or 0
    return one, session.scalar(select(func.count()).select_from(Follower).where(*asked)) or 0


def following(session: Session, channel: Channel, address: str) -> Sequence[Follower]:
    """What an address follows, confirmed, asked for by itself."""
    statement = select(Follower).where(
        Follower.address == address,
        Follower.channel == channel,
        Follower.confirmed_at.is_not(None),
        Follower.parent_ref.is_(None),
    )
    return session.scalars(statement.order_by(Follower.id)).all()


def locked(session: Session, follower: int) -> Follower | None:
    return session.scalars(select(Follower).where(Follower.id == follower).with_for_update()).first()


def without_code(session: Session, since: datetime) -> Sequence[Follower]:
    """Who waits for a code, the longest first."""
    statement = select(Follower).where(
        Follower.code_sent_at.is_(None), Follower.confirmed_at.is_(None), Follower.made_at > since
    )
    return session.scalars(statement.order_by(Follower.id)).all()


def take_code(session: Session, follower: int, now: datetime) -> bool:
    """Whether it is ours to send the code: written down before it is sent, so that it is sent once."""
    statement = update(Follower).where(Follower.id == follower, Follower.code_sent_at.is_(None))
    return _changed(session, statement.values(code_sent_at=now)) == 1


def give_code_back(session: Session, follower: int) -> None:
    """The provider took nothing: it may be sent again."""
    session.execute(update(Follower).where(Follower.id == follower).values(code_sent_at=None))


def outages_with_news(session: Session) -> Sequence[int]:
    """Outages that changed since their followers were last looked at."""
    statement = (
        select(Outage.id)
        .join(Follower, Follower.outage_ref == Outage.id)
        .where(Follower.confirmed_at.is_not(None), Follower.told_version < Outage.version)
    )
    return session.scalars(statement.distinct().order_by(Outage.id)).all()


def to_be_told(session: Session, outage: Outage) -> Sequence[Follower]:
    """The followers of an outage that have not been looked at since it changed, locked, first come first."""
    statement = select(Follower).where(
        Follower.outage_ref == outage.id,
        Follower.confirmed_at.is_not(None),
        Follower.told_version < outage.version,
    )
    return session.scalars(statement.order_by(Follower.id).with_for_update()).all()


def places(session: Session) -> Sequence[Follower]:
    """Every place that is followed."""
    statement = select(Follower).where(Follower.confirmed_at.is_not(None), Follower.place != "")
    return session.scalars(statement.order_by(Follower.id)).all()


def oldest_look(session: Session) -> tuple[int, datetime | None]:
    """(places that are followed, when the one that waits longest was looked at; None: not yet)."""
    number, looked, oldest = session.execute(
        select(func.count(), func.count(Follower.looked_at), func.min(Follower.looked_at)).where(
            Follower.confirmed_at.is_not(None), Follower.place != ""
        )
    ).one()
    return number, oldest if looked == number else None


def ahead_changed_since(session: Session, since: datetime | None) -> Sequence[Outage]:
    """Outages that are ahead or going on and changed since a moment."""
    statement = select(Outage).where(Outage.state.in_(AHEAD))
    if since is not None:
        statement = statement.where(Outage.changed_at >= since)
    return session.scalars(statement.order_by(Outage.id)).all()


def points_hit(session: Session, revision: int) -> frozenset[int]:
    """Service points that lose supply in a revision, if only for a moment."""
    statement = select(AudienceMember.service_point_ref).where(
        AudienceMember.revision_ref == revision,
        AudienceMember.impact.in_((Impact.OUTAGE, Impact.MOMENTARY)),
    )
    return frozenset(session.scalars(statement))


def parents_at(session: Session, outage: int) -> frozenset[int]:
    """Places that follow an outage already."""
    statement = select(Follower.parent_ref).where(Follower.outage_ref == outage)
    return frozenset(one for one in session.scalars(statement) if one is not None)


def unsent_to(session: Session, channel: Channel, address: str) -> Sequence[int]:
    """News that waits for an address as a follower, and links passed on to it; notices to a customer are none."""
    statement = (
        select(Delivery.id)
        .join(Notice, Notice.id == Delivery.notice_ref)
        .where(
            Delivery.address == address,
            Delivery.channel == channel,
            Delivery.state == DeliveryState.READY,
            Notice.kind.in_(_OF_STRANGERS),
        )
    )
    return session.scalars(statement).all()


def last_due(session: Session) -> datetime | None:
    """When the last news that waits is due."""
    return session.scalar(
        select(func.max(Delivery.due_at))
        .join(Notice, Notice.id == Delivery.notice_ref)
        .where(
            Notice.kind == NoticeKind.FOLLOWERS,
            Delivery.state == DeliveryState.READY,
        )
    )


def drop(session: Session, channel: Channel, address: str) -> int:
    """Everything that an address follows, gone."""
    mine = (Follower.address == address) & (Follower.channel == channel)
    children = delete(Follower).where(mine, Follower.parent_ref.is_not(None))
    return _changed(session, children) + _changed(session, delete(Follower).where(mine))


def forget(session: Session, unconfirmed: datetime, ended: datetime, places_before: datetime) -> int:
    """Delete who never typed the code, who followed what ended long ago, and places followed for too long;
    take their addresses off the messages and delete what the provider said of them. Returns how many rows."""
    over = func.coalesce(Outage.completed_at, Outage.cancelled_at) < ended
    gone = select(Outage.id).where(over)
    old = select(Follower.id).where(Follower.place != "", Follower.confirmed_at < places_before)
    number = 0
    for one in (
        delete(Follower).where(Follower.confirmed_at.is_(None), Follower.made_at < unconfirmed),
        delete(Follower).where(or_(Follower.outage_ref.in_(gone), Follower.parent_ref.in_(old))),
        delete(Follower).where(Follower.place != "", Follower.confirmed_at < places_before),
    ):
        number += _changed(session, one)
    mine = (
        select(Delivery.id)
        .join(Notice, Notice.id == Delivery.notice_ref)
        .where(
            Notice.kind.in_(_OF_STRANGERS),
            Delivery.outage_ref.in_(gone),
            Delivery.address.not_like(f"{FORGOTTEN}%"),
        )
    )
    found = session.scalars(mine).all()
    for at in range(0, len(found), 400):
        some = found[at : at + 400]
        session.execute(delete(ProviderReport).where(ProviderReport.delivery_ref.in_(some)))
        for one_id in some:
            session.execute(
                update(Delivery).where(Delivery.id == one_id).values(address=f"{FORGOTTEN}{one_id}")
            )
    return number + len(found)


def _changed(session: Session, statement: Update | Delete) -> int:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount
