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

from channels.model import Channel
from outage_notify.domain.acknowledgement import AckWay
from outage_notify.domain.errors import IllegalMove, InvalidInput
from outage_notify.services import acknowledge, follow
from outage_notify.services.runtime import Runtime
from outage_notify.store import people_lookup, reply_queries
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
# Whole texts of somebody who is not the customer; anything longer is read by a person.
_NOT_ME = frozenset(
    {"not me", "it s not me", "its not me", "that s not me", "this is not me", "wrong number"}
)
_NOT_ME |= {
    "wrong person",
    "不是我",
    "不是本人",
    "我不是",
    "打错了",
    "发错了",
    "你打错了",
    "你发错了",
    "号码错误",
}
NOT_ME_NOTE = "whoever has this number says it is not the customer: tell the customer another way"


class Meaning(StrEnum):
    AGREE = "agree"
    STOP = "stop"
    START = "start"
    NOT_ME = "not_me"
    OTHER = "other"


class Verdict(StrEnum):
    """What was made of an incoming text; stands beside it in the inbox."""

    ACKNOWLEDGED = "acknowledged"
    NOTHING_OPEN = "nothing_open"  # a confirmation where none is awaited: not asked for, stale, or too late
    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    NOT_ME = "not_me"
    TASK = "task"


def meaning(text: str) -> tuple[Meaning, frozenset[str]]:
    """What a text means, and the words beside the first one, in capitals (they may name an outage).

    Full-width and half-width, capitals and punctuation make no difference. A sentence that
    merely begins like a confirmation ("1 person is on a ventilator") is one for a person.
    """
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    if not words:
        return Meaning.OTHER, frozenset()
    if " ".join(words) in _NOT_ME:
        return Meaning.NOT_ME, frozenset()
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
    if said is Meaning.NOT_ME:
        return _not_me(session, inbound, now)
    if said is Meaning.OTHER:
        return _hand_over(session, inbound, words, contacts, now)
    if said is Meaning.STOP:
        follow.leave_address(session, Channel.SMS, inbound.sender, now)
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


def _not_me(session: Session, inbound: InboundMessage, now: datetime) -> Verdict:
    """Somebody else has this number: nothing more goes there, and whoever was told by it was not told.

    For each customer who gave it a person gets a task at once; without a customer it is a reply like any other.
    """
    delivery = reply_queries.newest_text_to(session, inbound.sender, frozenset())
    contacts = [
        contact
        for channel in (Channel.SMS, Channel.VOICE)
        for contact in people_lookup.contacts_at(session, channel, inbound.sender)
    ]
    if not contacts:
        return _hand_over(session, inbound, frozenset(), contacts, now)
    for contact in contacts:
        contact.bad_at, contact.bad_reason = contact.bad_at or now, "said: not me"
        record(session, now, SYSTEM, "not_me", customer=contact.customer_ref, channel=contact.channel.value)
    for customer in dict.fromkeys(contact.customer_ref for contact in contacts):
        told = delivery is not None and any(one.customer_ref == customer for one in delivery.recipients)
        open_task(
            session,
            TaskKind.CONTACT_BAD,
            f"not_me:{inbound.provider_id}:{customer}",
            now,
            outage=delivery.outage_ref if delivery and told else None,
            customer=customer,
            delivery=delivery.id if delivery and told else None,
            grid_manager=people_lookup.grid_manager_of(session, customer),
            due_at=now,
            note=NOT_ME_NOTE,
        )
    return Verdict.NOT_ME


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
