"""Letters, for laws that ask for writing: printed in batches, posted by a person, dates entered.

Promises: a letter is in one batch; what was printed is kept byte for byte; no date is
taken that cannot be. A date without a time of day counts as the last moment of that day, so that
nothing is claimed earlier than it can be proved. Leaves to others: which letters there are
(`schedule_notices`) and how they look (`channels.document`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.document import letter_batch_pdf
from channels.model import FaultClass, NoticeFacts
from outage_notify.domain.errors import Conflict, IllegalMove, InvalidInput, NotFound
from outage_notify.services import words_in_force
from outage_notify.services.notice_facts import facts_for
from outage_notify.services.runtime import Runtime
from outage_notify.store import letter_queries, outage_queries, user_lookup
from outage_notify.store.delivery_tables import Delivery, LetterBatch
from outage_notify.store.letter_queries import Batch
from outage_notify.store.outage_tables import Outage
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import close_tasks, open_task, record
from outage_notify.store.work_tables import TaskKind

LARGEST_BATCH = 500
_TRIES = 3


def pending(rt: Runtime) -> list[dict[str, Any]]:
    """Per outage how many letters wait to be printed, the most urgent first. JSON-able."""
    with rt.database.read() as session:
        return [
            {
                "reference": one.reference,
                "letters": one.letters,
                "due": one.first_due.isoformat(),
                "deadline": one.deadline.isoformat(),
            }
            for one in letter_queries.waiting(session, rt.now(session))
        ]


def batches(rt: Runtime, reference: str) -> list[Batch]:
    """The printed batches of an outage with their dates."""
    with rt.database.read() as session:
        return letter_queries.batches(session, outage_queries.outage_by_reference(session, reference).id)


def open_letter_tasks(rt: Runtime) -> int:
    """A task for each outage whose letters wait, unless one is open; how many are new. Twice is harmless."""
    new = 0
    with rt.database.read() as session:
        found = letter_queries.waiting(session, rt.now(session))
    for one in found:
        with rt.database.write() as session:
            now = rt.now(session)
            if not letter_queries.has_open_task(session, one.outage):
                new += open_task(
                    session,
                    TaskKind.LETTERS,
                    f"{TaskKind.LETTERS.value}:{one.outage}:{one.first_id}",
                    now,
                    outage=one.outage,
                    due_at=max(one.deadline, now),
                    note=f"{one.letters} to print and post",
                )
    return new


def print_batch(rt: Runtime, by: str, reference: str) -> tuple[int, bytes]:
    """Print the letters of an outage that are due (at most 500 at a time): the batch's id and its PDF.

    The PDF is set before anything is written, with no transaction open; then batch, PDF and
    the moves READY > CLAIMED > SUBMITTING commit together. If it dies midway, nothing has happened. Called
    twice, or by two at once: one gets the letters, the other NotFound because none wait. A batch
    whose PDF got lost on the way is had again by `reprint`.
    """
    for _ in range(_TRIES):
        with rt.database.read() as session:
            now = rt.now(session)
            user_lookup.require(session, by, Role.PLANNER)
            outage = outage_queries.outage_by_reference(session, reference)
            letters = letter_queries.due_letters(session, outage.id, now, LARGEST_BATCH)
            ids = [one.id for one in letters]
            facts = _facts(session, rt, outage, letters)
        if not ids:
            raise NotFound(f"No letter of {reference} waits to be printed.", "See what was printed already.")
        pdf = letter_batch_pdf(facts)
        try:
            with rt.database.write() as session:
                return _commit(session, rt, by, outage, ids, pdf, facts[0].words.number), pdf
        except _Overtaken:
            continue
    raise Conflict(f"The letters of {reference} were changed while they were printed.", "Print them again.")


class _Overtaken(Exception):
    """A letter was withdrawn, paused or printed by somebody else meanwhile."""


def _commit(
    session: Session, rt: Runtime, by: str, outage: Outage, ids: list[int], pdf: bytes, words: int
) -> int:
    now = rt.now(session)
    batch = LetterBatch(outage_ref=outage.id, printed_at=now, printed_by=by, pdf=pdf)
    session.add(batch)
    session.flush()
    if not letter_queries.take(session, batch, ids, now, words):
        raise _Overtaken
    if not letter_queries.due_letters(session, outage.id, now, 1):
        close_tasks(session, TaskKind.LETTERS, now, by, outage=outage.id)
    record(session, now, by, "letters_printed", outage=outage.id, batch=batch.id, letters=len(ids))
    return batch.id


def _facts(session: Session, rt: Runtime, outage: Outage, letters: Sequence[Delivery]) -> list[NoticeFacts]:
    """One letter per delivery and recipient."""
    revisions = {one.number: one for one in outage.revisions}
    words = words_in_force.now(session, rt)
    return [
        facts_for(
            session,
            rt,
            outage,
            revisions[letter.revision],
            recipient.customer,
            letter.notice.kind,
            letter.short_ref,
            letter.notice.facts,
            delivery=letter.id,
            language=letter.language,
            words=words,
        )
        for letter in letters
        for recipient in letter.recipients
    ]


def reprint(rt: Runtime, batch_id: int) -> bytes:
    """The PDF of a batch, the same bytes as when it was printed."""
    with rt.database.read() as session:
        pdf = letter_queries.pdf_of(session, batch_id)
    if pdf is None:
        raise NotFound(f"There is no batch of letters {batch_id}.")
    return pdf


def mark_posted(rt: Runtime, by: str, batch_id: int, on: date) -> int:
    """Enter the day of posting (local): the letters of the batch are ACCEPTED; how many that were.

    Entered twice with the same day nothing more happens; another day is refused (IllegalMove).
    """
    with rt.database.write() as session:
        batch, outage, now = _entry(session, rt, by, batch_id)
        zone = ZoneInfo(outage.timezone)
        _require_day(on, batch.printed_at.astimezone(zone).date(), "printed", now, zone)
        if batch.posted_at is not None:
            return _require_same(on, batch.posted_at, zone, batch_id, "posted")
        at = _moment(on, zone, now)
        letters = letter_queries.posted(session, batch_id, at)
        if not letters:
            raise IllegalMove(f"Batch {batch_id} holds no letter any more.", "It was given up; print again.")
        batch.posted_at = at
        record(session, now, by, "letters_posted", outage=outage.id, batch=batch_id, letters=len(letters))
        return len(letters)


def mark_delivered(rt: Runtime, by: str, batch_id: int, on: date) -> int:
    """Enter the day of delivery (local): the letters that did not come back are DELIVERED.

    Entered twice with the same day nothing more happens; another day is refused (IllegalMove).
    """
    with rt.database.write() as session:
        batch, outage, now = _entry(session, rt, by, batch_id)
        zone = ZoneInfo(outage.timezone)
        if batch.posted_at is None:
            raise IllegalMove(f"Batch {batch_id} was not posted yet.", "Enter the day of posting first.")
        _require_day(on, batch.posted_at.astimezone(zone).date(), "posted", now, zone)
        if batch.delivered_at is not None:
            return _require_same(on, batch.delivered_at, zone, batch_id, "delivered")
        batch.delivered_at = _moment(on, zone, now)
        letters = letter_queries.delivered(session, batch_id, batch.delivered_at)
        record(session, now, by, "letters_delivered", outage=outage.id, batch=batch_id, letters=len(letters))
        return len(letters)


def mark_returned(rt: Runtime, by: str, batch_id: int, short_ref: str) -> None:
    """One posted letter came back: it is FAILED, and the ladder goes on from there."""
    with rt.database.write() as session:
        _, outage, now = _entry(session, rt, by, batch_id)
        fault = FaultClass.BAD_ADDRESS.value
        letter = letter_queries.returned(session, batch_id, short_ref.strip().upper(), now, fault)
        if letter is None:
            raise NotFound(
                f"Batch {batch_id} has no posted letter {short_ref!r}.", "The reference is at its foot."
            )
        record(session, now, by, "letter_returned", outage=outage.id, delivery=letter, batch=batch_id)


def give_up(rt: Runtime, by: str, batch_id: int) -> tuple[int, int]:
    """Printed, but not posted and never to be: letters of the standing revision wait to be printed anew,
    older ones are withdrawn; (how many of these, of those). Twice it finds nothing more to do."""
    with rt.database.write() as session:
        _, outage, now = _entry(session, rt, by, batch_id)
        again, gone = letter_queries.give_up(session, batch_id, outage.revision, now)
        if again or gone:
            record(
                session, now, by, "letters_given_up", outage=outage.id, batch=batch_id, letters=again + gone
            )
        return again, gone


def _entry(session: Session, rt: Runtime, by: str, batch_id: int) -> tuple[LetterBatch, Outage, datetime]:
    user_lookup.require(session, by, Role.PLANNER)
    batch = letter_queries.batch_of(session, batch_id)
    if batch is None:
        raise NotFound(f"There is no batch of letters {batch_id}.")
    return batch, session.get_one(Outage, batch.outage_ref), rt.now(session)


def _require_day(on: date, earliest: date, what: str, now: datetime, zone: ZoneInfo) -> None:
    if on > now.astimezone(zone).date():
        raise InvalidInput(f"{on} lies in the future.", "Enter the day when it happened.")
    if on < earliest:
        raise InvalidInput(f"{on} is before the batch was {what} ({earliest}).", "Enter a later day.")


def _require_same(on: date, entered: datetime, zone: ZoneInfo, batch_id: int, what: str) -> int:
    """0 letters moved, if it is the same day again."""
    before = entered.astimezone(zone).date()
    if before != on:
        raise IllegalMove(f"Batch {batch_id} was {what} on {before}.", "An entered day is not changed.")
    return 0


def _moment(on: date, zone: ZoneInfo, now: datetime) -> datetime:
    """The last second of a local day, or now if that day is not over."""
    midnight = datetime.combine(on + timedelta(days=1), time(), zone).astimezone(UTC)
    return min(now, midnight - timedelta(seconds=1))
