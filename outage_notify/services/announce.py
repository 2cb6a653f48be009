"""Records of announcements: what was announced by which medium, when, by whom, in which exact words.

Promises: the record holds the words that stood at the time of the announcement and their SHA-256;
where the caller names the hash of what was announced and it is another one, nothing is recorded.
What counts towards the policy is judged by `domain.announcement`. Leaves the papers themselves to `papers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.model import Language
from channels.papers import Paper
from outage_notify.domain.announcement import (
    AnnouncementDuty,
    DutyState,
    Medium,
    Said,
    announcement_duties,
)
from outage_notify.domain.errors import Conflict, IllegalMove, InvalidInput, NotFound
from outage_notify.domain.rules import classes_of
from outage_notify.services import papers
from outage_notify.services.runtime import Runtime
from outage_notify.store import announcement_queries, outage_queries, user_lookup
from outage_notify.store.announcement_tables import Announcement
from outage_notify.store.outage_tables import Outage, OutageRevision
from outage_notify.store.work_queries import record

# Two records of the same words in the same place within this time are a double click.
SAME = timedelta(minutes=1)


@dataclass(frozen=True)
class Announced:
    """What a person says was announced. `at` None: now. `sha256` is that of the words, if it was looked at."""

    paper: Paper
    medium: Medium
    language: Language
    place: str = ""
    at: datetime | None = None
    sha256: str = ""


def announce(rt: Runtime, by: str, reference: str, said: Announced) -> int:
    """Record one announcement; returns its number. The same again within a minute is that number again."""
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require_worker(session, by)
        outage = outage_queries.outage_by_reference(session, reference)
        at = said.at or now
        if at > now:
            raise InvalidInput("at: lies in the future.", "Record it when it has been announced.")
        first = min((one.approved_at for one in outage.revisions if one.approved_at), default=None)
        if first is None:
            raise IllegalMove(f"{reference} is not approved.", "Nothing is announced before approval.")
        if at < first:
            when = first.astimezone(ZoneInfo(outage.timezone))
            raise InvalidInput(
                f"at: {reference} was approved only at {when:%Y-%m-%d %H:%M}.", "Enter the time after that."
            )
        return add(session, rt, outage, said, by, at, now)


def add(
    session: Session, rt: Runtime, outage: Outage, said: Announced, by: str, at: datetime, now: datetime
) -> int:
    """The same inside a transaction, without the checks on people and time."""
    made = papers.made(session, rt, outage, said.paper, said.language, at)
    if said.sha256 and said.sha256.strip().lower() != made.sha256:
        raise Conflict(
            f"The words of {outage.reference} have changed since.",
            "Look at the paper again; nothing was recorded.",
        )
    place = " ".join(said.place.split())[:300]
    for one in announcement_queries.records(session, outage.id, void=False):
        same = (one.paper, one.medium, one.language, one.place, one.text_sha256)
        asked = (said.paper, said.medium, said.language, place, made.sha256)
        if same == asked and abs(one.announced_at - at) < SAME:
            return one.id
    row = Announcement(
        outage_ref=outage.id,
        revision=made.revision,
        paper=said.paper,
        medium=said.medium,
        place=place,
        language=said.language,
        announced_at=at,
        recorded_at=now,
        recorded_by=by,
        text=made.text,
        text_sha256=made.sha256,
        void_by="",
        void_reason="",
    )
    session.add(row)
    session.flush()
    record(
        session,
        now,
        by,
        "announced",
        outage=outage.id,
        announcement=row.id,
        paper=said.paper.value,
        medium=said.medium.value,
        sha256=made.sha256,
    )
    return row.id


def take_back(rt: Runtime, by: str, number: int, reason: str) -> str:
    """Mark a record that was entered wrongly; it stays and counts no more. Returns the outage's reference.

    Called twice, the first time stands."""
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require_worker(session, by)
        row = announcement_queries.record_of(session, number)
        if row is None:
            raise NotFound(
                f"There is no announcement {number}.", "`outage-notify outage announcements` shows them."
            )
        if not reason.strip():
            raise InvalidInput("The reason is missing.", "Say what was wrong with the record.")
        outage = session.get_one(Outage, row.outage_ref)
        if row.void_at is None:
            row.void_at, row.void_by, row.void_reason = now, by, reason.strip()[:500]
            record(session, now, by, "announcement_void", outage=outage.id, announcement=row.id)
        return outage.reference


def announcements(rt: Runtime, reference: str) -> dict[str, Any]:
    """What is asked for and what was recorded, JSON-able, times in the outage's zone."""
    with rt.database.read() as session:
        outage = outage_queries.outage_by_reference(session, reference)
        duties = of_standing(session, rt, outage, rt.now(session))
        return {
            "duties": [duty_dict(one) for one in duties],
            "records": listed(session, outage),
        }


def listed(session: Session, outage: Outage) -> list[dict[str, Any]]:
    """The records of one outage, the newest first."""
    zone = ZoneInfo(outage.timezone)

    def local(at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(zone).isoformat(timespec="seconds")

    return [
        {
            "id": one.id,
            "revision": one.revision,
            "paper": one.paper.value,
            "medium": one.medium.value,
            "place": one.place,
            "language": one.language.value,
            "at": local(one.announced_at),
            "recorded_at": local(one.recorded_at),
            "recorded_by": one.recorded_by,
            "sha256": one.text_sha256,
            "text": one.text,
            "void_at": local(one.void_at),
            "void_reason": one.void_reason,
        }
        for one in announcement_queries.records(session, outage.id)
    ]


def duty_dict(one: AnnouncementDuty) -> dict[str, Any]:
    return {
        "article": one.rule.article,
        "verified": one.rule.verified,
        "asks": one.word,
        "deadline": one.deadline.isoformat(timespec="seconds"),
        "state": one.state.value,
        "at": one.at.isoformat(timespec="seconds") if one.at else None,
    }


def of_standing(session: Session, rt: Runtime, outage: Outage, now: datetime) -> list[AnnouncementDuty]:
    """What has to be announced of the standing revision and whether it was."""
    return of_revision(session, rt, outage, outage.standing, now)


def of_revision(
    session: Session, rt: Runtime, outage: Outage, revision: OutageRevision, now: datetime
) -> list[AnnouncementDuty]:
    """The same of one revision. Before approval every duty is open, or too late already."""
    counted = set(announcement_queries.same_public_facts(outage, revision))
    said = [
        Said(one.paper, one.medium, one.announced_at)
        for one in announcement_queries.records(session, outage.id, void=False)
        if one.revision in counted
    ]
    found: set[str] = set()
    for tier, life_support in announcement_queries.classes(session, revision.id):
        found |= {str(one) for one in classes_of(tier, life_support)}
    return announcement_duties(
        rt.policy,
        outage.kind,
        revision.start,
        ZoneInfo(outage.timezone),
        found,
        said,
        now,
        rt.holidays(session, revision.start),
    )


def unmet(duties: Sequence[AnnouncementDuty]) -> list[AnnouncementDuty]:
    """Those that somebody has to see to, or to answer for."""
    return [one for one in duties if one.state is not DutyState.MET]
