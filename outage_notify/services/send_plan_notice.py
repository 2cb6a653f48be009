"""The plan notice by e-mail to office, marketing, hotline and stations, each sending on record.

Beside the outbox, not in it: these are the utility's own offices and no customers, so whether they
were told must not weigh in the audit of customers told. Promises: who has a record for this revision
gets no second mail; if the program dies between sending and recording, the mail that goes out again
has the same Message-ID, and mailboxes show it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from html import escape

from channels.model import Channel, Language, Message, OutcomeKind, RenderedEmail
from channels.papers import Paper
from outage_notify.domain.announcement import Medium
from outage_notify.domain.errors import IllegalMove, SettingsError
from outage_notify.services import announce, papers
from outage_notify.services.announce import Announced
from outage_notify.services.runtime import Runtime
from outage_notify.store import announcement_queries, outage_queries, user_lookup

VALID_FOR = 86_400


@dataclass(frozen=True)
class Sent:
    """How many offices got it now, had it before, and which did not take it (address, provider's code)."""

    now: int
    before: int
    failed: tuple[tuple[str, str], ...]


def send_plan_notice(rt: Runtime, by: str, reference: str, language: Language) -> Sent:
    """Send the plan notice as it stands to every office that has not got it yet."""
    rt.settings.require("plan_notice_to", "smtp_url", "mail_from")
    sender = rt.senders.get(Channel.EMAIL)
    if sender is None:
        raise SettingsError("No sender is configured for email.", "Run `outage-notify doctor`.")
    with rt.database.read() as session:
        user_lookup.require_worker(session, by)
        outage = outage_queries.outage_by_reference(session, reference)
        made = papers.made(session, rt, outage, Paper.PLAN, language, rt.now(session))
        if not made.approved:
            raise IllegalMove(f"{reference} is not approved.", "The plan notice goes out after approval.")
        told = {
            one.place
            for one in announcement_queries.records(session, outage.id, void=False)
            if one.paper is Paper.PLAN and one.text_sha256 == made.sha256
        }
    sent, failed = 0, []
    for address in rt.settings.offices:
        if address in told:
            continue
        outcome = sender.send(_message(rt, address, reference, made))
        if outcome.kind is not OutcomeKind.ACCEPTED:
            failed.append((address, outcome.code or outcome.kind.value))
            continue
        said = Announced(Paper.PLAN, Medium.EMAIL, language, address, sha256=made.sha256)
        announce.announce(rt, by, reference, said)
        sent += 1
    return Sent(sent, len(told & set(rt.settings.offices)), tuple(failed))


def _message(rt: Runtime, address: str, reference: str, made: papers.Made) -> Message:
    mark = sha256(f"{address} {made.sha256}".encode()).hexdigest()[:20]
    host = rt.settings.mail_from.rpartition("@")[2].strip(" >") or "localhost"
    language = made.sheet.language
    subject = f"{made.sheet.title} {reference}"
    html = f'<pre lang="{language.value}">{escape(made.text)}</pre>'
    return Message(
        delivery=0,
        channel=Channel.EMAIL,
        to=address,
        reference=reference,
        language=language,
        text=made.text,
        email=RenderedEmail(subject, made.text, html),
        message_id=f"<plan.{mark}@{host}>",
        valid_for=VALID_FOR,
    )
