"""Which of the utility's own words stand, and the versions before them."""

from __future__ import annotations

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from channels.model import Channel, Language
from outage_notify.domain.notice import NoticeKind
from outage_notify.store.outage_tables import AudienceMember, OutageRevision
from outage_notify.store.own_text_tables import OwnText


def newest() -> ScalarSelect[int]:
    """The number of what stands now, 0 where nothing was ever changed, as a part of another question."""
    return select(func.coalesce(func.max(OwnText.id), 0)).scalar_subquery()


def newest_number(session: Session) -> int:
    return session.scalar(select(newest())) or 0


def standing_at(session: Session, number: int) -> list[OwnText]:
    """The version of each text that stood when `number` was the newest row."""
    last = (
        select(func.max(OwnText.id))
        .where(OwnText.id <= number)
        .group_by(OwnText.channel, OwnText.kind, OwnText.language)
    )
    return list(session.scalars(select(OwnText).where(OwnText.id.in_(last)).order_by(OwnText.id)))


def newest_affected(session: Session) -> tuple[OutageRevision, int] | None:
    """(revision, customer) of the row that was added last to any audience: whose facts a text can be tried on."""
    statement = select(AudienceMember.revision_ref, AudienceMember.customer_ref)
    row = session.execute(statement.order_by(AudienceMember.id.desc()).limit(1)).first()
    return (session.get_one(OutageRevision, row[0]), row[1]) if row is not None else None


def versions(session: Session, channel: Channel, kind: NoticeKind, language: Language) -> list[OwnText]:
    """All versions of one text, the newest first."""
    statement = select(OwnText).where(
        OwnText.channel == channel, OwnText.kind == kind, OwnText.language == language
    )
    return list(session.scalars(statement.order_by(OwnText.number.desc())))
