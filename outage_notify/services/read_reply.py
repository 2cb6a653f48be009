"""Reads what customers text back: a confirmation, a wish to hear no more, or something for a person.

The raw text is stored first, in a transaction of its own; a repeated call by the provider
finds it there and does nothing twice, and a call that died midway is finished by its
repetition. A confirmation answers the request of the text that was last sent to this
number (or of the one it names). Nothing that a customer writes is ever dropped: what the
program can't read becomes a task.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from outage_notify.domain.acknowledgement import AckWay
from outage_notify.domain.errors import IllegalMove, InvalidInput
from outage_notify.services import acknowledge
from outage_notify.services.runtime import Runtime
from outage_notify.store import reply_queries
from outage_notify.store.people_tables import ContactPoint
from outage_notify.store.work_queries import SYSTEM, open_task, record
from outage_notify.store.work_tables import InboundMessage, TaskKind

LONGEST_NOTE = 500
_WORD = re.compile(r"[\w-]+")
_AGREE = frozenset(
    {"1", "y", "yes", "ok", "confirm", "confirmed", "收到", "已收到", "确认", "签收", "已签收", "好", "好的"}
)
# The words that providers themselves act on, and the Chinese ones.
_STOP = frozenset({"stop", "stopall", "unsubscribe", "end", "quit", "cancel", "td", "退订", "退订td"})
_START = frozenset({"start", "unstop", "订阅"})


class Meaning(StrEnum):
    AGREE = "agree"
    STOP = "stop"
    START = "start"
    OTHER = "other"


class Verdict(StrEnum):
    """What was made of an incoming text; stands beside it in the inbox."""

    ACKNOWLEDGED = "acknowledged"
    NOTHING_OPEN = "nothing_open"  # a confirmation where none is awaited: not asked for, stale, or too late
    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    TASK = "task"


def meaning(text: str) -> tuple[Meaning, frozenset[str]]:
    """What a text means, and the words beside the first one, in capitals (they may name an outage).

    Full-width and half-width, capitals and punctuation make no difference. A sentence that
    merely begins like a confirmation ("1 person is on a ventilator") is one for a person.
    """
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    if not words:
        return Meaning.OTHER, frozenset()
    rest = frozenset(word.upper() for word in words[1:])
    for found, vocabulary in ((Meaning.AGREE, _AGREE), (Meaning.STOP, _STOP), (Meaning.START, _START)):
        if words[0] in vocabulary and all(_is_reference(word) for word in rest):
            return found, rest
    return Meaning.OTHER, frozenset(word.upper() for word in words)


def read_reply(rt: Runtime, form: Mapping[str, str]) -> Verdict:
    """Store an incoming text and act on it once. InvalidInput if the form is no incoming text."""
    provider_id, sender = form.get("MessageSid", ""), form.get("From", "")
    if not provider_id or not sender:
        raise InvalidInput("The form holds no MessageSid or no From.")
    with rt.database.write() as session:
        now = rt.now(session)
        reply_queries.keep_inbound(session, provider_id[:200], sender[:40], form.get("Body", ""), now)
    with rt.database.write() as session:
        inbound = reply_queries.inbound_of(session, provider_id[:200])
        if not inbound.verdict:
            inbound.verdict = _act(session, rt, inbound, rt.now(session)).value
        return Verdict(inbound.verdict)


def _act(session: Session, rt: Runtime, inbound: InboundMessage, now: datetime) -> Verdict:
    said, words = meaning(inbound.text)
    contacts = reply_queries.contacts_at(session, inbound.sender)
    if said is Meaning.AGREE:
        return _confirm(session, rt, inbound, words, contacts, now)
    if said is Meaning.OTHER:
        return _hand_over(session, inbound, words, contacts, now)
    for contact in contacts:
        contact.opted_out_at = now if said is Meaning.STOP else None
        what = "opted_out" if said is Meaning.STOP else "opted_in"
        record(session, now, SYSTEM, what, customer=contact.customer_ref, channel=contact.channel.value)
    return Verdict.OPTED_OUT if said is Meaning.STOP else Verdict.OPTED_IN


def _confirm(
    session: Session,
    rt: Runtime,
    inbound: InboundMessage,
    words: frozenset[str],
    contacts: list[ContactPoint],
    now: datetime,
) -> Verdict:
    """Answer for each customer whom the text told and of whom an answer is still awaited."""
    delivery = reply_queries.newest_text_to(session, inbound.sender, words)
    if delivery is None:
        return Verdict.NOTHING_OPEN
    persons = {contact.customer_ref: contact.person or contact.customer.name for contact in contacts}
    answered = False
    for recipient in delivery.recipients:
        signer = persons.get(recipient.customer_ref) or recipient.customer.name
        try:
            receipt = acknowledge.answer_by_customer(
                session,
                rt,
                recipient.customer_ref,
                delivery.outage_ref,
                AckWay.REPLY,
                signer,
                now,
                revision=delivery.revision,
            )
        except IllegalMove:
            # A newer notice is on its way, or the matter is over: this reply proves nothing about it.
            continue
        answered = answered or receipt is not None
    return Verdict.ACKNOWLEDGED if answered else Verdict.NOTHING_OPEN


def _hand_over(
    session: Session,
    inbound: InboundMessage,
    words: frozenset[str],
    contacts: list[ContactPoint],
    now: datetime,
) -> Verdict:
    delivery = reply_queries.newest_text_to(session, inbound.sender, words)
    open_task(
        session,
        TaskKind.REPLY,
        f"reply:{inbound.provider_id}",
        now,
        outage=delivery.outage_ref if delivery else None,
        customer=contacts[0].customer_ref if contacts else None,
        delivery=delivery.id if delivery else None,
        due_at=now,
        note=inbound.text[:LONGEST_NOTE],
    )
    return Verdict.TASK


def _is_reference(word: str) -> bool:
    """Whether a word beside a confirmation can be a reference: it holds a digit and is not a bare number."""
    return any(char.isdigit() for char in word) and not word.isdigit()
