"""Letters from the outbox to the letter box: printed once, kept as printed, dated as it can have been."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import func, inspect, select

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.errors import IllegalMove, InvalidInput, NotFound, NotPermitted
from outage_notify.domain.outage import OutageState
from outage_notify.services import print_letters
from outage_notify.services.runtime import Runtime
from outage_notify.store import letter_queries, migrate
from outage_notify.store.database import Database
from outage_notify.store.delivery_tables import Delivery, LetterBatch
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer
from outage_notify.store.user_tables import User
from outage_notify.store.work_queries import open_tasks
from tests.factories.people import NOW, add_customer, add_delivery, add_notice, add_outage, add_revision
from tests.factories.runtimes import StandingClock, make_runtime

TODAY = NOW.date()
S = DeliveryState


@pytest.fixture
def rt(migrated_url: str, tmp_path: Path) -> Iterator[Runtime]:
    runtime = make_runtime(migrated_url, tmp_path)
    with runtime.database.write() as session:
        for name, roles in (("clerk", ["planner"]), ("guest", [])):
            session.add(User(username=name, name=name, password_hash="", roles=roles))
    yield runtime
    runtime.database.close()


@dataclass
class Case:
    reference: str
    outage: int
    letters: list[int]


def letters(rt: Runtime, number: int = 3) -> Case:
    """Letters of one outage that are due, and an SMS that is none of ours."""
    with rt.database.write() as session:
        customers = [add_customer(session, name=f"House {one}") for one in range(number)]
        outage = add_outage(session, customers)
        notice = add_notice(session, outage)
        add_delivery(session, notice, customers[:1], Channel.SMS)
        ids = [add_delivery(session, notice, [one], Channel.LETTER).id for one in customers]
        return Case(outage.reference, outage.id, ids)


def states(rt: Runtime, case: Case) -> list[DeliveryState]:
    with rt.database.read() as session:
        return [session.get_one(Delivery, one).state for one in case.letters]


def at(rt: Runtime, now: datetime) -> None:
    assert isinstance(rt.clock, StandingClock)
    rt.clock.instant = now


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_a_batch_from_print_to_delivery(rt: Runtime) -> None:
    case = letters(rt)
    (waiting,) = print_letters.pending(rt)
    assert (waiting["reference"], waiting["letters"]) == (case.reference, 3)
    assert (print_letters.open_letter_tasks(rt), print_letters.open_letter_tasks(rt)) == (1, 0)
    batch, pdf = print_letters.print_batch(rt, "clerk", case.reference)
    text = text_of(pdf)
    assert all(f"House {number}" in text for number in range(3))
    assert states(rt, case) == [S.SUBMITTING] * 3
    assert print_letters.pending(rt) == []
    with rt.database.read() as session:
        assert open_tasks(session) == []

    at(rt, NOW + timedelta(days=1))
    assert print_letters.mark_posted(rt, "clerk", batch, TODAY) == 3
    assert states(rt, case) == [S.ACCEPTED] * 3
    with rt.database.read() as session:
        # The day is all that is known, so its last second in Berlin counts.
        assert session.get_one(Delivery, case.letters[0]).accepted_at == datetime(
            2026, 3, 2, 22, 59, 59, tzinfo=UTC
        )

    at(rt, NOW + timedelta(days=3))
    assert print_letters.mark_delivered(rt, "clerk", batch, TODAY + timedelta(days=2)) == 3
    assert states(rt, case) == [S.DELIVERED] * 3
    (shown,) = print_letters.batches(rt, case.reference)
    assert (shown.letters, shown.open, shown.printed_by) == (3, 0, "clerk")


def test_a_reprint_is_the_same_bytes_whatever_changed_since(rt: Runtime) -> None:
    case = letters(rt)
    batch, pdf = print_letters.print_batch(rt, "clerk", case.reference)
    with rt.database.write() as session:
        for customer in session.scalars(select(Customer)):
            customer.name = "Somebody else"
    assert print_letters.reprint(rt, batch) == pdf
    with pytest.raises(NotFound):
        print_letters.reprint(rt, batch + 1)


def test_printed_by_two_at_once_each_letter_is_in_one_batch(rt: Runtime) -> None:
    case = letters(rt)

    def press(_: int) -> bool:
        try:
            print_letters.print_batch(rt, "clerk", case.reference)
        except NotFound:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == [False, True]
    with rt.database.read() as session:
        assert session.scalar(select(func.count()).select_from(LetterBatch)) == 1


def test_a_letter_withdrawn_while_it_was_printed_is_not_in_the_batch(rt: Runtime) -> None:
    case = letters(rt)
    with rt.database.write() as session:
        batch = LetterBatch(outage_ref=case.outage, printed_at=NOW, printed_by="clerk", pdf=b"")
        session.add(batch)
        session.flush()
        session.get_one(Delivery, case.letters[1]).state = S.WITHDRAWN
        session.flush()
        assert not letter_queries.take(session, batch, case.letters, NOW)
        session.rollback()
    with rt.database.write() as session:
        session.get_one(Delivery, case.letters[1]).state = S.WITHDRAWN
    print_letters.print_batch(rt, "clerk", case.reference)
    assert states(rt, case) == [S.SUBMITTING, S.WITHDRAWN, S.SUBMITTING]


@pytest.mark.parametrize(
    "change", [{"paused": True}, {"due_at": NOW + timedelta(hours=1)}, {"not_after": NOW}]
)
def test_what_is_paused_not_due_or_useless_is_not_printed(rt: Runtime, change: dict[str, object]) -> None:
    case = letters(rt, 1)
    with rt.database.write() as session:
        for name, value in change.items():
            setattr(session.get_one(Delivery, case.letters[0]), name, value)
    assert print_letters.open_letter_tasks(rt) == 0
    with pytest.raises(NotFound, match="waits to be printed"):
        print_letters.print_batch(rt, "clerk", case.reference)


@pytest.mark.parametrize(("day", "why"), [(1, "future"), (-1, "before the batch was printed")])
def test_a_day_of_posting_that_cannot_be_is_refused(rt: Runtime, day: int, why: str) -> None:
    case = letters(rt, 1)
    batch, _ = print_letters.print_batch(rt, "clerk", case.reference)
    with pytest.raises(InvalidInput, match=why):
        print_letters.mark_posted(rt, "clerk", batch, TODAY + timedelta(days=day))
    assert states(rt, case) == [S.SUBMITTING]


def test_a_day_that_was_entered_stands(rt: Runtime) -> None:
    case = letters(rt, 1)
    batch, _ = print_letters.print_batch(rt, "clerk", case.reference)
    with pytest.raises(IllegalMove, match="not posted yet"):
        print_letters.mark_delivered(rt, "clerk", batch, TODAY)
    at(rt, NOW + timedelta(days=2))
    later: date = TODAY + timedelta(days=1)
    assert print_letters.mark_posted(rt, "clerk", batch, later) == 1
    assert print_letters.mark_posted(rt, "clerk", batch, later) == 0
    with pytest.raises(IllegalMove, match="posted on 2026-03-03"):
        print_letters.mark_posted(rt, "clerk", batch, TODAY)
    with pytest.raises(InvalidInput, match="before the batch was posted"):
        print_letters.mark_delivered(rt, "clerk", batch, TODAY)


def test_a_letter_that_came_back_failed_and_is_not_delivered_with_the_rest(rt: Runtime) -> None:
    case = letters(rt, 2)
    batch, _ = print_letters.print_batch(rt, "clerk", case.reference)
    print_letters.mark_posted(rt, "clerk", batch, TODAY)
    with rt.database.read() as session:
        short_ref = session.get_one(Delivery, case.letters[0]).short_ref
    print_letters.mark_returned(rt, "clerk", batch, short_ref.lower())
    assert print_letters.mark_delivered(rt, "clerk", batch, TODAY) == 1
    assert states(rt, case) == [S.FAILED, S.DELIVERED]
    with pytest.raises(NotFound):
        print_letters.mark_returned(rt, "clerk", batch, short_ref)


def test_a_batch_that_is_never_posted_is_printed_anew_or_withdrawn(rt: Runtime) -> None:
    case = letters(rt, 2)
    batch, _ = print_letters.print_batch(rt, "clerk", case.reference)
    assert print_letters.give_up(rt, "clerk", batch) == (2, 0)
    with pytest.raises(IllegalMove, match="no letter any more"):
        print_letters.mark_posted(rt, "clerk", batch, TODAY)
    again, _ = print_letters.print_batch(rt, "clerk", case.reference)
    with rt.database.write() as session:
        add_revision(session, session.get_one(Outage, case.outage), number=2)
    assert print_letters.give_up(rt, "clerk", again) == (0, 2)
    assert states(rt, case) == [S.WITHDRAWN] * 2
    assert print_letters.give_up(rt, "clerk", again) == (0, 0)


def test_letters_that_come_later_get_a_task_of_their_own(rt: Runtime) -> None:
    case = letters(rt, 1)
    print_letters.open_letter_tasks(rt)
    print_letters.print_batch(rt, "clerk", case.reference)
    with rt.database.write() as session:
        outage = session.get_one(Outage, case.outage)
        add_delivery(session, add_notice(session, outage, serial=2), [add_customer(session)], Channel.LETTER)
    assert print_letters.open_letter_tasks(rt) == 1


def test_only_a_planner_prints(rt: Runtime) -> None:
    case = letters(rt, 1)
    with pytest.raises(NotPermitted):
        print_letters.print_batch(rt, "guest", case.reference)


def test_what_was_printed_survives_going_down_and_up_one_revision(migrated_url: str) -> None:
    database = Database(migrated_url)
    with database.write() as session:
        outage = add_outage(session, [], state=OutageState.APPROVED)
        session.add(LetterBatch(outage_ref=outage.id, printed_at=NOW, printed_by="clerk", pdf=b"%PDF"))
        session.flush()
        batch = session.scalars(select(LetterBatch.id)).one()
        letter = add_delivery(session, add_notice(session, outage), [add_customer(session)], Channel.LETTER)
        letter.letter_batch_ref = batch
    migrate.downgrade(database, "0001")
    assert "pdf" not in {column["name"] for column in inspect(database.engine).get_columns("letter_batches")}
    migrate.upgrade(database)
    with database.read() as session:
        assert session.get_one(LetterBatch, batch).printed_by == "clerk"
    database.close()
