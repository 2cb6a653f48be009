"""The utility's own words as texts are made with them: those that stand now, or stood when a message was made.

Promises: one small question tells which stand, and each process reads what a number says once; a change is in force
for whatever is made after it, in every process, without a restart. A row that this release can't
say (it was written by another one, or by hand) is left out with a line in the log, and the delivered words serve:
a notice goes out in any case.
"""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session

from channels import texts
from channels.own_words import DELIVERED, OwnWords, Sentences
from outage_notify.services.runtime import Runtime
from outage_notify.store import own_text_queries
from outage_notify.store.own_text_tables import OwnText

log = structlog.get_logger()

_KEPT = 16  # what stood at so many moments is kept


def now(session: Session, rt: Runtime) -> OwnWords:
    """Those that stand."""
    return at(session, rt, own_text_queries.newest_number(session))


def at(session: Session, rt: Runtime, number: int) -> OwnWords:
    """Those that stood when `number` was the newest change; 0: as delivered."""
    if not number:
        return rt.own_words.setdefault(0, DELIVERED)
    found = rt.own_words.get(number)
    if found is None:
        found = _read(number, own_text_queries.standing_at(session, number))
        # Threads may read the same at once; each is as good, and the oldest goes.
        rt.own_words[number] = found
        for old in sorted(rt.own_words)[1:-_KEPT]:
            rt.own_words.pop(old, None)
    return found


def with_words(standing: OwnWords, row: OwnText) -> OwnWords:
    """The words that stand with one text changed, before anything is stored."""
    return standing.with_text(_name(row), Sentences(sayable(row)))


def sayable(row: OwnText) -> dict[str, str]:
    """The words of a version that this release can say, by delivered sentence."""
    found = {}
    known = frozenset(texts.sentences(row.channel, row.kind))
    for sentence, words in row.words.items():
        try:
            if sentence not in known:
                raise texts.WordsRefused("No text says this sentence any more.", "Word its successor anew.")
            found[sentence] = texts.checked(sentence, row.language, words)
        except texts.WordsRefused as refused:
            log.warning("own words can't be said", text=row.id, why=refused.message)
    return found


def _read(number: int, rows: list[OwnText]) -> OwnWords:
    return OwnWords(number, {_name(row): Sentences(sayable(row)) for row in rows})


def _name(row: OwnText) -> tuple[str, str, str]:
    return row.channel.value, row.kind.value, row.language.value
