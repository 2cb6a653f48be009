"""Everything that a text may say, gathered from the facts; and one delivery made into a message.

The only place where rows become `NoticeFacts`. What the words are is `channels.render`'s;
when it is sent, and to whom, was decided before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.calendar import CANCELLED, CONFIRMED, FeedEvent, render_event
from channels.model import Channel, Language, Message, NoticeFacts, PlaceLine
from channels.render import render_email, render_sms, render_voice
from outage_notify.domain.notice import SIGNED, NoticeKind
from outage_notify.services.publish_calendar import event_site
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_lookup, outage_queries
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import Customer

CALLBACK_LIFE = timedelta(days=14)
LINK_LIFE_AFTER_END = timedelta(days=30)


def in_words(texts: Mapping[str, str], language: str) -> str:
    """The text in a language, or in the other one where only that was written."""
    return texts.get(language) or next(iter(texts.values()), "")


def facts_for(
    session: Session,
    rt: Runtime,
    outage: Outage,
    revision: OutageRevision,
    customer: Customer,
    kind: NoticeKind,
    short_ref: str = "",
    extra: Mapping[str, str] | None = None,
    *,
    delivery: int | None = None,
    members: Sequence[AudienceMember] | None = None,
    language: Language | None = None,
) -> NoticeFacts:
    """The facts of one notice for one customer, times in the outage's own zone.

    `extra` holds ISO instants of the moment: old_start, old_end, expected_end, restored_at.
    A customer who is no longer affected (told of a cancellation) is named the places of
    the newest revision that did affect it.
    """
    zone = ZoneInfo(outage.timezone)
    found = members if members is not None else _members(session, outage, revision, customer.id)
    places = tuple(PlaceLine(one.service_point.place, one.impact.value) for one in found)
    manager = next((one.service_point.grid_manager for one in found if one.service_point.grid_manager), None)
    key = any(one.is_key for one in found) or customer.key
    moments = {name: datetime.fromisoformat(text).astimezone(zone) for name, text in (extra or {}).items()}
    base, sign_url = rt.settings.base_url, ""
    life = revision.end + LINK_LIFE_AFTER_END
    if key and kind in SIGNED:
        asked = acknowledgement_lookup.asked_of(session, outage.id, revision.number, customer.id)
        sign_url = f"{base}/s/{rt.link_token('sign', asked, life)}" if asked else ""
    told_in = language or customer.language
    return NoticeFacts(
        kind=kind.value,
        language=told_in,
        reference=outage.reference,
        revision=revision.number,
        short_ref=short_ref,
        utility=rt.settings.utility,
        reason=in_words(revision.reason, told_in),
        places=places,
        start=revision.start.astimezone(zone),
        end=revision.end.astimezone(zone),
        customer_name=customer.name,
        customer_kind=customer.kind,
        is_key=key,
        life_support=customer.life_support,
        area=revision.area,
        line=revision.line,
        hotline=rt.settings.hotline,
        grid_manager=manager.name if manager else "",
        grid_manager_phone=manager.phone if manager else "",
        sign_url=sign_url,
        notice_url=f"{base}/n/{rt.link_token('notice', delivery, life)}" if delivery else "",
        feed_url=f"{base}/feeds/{customer.feed_secret}.ics",
        law=law_of(rt, outage, revision, customer),
        **moments,
    )


def law_of(rt: Runtime, outage: Outage, revision: OutageRevision, customer: Customer) -> str:
    """The article that asks for the first notice to this customer; empty where none does."""
    duties = rt.policy.duties(
        outage.kind,
        revision.start,
        ZoneInfo(outage.timezone),
        tier=customer.tier,
        life_support=customer.life_support,
        vulnerable=customer.vulnerable,
        holidays=rt.holidays(revision.start),
    )
    return next((duty.rule.article for duty in duties if duty.duty), "")


def facts_of(session: Session, rt: Runtime, delivery: Delivery) -> NoticeFacts:
    """The facts of one delivery. It tells every recipient; the first one's name heads it."""
    outage = session.get_one(Outage, delivery.outage_ref)
    revision = _revision_of(outage, delivery)
    customers = [one.customer for one in delivery.recipients]
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
    )


def message_for(session: Session, rt: Runtime, delivery: Delivery, now: datetime) -> Message:
    """One delivery as a message, ready for its sender."""
    outage = session.get_one(Outage, delivery.outage_ref)
    facts = facts_of(session, rt, delivery)
    base = rt.settings.base_url
    expires = now + CALLBACK_LIFE
    text, email = "", None
    if delivery.channel is Channel.SMS:
        text = render_sms(facts).text
    elif delivery.channel is Channel.VOICE:
        text = render_voice(facts).text
    else:
        restored = delivery.notice.kind is NoticeKind.RESTORED
        revision = _revision_of(outage, delivery)
        ics = "" if restored else _event_file(facts, _site_of(session, delivery, revision), revision, now)
        email = render_email(facts, ics=ics)
    return Message(
        delivery=delivery.id,
        channel=delivery.channel,
        to=delivery.address,
        reference=delivery.short_ref,
        language=delivery.language,
        text=text,
        email=email,
        callback_url=f"{base}/webhooks/twilio/status/{rt.link_token('callback', delivery.id, expires)}",
        voice_url=f"{base}/webhooks/twilio/voice/{rt.link_token('voice', delivery.id, expires)}",
        message_id=f"<{delivery.short_ref.lower()}.{delivery.id}@{_mail_domain(rt)}>",
        valid_for=max(1, int((delivery.not_after - now).total_seconds())),
    )


def _whom_first(customers: Sequence[Customer]) -> Customer:
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


def _revision_of(outage: Outage, delivery: Delivery) -> OutageRevision:
    return next(one for one in outage.revisions if one.number == delivery.revision)


def _site_of(session: Session, delivery: Delivery, revision: OutageRevision) -> str:
    """The site whose event goes along: the first affected one of the first recipient."""
    customer = _whom_first([one.customer for one in delivery.recipients])
    members = _members(session, session.get_one(Outage, delivery.outage_ref), revision, customer.id)
    return event_site(customer, members[0].service_point.site) if members else ""


def _event_file(facts: NoticeFacts, site: str, revision: OutageRevision, now: datetime) -> str:
    """The notice as a calendar file; the same UID as in the customer's feed."""
    cancelled = facts.kind == NoticeKind.CANCELLED
    event = FeedEvent(
        reference=facts.reference,
        site=site,
        revision=facts.revision,
        status=CANCELLED if cancelled else CONFIRMED,
        start=facts.start,
        end=facts.expected_end or facts.end,
        modified=now if cancelled else revision.approved_at or now,
        place=facts.places[0].name if facts.places else "",
        reason=facts.reason,
        impact=facts.places[0].impact if facts.places else "OUTAGE",
        utility=facts.utility,
        contact=facts.hotline,
        url=facts.notice_url,
        alarms=not cancelled,
    )
    return render_event(event, facts.language)


def _mail_domain(rt: Runtime) -> str:
    return rt.settings.mail_from.rpartition("@")[2].rstrip(">") or "localhost"
