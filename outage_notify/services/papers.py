"""The papers of one outage, as they stand or stood at a moment: facts from the database, words from `channels.papers`.

Promises: what was in force at a time is told as of that time, so that a record entered later
holds the words of then; streets are named only where at least FEWEST_SHOWN affected places
lie in them, and never with a number. Reads only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.document import letter_batch_pdf, sheet_pdf
from channels.model import Language, NoticeFacts
from channels.papers import Paper, PaperFacts, Sheet, Stage, make, sheet_text
from channels.render import render_notice_text, text_sha256
from outage_notify.domain.errors import IllegalMove, InvalidInput, NotFound
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageState
from outage_notify.domain.place import street_words, tokens
from outage_notify.services.notice_facts import facts_for, in_words
from outage_notify.services.public_facts import FEWEST_SHOWN, rounded
from outage_notify.services.runtime import Runtime
from outage_notify.store import announcement_queries, desk_queries, outage_queries, view_queries
from outage_notify.store.outage_tables import Outage, OutageRevision

MOST_STREETS = 40
MOST_ELEMENTS = 60
# Letters that a page typesets while somebody waits.
MOST_LETTERS = 50


@dataclass(frozen=True)
class Made:
    """One paper in one language: its sheet, its exact words and their hash, and the revision it tells of."""

    sheet: Sheet
    text: str
    sha256: str
    revision: int
    approved: bool


def paper(rt: Runtime, reference: str, which: Paper, language: Language) -> Made:
    """One paper as of now."""
    with rt.database.read() as session:
        outage = outage_queries.outage_by_reference(session, reference)
        return made(session, rt, outage, which, language, rt.now(session))


def all_papers(rt: Runtime, reference: str) -> dict[Paper, dict[Language, Made]]:
    """Every paper in both languages, as of now."""
    with rt.database.read() as session:
        outage, now = outage_queries.outage_by_reference(session, reference), rt.now(session)
        facts = {language: facts_at(session, rt, outage, language, now) for language in Language}
        return {
            which: {language: _made(which, one, outage) for language, one in facts.items()} for which in Paper
        }


def paper_pdf(rt: Runtime, reference: str, which: Paper, language: Language) -> bytes:
    """The same as a PDF: the same facts give the same bytes."""
    return sheet_pdf(paper(rt, reference, which, language).sheet)


def key_notices_pdf(rt: Runtime, reference: str) -> bytes:
    """The written notices of all key customers in one file, each in its customer's language.

    NotFound where there is none; InvalidInput of more than somebody waits for: `outage_work` makes those."""
    facts = key_facts(rt, reference)
    if len(facts) > MOST_LETTERS:
        raise InvalidInput(
            f"{reference} affects {len(facts)} key customers.", "Have all papers made as one file."
        )
    return letter_batch_pdf(facts)


def key_notices_text(rt: Runtime, reference: str) -> str:
    """The texts that key customers sign, one after the other."""
    return "\n\n".join(render_notice_text(one) for one in key_facts(rt, reference))


def made(
    session: Session, rt: Runtime, outage: Outage, which: Paper, language: Language, at: datetime
) -> Made:
    """One paper as it was at a moment."""
    return _made(which, facts_at(session, rt, outage, language, at), outage)


def facts_at(session: Session, rt: Runtime, outage: Outage, language: Language, at: datetime) -> PaperFacts:
    """What the papers say at `at`: of the revision that stood then, or, before any did, of the newest draft."""
    revision = standing_at(outage, at)
    before = _approved_before(outage, revision)
    zone = ZoneInfo(outage.timezone)
    cancelled = outage.cancelled_at is not None and outage.cancelled_at <= at
    stage = Stage.CANCELLED if cancelled else Stage.CHANGED if before else Stage.PLANNED
    streets, more = _streets(session, revision)
    tiers = {tier: counts["customers"] for tier, counts in view_queries.by_tier(session, revision).items()}
    named = desk_queries.element_names(session, _elements(revision))
    isolation = revision.isolation
    return PaperFacts(
        language=language,
        stage=stage,
        reference=outage.reference,
        revision=revision.number,
        utility=rt.settings.utility,
        reason=in_words(revision.reason, language),
        start=revision.start.astimezone(zone),
        end=revision.end.astimezone(zone),
        area=revision.area,
        streets=streets,
        more_places=more,
        customers=rounded(announcement_queries.customers_out(session, revision.id)),
        hotline=rt.settings.hotline,
        page_url=f"{rt.settings.base_url}/outages/{outage.reference}",
        dated=_dated(outage, revision, cancelled, zone),
        old_start=before.start.astimezone(zone) if before else None,
        old_end=before.end.astimezone(zone) if before else None,
        line=revision.line,
        work=_named(revision.switching.get("work", ()), named),
        opened=_named(isolation.get("opened", ()), named),
        closed=_named(isolation.get("closed", ()), named),
        tiers=tiers,
        key_customers=view_queries.customers_in(session, [revision.id]).get(revision.id, (0, 0))[1],
        deadlines=_deadlines(session, rt, outage, revision, zone),
        people=(("planned", revision.planned_by), ("approved", revision.approved_by or "")),
    )


def standing_at(outage: Outage, at: datetime) -> OutageRevision:
    """The revision that stood at `at`; where none was approved yet, the one planners work on."""
    approved = [one for one in outage.revisions if one.approved_at is not None and one.approved_at <= at]
    return max(approved, key=lambda one: one.number) if approved else outage.newest


def _made(which: Paper, facts: PaperFacts, outage: Outage) -> Made:
    sheet = make(which, facts)
    text = sheet_text(sheet)
    approved = any(one.number == facts.revision and one.approved_at for one in outage.revisions)
    return Made(sheet, text, text_sha256(text), facts.revision, approved)


def _approved_before(outage: Outage, revision: OutageRevision) -> OutageRevision | None:
    earlier = [one for one in outage.revisions if one.number < revision.number and one.approved_at]
    return max(earlier, key=lambda one: one.number) if earlier else None


def _dated(outage: Outage, revision: OutageRevision, cancelled: bool, zone: ZoneInfo) -> datetime | None:
    at = outage.cancelled_at if cancelled else revision.approved_at
    return at.astimezone(zone) if at else None


def _streets(session: Session, revision: OutageRevision) -> tuple[tuple[str, ...], bool]:
    """Streets that may be named, and whether there are affected places beside them."""
    counted: Counter[tuple[str, ...]] = Counter()
    written: dict[tuple[str, ...], str] = {}
    for place, number in announcement_queries.places(session, revision.id):
        street = street_words(place)
        key = tokens(street)
        counted[key] += number
        written.setdefault(key, street)
    named = [key for key, number in counted.most_common() if key and number >= FEWEST_SHOWN]
    shown = sorted(written[key] for key in named[:MOST_STREETS])
    return tuple(shown), len(shown) < len(counted)


def _elements(revision: OutageRevision) -> list[str]:
    isolation = revision.isolation
    groups = (
        revision.switching.get("work", ()),
        isolation.get("opened", ()),
        isolation.get("closed", ()),
    )
    return [one for group in groups for one in list(group)[:MOST_ELEMENTS]]


def _named(elements: object, names: dict[str, str]) -> tuple[str, ...]:
    listed = [str(one) for one in elements] if isinstance(elements, list | tuple) else []
    return tuple(f"{one} ({names[one]})" if names.get(one) else one for one in listed[:MOST_ELEMENTS])


def _deadlines(
    session: Session, rt: Runtime, outage: Outage, revision: OutageRevision, zone: ZoneInfo
) -> tuple[tuple[str, datetime], ...]:
    """Each article that asks for a notice here, and its deadline."""
    found: dict[str, datetime] = {}
    calendar = rt.holidays(session, revision.start)
    for tier, life_support in announcement_queries.classes(session, revision.id):
        for duty in rt.policy.duties(
            outage.kind,
            revision.start,
            zone,
            tier=tier,
            life_support=life_support,
            holidays=calendar,
        ):
            if duty.duty:
                by = duty.deadline.astimezone(zone)
                found[duty.rule.article] = min(by, found.get(duty.rule.article, by))
    return tuple(sorted(found.items(), key=lambda one: one[1]))


def key_facts(rt: Runtime, reference: str) -> list[NoticeFacts]:
    """What the letter of each key customer says. NotFound where there is none, IllegalMove of what is cancelled."""
    with rt.database.read() as session:
        outage = outage_queries.outage_by_reference(session, reference)
        revision = outage.newest
        if outage.state is OutageState.CANCELLED:
            raise IllegalMove(f"{reference} is cancelled.", "There is nothing to notify of.")
        members = desk_queries.key_members(session, revision.id)
        customers = {one.customer_ref: one.customer for one in members}
        if not customers:
            raise NotFound(f"{reference} affects no key customer.")
        return [
            facts_for(session, rt, outage, revision, customer, NoticeKind.SEVEN_DAY)
            for customer in customers.values()
        ]
