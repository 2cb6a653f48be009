"""Everything that a text may say, gathered from the facts; and one delivery made into a message.

The only place where rows become `NoticeFacts`. What the words are is `channels.render`'s;
when it is sent, and to whom, was decided before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels import passed_on
from channels.model import Channel, Language, Message, NoticeFacts, PlaceLine
from channels.own_words import OwnWords
from channels.passed_on import PassedOn
from channels.render import render_email, render_sms, render_voice
from outage_notify.domain.audience import Tier
from outage_notify.domain.notice import INVITATIONS, SIGNED, NoticeKind
from outage_notify.services import event_files, follow_texts, links, publish_map, words_in_force
from outage_notify.services.publish_calendar import event_site
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_lookup, outage_queries
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.wave_queries import Place, Recipient, Wave, WaveRow, load_wave

CALLBACK_LIFE = timedelta(days=14)
# Kinds that speak in the words of another: own steps remind as the day-ahead notice does, and what goes
# beside an invitation or a link that was passed on says the same as the notice.
_WORDED_AS = {
    NoticeKind.AGAIN: NoticeKind.DAY_AHEAD,
    NoticeKind.INVITATION: NoticeKind.SEVEN_DAY,
    NoticeKind.INVITATION_CANCELLED: NoticeKind.CANCELLED,
    NoticeKind.PASSED_ON: NoticeKind.SEVEN_DAY,
}
_MOMENTS = frozenset({"old_start", "old_end", "expected_end", "restored_at"})
LINK_LIFE_AFTER_END = timedelta(days=30)


def in_words(texts: Mapping[str, str], language: str) -> str:
    """The text in a language, or in the other one where only that was written."""
    return texts.get(language) or next(iter(texts.values()), "")


class Addressee(Protocol):
    """A customer as far as a text speaks of one: a row of a wave or a mapped object."""

    @property
    def id(self) -> int: ...
    @property
    def customer_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def tier(self) -> Tier: ...
    @property
    def life_support(self) -> bool: ...
    @property
    def vulnerable(self) -> bool: ...
    @property
    def language(self) -> Language: ...
    @property
    def feed_secret(self) -> str: ...
    @property
    def key(self) -> bool: ...


def facts_for(
    session: Session,
    rt: Runtime,
    outage: Outage,
    revision: OutageRevision,
    customer: Addressee,
    kind: NoticeKind,
    short_ref: str = "",
    extra: Mapping[str, str] | None = None,
    *,
    delivery: int | None = None,
    members: Sequence[AudienceMember] | None = None,
    language: Language | None = None,
    words: OwnWords | None = None,
) -> NoticeFacts:
    """The facts of one notice for one customer, times in the outage's own zone, in own `words` or those that stand.

    `extra` holds ISO instants of the moment: old_start, old_end, expected_end, restored_at.
    A customer who is no longer affected (told of a cancellation) is named the places of
    the newest revision that did affect it.
    """
    found = members if members is not None else _members(session, outage, revision, customer.id)
    places = [_place(one) for one in found]
    asked = None
    if kind in SIGNED and _is_key(customer, places):
        asked = acknowledgement_lookup.asked_of(session, outage.id, revision.number, customer.id)
    return facts_from(
        rt,
        outage,
        revision,
        customer,
        places,
        kind,
        short_ref,
        extra,
        delivery=delivery,
        language=language,
        asked=asked,
        law=law_of(session, rt, outage, revision, customer),
        words=words or words_in_force.now(session, rt),
    )


def facts_from(
    rt: Runtime,
    outage: Outage,
    revision: OutageRevision,
    customer: Addressee,
    places: Sequence[Place],
    kind: NoticeKind,
    short_ref: str,
    extra: Mapping[str, str] | None,
    *,
    delivery: int | None,
    language: Language | None,
    asked: int | None,
    law: str,
    words: OwnWords,
) -> NoticeFacts:
    """The same from what was read before: `asked` is the acknowledgement to be signed, `law` its article."""
    zone = ZoneInfo(outage.timezone)
    manager = next((one for one in places if one.manager is not None), None)
    key = _is_key(customer, places)
    moments = {
        name: datetime.fromisoformat(text).astimezone(zone)
        for name, text in (extra or {}).items()
        if name in _MOMENTS
    }
    base, sign_url = rt.settings.base_url, ""
    life = revision.end + LINK_LIFE_AFTER_END
    if asked and key and kind in SIGNED:
        sign_url = f"{base}/s/{rt.link_token('sign', asked, life)}"
    told_in = language or customer.language
    return NoticeFacts(
        kind=_WORDED_AS.get(kind, kind).value,
        language=told_in,
        reference=outage.reference,
        revision=revision.number,
        short_ref=short_ref,
        utility=rt.settings.utility,
        reason=in_words(revision.reason, told_in),
        places=tuple(PlaceLine(one.name, one.impact.value) for one in places),
        start=revision.start.astimezone(zone),
        end=revision.end.astimezone(zone),
        customer_name=customer.name,
        customer_kind=customer.kind,
        is_key=key,
        life_support=customer.life_support,
        area=revision.area,
        line=revision.line,
        hotline=rt.settings.hotline,
        grid_manager=(manager.manager or "") if manager else "",
        grid_manager_phone=manager.manager_phone if manager else "",
        sign_url=sign_url,
        notice_url=f"{base}/n/{rt.link_token('notice', delivery, life)}" if delivery else "",
        feed_url=f"{base}/feeds/{customer.feed_secret}.ics",
        law=law,
        words=words,
        **moments,
    )


def _is_key(customer: Addressee, places: Sequence[Place]) -> bool:
    return any(one.is_key for one in places) or customer.key


def _place(member: AudienceMember) -> Place:
    point = member.service_point
    manager = point.grid_manager.acting if point.grid_manager else None
    return Place(
        point.place,
        member.impact,
        member.is_key,
        manager=manager.name if manager else None,
        manager_phone=manager.phone if manager else "",
    )


def law_of(
    session: Session, rt: Runtime, outage: Outage, revision: OutageRevision, customer: Addressee
) -> str:
    """The article that asks for the first notice to this customer; empty where none does."""
    duties = rt.policy.duties(
        outage.kind,
        revision.start,
        ZoneInfo(outage.timezone),
        tier=customer.tier,
        life_support=customer.life_support,
        vulnerable=customer.vulnerable,
        holidays=rt.holidays(session, revision.start),
    )
    return next((duty.rule.article for duty in duties if duty.duty), "")


def facts_of(session: Session, rt: Runtime, delivery: Delivery) -> NoticeFacts:
    """The facts of one delivery, in the words that it was made with. It tells every recipient; the first one's
    name heads it."""
    outage = session.get_one(Outage, delivery.outage_ref)
    revision = _revision_of(outage, delivery.revision)
    customers = [one.customer for one in delivery.recipients]
    begun = delivery.began_at is not None
    words = words_in_force.at(session, rt, delivery.words or 0) if begun else None
    together = [one for customer in customers for one in _members(session, outage, revision, customer.id)]
    return facts_for(
        session,
        rt,
        outage,
        revision,
        _whom_first(customers),
        delivery.notice.kind,
        delivery.short_ref,
        delivery.notice.facts,
        delivery=delivery.id,
        members=together,
        language=delivery.language,
        words=words,
    )


def message_for(session: Session, rt: Runtime, delivery: Delivery, now: datetime) -> Message:
    """One delivery as a message, ready for its sender."""
    (message,) = messages_for(rt, load_wave(session, [delivery.id]), now)
    return message


def messages_for(rt: Runtime, wave: Wave, now: datetime) -> Iterator[Message]:
    """The deliveries of a wave as messages, in its order."""
    texts = WaveTexts(rt, wave, now)
    return (texts.message(row) for row in wave.rows)


class WaveTexts:
    """Makes messages of the rows of a wave. What is the same for a class of customers is asked once."""

    def __init__(self, rt: Runtime, wave: Wave, now: datetime) -> None:
        self._rt, self._wave, self._now = rt, wave, now
        self._laws: dict[tuple[int, int, Tier, bool, bool], str] = {}

    def message(self, row: WaveRow) -> Message:
        """One row as a message, ready for its sender."""
        rt, now = self._rt, self._now
        outage = self._wave.outages[row.outage_ref]
        if row.notice_kind is NoticeKind.FOLLOWERS:
            return follow_texts.news_message(rt, row, publish_map.as_public(outage, now), now)
        revision = _revision_of(outage, row.revision)
        whom = _whom_first(row.recipients)
        mine = self._wave.places_of(row, whom.id)
        facts = facts_from(
            rt,
            outage,
            revision,
            whom,
            [place for one in row.recipients for place in self._wave.places_of(row, one.id)],
            row.notice_kind,
            row.short_ref,
            row.notice_facts,
            delivery=row.id,
            language=row.language,
            asked=self._wave.asked.get((row.outage_ref, row.revision, whom.id)),
            law=self._law(outage, revision, whom),
            words=self._words(row.words),
        )
        text, email = "", None
        if row.notice_kind is NoticeKind.PASSED_ON:
            handed = self._handed_on(row, facts, revision)
            if row.channel is Channel.SMS:
                text = passed_on.render_sms(handed).text
            else:
                email = passed_on.render_email(handed)
        elif row.channel is Channel.SMS:
            text = render_sms(facts).text
        elif row.channel is Channel.VOICE:
            text = render_voice(facts).text
        else:
            ics, method = "", ""
            if row.notice_kind is not NoticeKind.RESTORED:
                # The site whose event goes along: the first affected one of the first recipient.
                site = event_site(whom.customer_id, mine[0].site_id) if mine else ""
                wished = row.invitation or row.notice_kind in INVITATIONS
                method = event_files.METHODS.get(row.notice_kind, "") if wished else ""
                ics = event_files.event_file(rt, facts, site, outage, revision, now, row.address, method)
            email = render_email(facts, ics=ics, method=method)
        base, expires = rt.settings.base_url, now + CALLBACK_LIFE
        token = rt.link_token("callback", row.id, expires)
        voice_url = ""
        if row.channel is Channel.VOICE:
            voice_url = f"{base}/webhooks/twilio/voice/{rt.link_token('voice', row.id, expires)}"
        return Message(
            delivery=row.id,
            channel=row.channel,
            to=row.address,
            reference=row.short_ref,
            language=row.language,
            text=text,
            email=email,
            callback_url=f"{base}/webhooks/twilio/status/{token}",
            report_url=f"{base}/webhooks/report/{token}",
            voice_url=voice_url,
            message_id=f"<{row.short_ref.lower()}.{row.id}@{_mail_domain(rt)}>",
            valid_for=max(1, int((row.not_after - now).total_seconds())),
        )

    def _handed_on(self, row: WaveRow, facts: NoticeFacts, revision: OutageRevision) -> PassedOn:
        """The notice with the colleague's own link, which ends with the customer's."""
        said, life = row.notice_facts, revision.end + LINK_LIFE_AFTER_END
        token = self._rt.link_token(links.DELEGATE, int(said["delegation"]), life)
        asks = replace(facts, is_key=True, sign_url=f"{self._rt.settings.base_url}/s/{token}")
        return PassedOn(said["given_by"], said["given_to"], asks)

    def _words(self, number: int) -> OwnWords:
        found = self._rt.own_words.get(number)
        if found is None:
            with self._rt.database.read() as session:
                found = words_in_force.at(session, self._rt, number)
        return found

    def _law(self, outage: Outage, revision: OutageRevision, whom: Recipient) -> str:
        group = (outage.id, revision.number, whom.tier, whom.life_support, whom.vulnerable)
        if group not in self._laws:
            with self._rt.database.read() as session:
                self._laws[group] = law_of(session, self._rt, outage, revision, whom)
        return self._laws[group]


A = TypeVar("A", bound=Addressee)


def _whom_first(customers: Sequence[A]) -> A:
    """Of several behind one address, a key customer heads the text, because that one has to sign."""
    return next((one for one in customers if one.key), customers[0])


def _members(
    session: Session, outage: Outage, revision: OutageRevision, customer: int
) -> Sequence[AudienceMember]:
    for one in sorted(outage.revisions, key=lambda one: -one.number):
        if one.number > revision.number:
            continue
        found = outage_queries.audience_of_customer(session, one, customer)
        if found:
            return found
    return []


def _revision_of(outage: Outage, number: int) -> OutageRevision:
    return next(one for one in outage.revisions if one.number == number)


def _mail_domain(rt: Runtime) -> str:
    return rt.settings.mail_from.rpartition("@")[2].rstrip(">") or "localhost"
