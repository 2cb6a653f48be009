"""Every text of one outage before it is sent: SMS with its segments, e-mail, call; and a test to oneself.

The facts are those of a real addressee of the audience, so that the length is the real one; links in
a preview lead nowhere, because there is no delivery yet. A test goes through the real sender,
is marked as one, tells no customer and is on record without its address.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.orm import Session

from channels.model import Channel, Language, NoticeFacts
from channels.phone_numbers import PhoneNumberError
from channels.render import render_email, render_sms, render_voice
from outage_notify.domain.errors import IllegalMove, InvalidInput
from outage_notify.domain.notice import NoticeKind
from outage_notify.services.notice_facts import facts_for
from outage_notify.services.runtime import Runtime
from outage_notify.services.send_test import TestResult, send_test
from outage_notify.store import desk_queries, outage_queries, user_lookup
from outage_notify.store.outage_tables import Outage, OutageRevision
from outage_notify.store.work_queries import record

SAMPLE_REF = "K7F3Q2"  # as long as a delivery's own reference
_DAY = timedelta(days=1)
LINK = 28  # characters of a link's token
MARK = {Language.ZH: "【测试】", Language.EN: "TEST: "}
TESTED = (Channel.SMS, Channel.EMAIL)


@dataclass(frozen=True)
class Text:
    """One notice in one language, by each channel."""

    kind: NoticeKind
    language: Language
    sms: str
    encoding: str
    segments: int
    subject: str
    email: str
    voice: str


@dataclass(frozen=True)
class Addressee:
    """Whose facts the texts are made from."""

    ref: int
    name: str
    key: bool


@dataclass(frozen=True)
class Texts:
    outage: Outage
    addressees: tuple[Addressee, ...]
    chosen: Addressee
    texts: tuple[Text, ...]


def texts(rt: Runtime, reference: str, customer: int | None = None) -> Texts:
    """All notices that this outage can still send, in both languages, for one addressee: the one asked
    for if it is among those offered (a key customer and another one), else the first."""
    with rt.database.read() as session:
        outage = outage_queries.outage_by_reference(session, reference)
        offered = _addressees(session, outage)
        chosen = next((one for one in offered if one.ref == customer), offered[0])
        found = [
            _text(sample_facts(session, rt, outage, outage.newest, chosen.ref, kind, language))
            for kind in _kinds(outage)
            for language in Language
        ]
        return Texts(outage, offered, chosen, tuple(found))


def send_sample(
    rt: Runtime,
    by: str,
    reference: str,
    kind: str,
    language: Language,
    channel: Channel,
    address: str,
    customer: int | None = None,
) -> TestResult:
    """Send one of the texts to an address of one's own, marked as a test. Each call sends another one."""
    if channel not in TESTED:
        raise InvalidInput("channel: cannot be tested here.", "Use SMS or e-mail.")
    with rt.database.read() as session:
        user_lookup.require_worker(session, by)
    every = texts(rt, reference, customer).texts
    one = next((text for text in every if (text.kind, text.language) == (kind, language)), None)
    if one is None:
        raise InvalidInput("kind: this outage has no such text.", "Choose one of the list.")
    body = one.sms if channel is Channel.SMS else one.email
    mark = MARK[language]
    try:
        result = send_test(rt, channel, address, language, text=mark + body, subject=mark + one.subject)
    except PhoneNumberError as error:
        raise InvalidInput(error.message, error.remedy) from error
    with rt.database.write() as session:
        outage = outage_queries.outage_by_reference(session, reference)
        record(
            session,
            rt.now(session),
            by,
            "test_sent",
            outage=outage.id,
            channel=channel.value,
            kind=kind,
            outcome=result.outcome.kind.value,
        )
    return result


def _kinds(outage: Outage) -> list[NoticeKind]:
    kinds = [
        NoticeKind.SEVEN_DAY,
        NoticeKind.DAY_AHEAD,
        NoticeKind.REMINDER,
        NoticeKind.STARTED,
        NoticeKind.OVERRUN,
        NoticeKind.RESTORED,
        NoticeKind.CANCELLED,
    ]
    if outage.newest.number > 1:
        kinds.insert(2, NoticeKind.CHANGED)
    return kinds


def sample_facts(
    session: Session,
    rt: Runtime,
    outage: Outage,
    revision: OutageRevision,
    customer: int,
    kind: NoticeKind,
    language: Language,
) -> NoticeFacts:
    """The facts as they would be; times that nobody knows yet are made up an hour after the end, and the time
    before a change that there was not is a day earlier."""
    extra = {}
    if kind is NoticeKind.CHANGED:
        old = next((one for one in reversed(outage.revisions) if one.number < revision.number), None)
        before = (old.start, old.end) if old else (revision.start - _DAY, revision.end - _DAY)
        extra = {"old_start": before[0].isoformat(), "old_end": before[1].isoformat()}
    elif kind is NoticeKind.OVERRUN:
        extra = {"expected_end": (outage.expected_end or revision.end + timedelta(hours=1)).isoformat()}
    elif kind is NoticeKind.RESTORED:
        extra = {"restored_at": (outage.completed_at or revision.end).isoformat()}
    row = desk_queries.customer_by_ref(session, customer)
    facts = facts_for(session, rt, outage, revision, row, kind, SAMPLE_REF, extra, language=language)
    # A link of the real length that signs nothing and shows nobody anything.
    base = rt.settings.base_url
    sign = f"{base}/s/{'x' * LINK}" if facts.is_key else ""
    return replace(facts, sign_url=sign, notice_url=f"{base}/n/{'x' * LINK}", feed_url="")


def _text(facts: NoticeFacts) -> Text:
    sms, email, voice = render_sms(facts), render_email(facts), render_voice(facts)
    return Text(
        NoticeKind(facts.kind),
        facts.language,
        sms.text,
        sms.encoding,
        sms.segments,
        email.subject,
        email.text,
        f"{voice.text}\n\n{voice.question}",
    )


def _addressees(session: Session, outage: Outage) -> tuple[Addressee, ...]:
    found = desk_queries.sample_customers(session, outage.newest.id)
    if not found:
        raise IllegalMove(f"{outage.reference} affects nobody.", "There is nobody to write to.")
    return tuple(Addressee(*one) for one in found)
