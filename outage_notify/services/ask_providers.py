"""Asks providers what only they can know: whether a doubtful message was taken, how a taken one ended.

Some at a time: their facts in a few queries, the questions side by side, the answers on record in one
transaction. A provider that does not answer is left alone for the rest of a run. Any number of workers
may do this at once; each row is asked about by one of them (`claims.take_questions`). Dies midway:
what was taken is due again, and asked about once more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Generic, TypeVar

import structlog
from sqlalchemy.orm import Session

from channels.model import Channel, Message, Outcome, OutcomeKind, Report, ReportStatus
from channels.sender import Sender
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import record_receipts, settle_doubt
from outage_notify.services.notice_facts import WaveTexts
from outage_notify.services.runtime import Runtime
from outage_notify.services.settle import of_use
from outage_notify.store import calls_by_number, claims, delivery_queries
from outage_notify.store.database import AWAY
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.wave_queries import Wave, load_wave

log = structlog.get_logger()

AT_ONCE = 50  # rows that one worker takes to ask about before others may
MOST_DOUBTS, MOST_SILENT = 500, 200  # in one run
MOST_SILENCE = 3  # questions without an answer after which a sender is not asked any more in one run
NEXT_CHECK = timedelta(hours=1)
GIVE_UP = timedelta(days=2)

A = TypeVar("A")


@dataclass(frozen=True)
class Question(Generic[A]):
    """About one delivery; `ask` is called without a transaction, None where nobody is to be asked.

    `calls`: it is no question alone, but hands the message in once more.
    """

    delivery: int
    sender: str
    ask: Callable[[], A | None] | None
    calls: bool = False


@dataclass(frozen=True)
class Answer(Generic[A]):
    """`said` is None where there was no answer; `asked` is whether there was a question."""

    delivery: int
    asked: bool
    said: A | None


@dataclass
class _Asker:
    """Puts questions side by side and remembers whose provider is silent."""

    threads: int
    _silent: Counter[str] = field(default_factory=Counter)

    def __enter__(self) -> _Asker:
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="question")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def all(self, questions: Sequence[Question[A]]) -> list[Answer[A]]:
        return list(self._pool.map(self._put, questions))

    def _put(self, question: Question[A]) -> Answer[A]:
        # A provider that is down is not asked about each of them: the others would wait for hours.
        if question.ask is None or self._silent[question.sender] >= MOST_SILENCE:
            return Answer(question.delivery, False, None)
        said = question.ask()
        self._silent[question.sender] += said is None
        return Answer(question.delivery, True, said)


def settle_doubts(rt: Runtime) -> Counter[str]:
    """Ask about what is in doubt and settle it; how many came to what (`settle_doubt.FOUND`, `RESENT`)."""
    came_to: Counter[str] = Counter()
    with _Asker(rt.settings.send_threads) as asker:
        for taken, until in _questions(rt, DeliveryState.IN_DOUBT, MOST_DOUBTS):
            answers = asker.all(_taken_over(rt, _doubts(rt, taken)))

            def settle(
                session: Session,
                row: Delivery,
                answer: Answer[settle_doubt.Said],
                now: datetime,
                until: datetime = until,
            ) -> str:
                return settle_doubt.settle(session, rt, row, answer.said, row.next_check_at == until, now)

            came_to += _put_on_record(rt, answers, settle)
    return came_to


def fetch_silent(rt: Runtime) -> None:
    """Ask about accepted messages whose callback never came; give up asking after two days."""
    with _Asker(rt.settings.send_threads) as asker:
        for taken, _ in _questions(rt, DeliveryState.ACCEPTED, MOST_SILENT):
            _put_on_record(rt, asker.all(_unended(rt, taken)), partial(_ended, rt))


def _questions(rt: Runtime, state: DeliveryState, most: int) -> Iterator[tuple[Sequence[int], datetime]]:
    """What is to be asked about, some at a time, and until when it is ours. At most `most` in one run."""
    wait = timedelta(seconds=rt.settings.doubt_interval)
    while most > 0:
        with rt.database.write() as session:
            now = rt.now(session)
            taken = claims.take_questions(session, state, now, now + wait, min(most, AT_ONCE))
        if taken:
            yield taken, now + wait
        most = most - len(taken) if taken else 0


def _doubts(rt: Runtime, taken: Sequence[int]) -> list[Question[settle_doubt.Said]]:
    with rt.database.read() as session:
        now = rt.now(session)
        rows = delivery_queries.by_ids(session, taken)
        wave = load_wave(session, taken)
        messages = _messages(rt, wave, now)
        calls = [one.address for one in rows if one.channel is Channel.VOICE]
        known = calls_by_number.known_calls(session, calls)
        return [
            _doubt(rt, row, messages[row.id], known.get(row.address, frozenset()), _wanted(wave, row, now))
            for row in rows
            # One that can't be made stays in doubt; the others are settled all the same.
            if row.id in messages
        ]


def _taken_over(
    rt: Runtime, questions: Sequence[Question[settle_doubt.Said]]
) -> list[Question[settle_doubt.Said]]:
    """The same, those that hand in a message again only while it is ours alone to do so."""
    again = [one.delivery for one in questions if one.calls]
    if not again:
        return list(questions)
    with rt.database.write() as session:
        claims.hold(session, again)
        ours = claims.take_over(session, again)
    return [one if one.delivery in ours or not one.calls else replace(one, ask=None) for one in questions]


def _messages(rt: Runtime, wave: Wave, now: datetime) -> dict[int, Message]:
    texts, made = WaveTexts(rt, wave, now), {}
    for row in wave.rows:
        try:
            made[row.id] = texts.message(row)
        except Exception:
            log.exception("message can't be made", delivery=row.id)
    return made


def _wanted(wave: Wave, row: Delivery, now: datetime) -> bool:
    return of_use(wave.outages[row.outage_ref], row, now)


def _doubt(
    rt: Runtime, row: Delivery, message: Message, known: frozenset[str], wanted: bool
) -> Question[settle_doubt.Said]:
    # Whoever was handed it, and nobody else, may have taken it.
    sender, began = rt.sender_named(row.channel, row.sender), row.began_at
    if sender is None or began is None:
        log.error("nobody to ask about a doubtful delivery", delivery=row.id)
        return Question(row.id, "", None)
    if not sender.repeatable:
        return Question(row.id, sender.name, lambda: sender.find(message, began, known))
    if wanted:
        return Question(row.id, sender.name, None)  # It is sent again in its turn.
    return Question(row.id, sender.name, lambda: _repeated(sender, message), calls=True)


def _repeated(sender: Sender, message: Message) -> Outcome | None:
    outcome = sender.send(message)
    return outcome if outcome.kind in {OutcomeKind.ACCEPTED, OutcomeKind.REJECTED} else None


def _unended(rt: Runtime, taken: Sequence[int]) -> list[Question[Report]]:
    with rt.database.read() as session:
        rows = delivery_queries.by_ids(session, taken)
    return [_end(row, rt.sender_named(row.channel, row.sender)) for row in rows]


def _end(row: Delivery, sender: Sender | None) -> Question[Report]:
    provider_id = row.provider_id
    if sender is None or not provider_id:
        return Question(row.id, "", None)
    return Question(row.id, sender.name, lambda: sender.fetch(provider_id))


def _ended(rt: Runtime, session: Session, row: Delivery, answer: Answer[Report], now: datetime) -> str:
    report = answer.said
    if report and report.status in {ReportStatus.DELIVERED, ReportStatus.FAILED}:
        return record_receipts.apply_report(session, rt, row.id, report, now)
    sender = rt.sender_named(row.channel, row.sender)
    if sender is not None and row.provider_id and not answer.asked:
        return "asked later"  # Its provider is silent; it is due again soon.
    young = row.accepted_at and now - row.accepted_at < GIVE_UP
    claims.check_later(session, row.id, now + NEXT_CHECK if young and sender else None)
    return "no end yet"


def _put_on_record(
    rt: Runtime, answers: Sequence[Answer[A]], settle: Callable[[Session, Delivery, Answer[A], datetime], str]
) -> Counter[str]:
    """Settle what was answered, together; where one of them can't be, each by itself."""
    by_id = {one.delivery: one for one in answers}
    try:
        with rt.database.write() as session:
            claims.hold(session, by_id)
            now = rt.now(session)
            rows = delivery_queries.by_ids(session, list(by_id))
            return Counter(settle(session, row, by_id[row.id], now) for row in rows)
    except AWAY:
        raise
    except Exception:
        if len(answers) == 1:
            log.exception("an answer can't be put on record", delivery=answers[0].delivery)
            return Counter()
    came_to: Counter[str] = Counter()
    for one in answers:
        came_to += _put_on_record(rt, [one], settle)
    return came_to
