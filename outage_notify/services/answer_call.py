"""Somebody calls our number: hears the outages ahead, in the customer's language.

Promises: a number that belongs to nobody, or is hidden, learns how to ask and nothing about others;
nothing is confirmed or changed by a call, since a caller's number can be forged. That a known
customer was told so stands in its story. Called twice for one call it is there twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from channels import caller_speech, voice
from channels.caller_speech import Ahead
from channels.model import Language
from outage_notify.domain.audience import Impact, gravest
from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.outage import OutageState
from outage_notify.services.notice_facts import in_words
from outage_notify.services.runtime import Runtime
from outage_notify.store import call_queries
from outage_notify.store.outage_tables import OutageRevision
from outage_notify.store.work_queries import SYSTEM, record


def answer_call(rt: Runtime, form: Mapping[str, str]) -> str:
    """The TwiML of an incoming call. InvalidInput if the form is no call."""
    if not form.get("CallSid"):
        raise InvalidInput("The form holds no CallSid.")
    utility, hotline = rt.settings.utility, rt.settings.hotline
    with rt.database.write() as session:
        now = rt.now(session)
        customers = call_queries.customers_with_number(session, form.get("From", ""))
        if not customers:
            # Nobody knows which language: both are said.
            spoken = [(one, caller_speech.speech_for_strangers(one, utility, hotline)) for one in Language]
            return voice.information_twiml(spoken)
        language = customers[0].language
        found = call_queries.ahead_of(session, [one.id for one in customers], now)
        ahead = [_ahead(revision, gravest(impacts), language) for revision, impacts in found]
        for customer in customers:
            told = [revision.outage.reference for revision, _ in found[: caller_speech.MOST]]
            record(session, now, SYSTEM, "called_in", customer=customer.id, heard=told)
    return voice.information_twiml([(language, caller_speech.speech(language, utility, hotline, ahead))])


def _ahead(revision: OutageRevision, impact: Impact, language: Language) -> Ahead:
    outage = revision.outage
    zone = ZoneInfo(outage.timezone)
    until: datetime | None = None
    if outage.state is OutageState.ACTIVE:
        until = (outage.expected_end or revision.end).astimezone(zone)
    return Ahead(
        impact.value,
        revision.start.astimezone(zone),
        revision.end.astimezone(zone),
        outage.reference,
        in_words(revision.reason, language.value),
        until,
    )
