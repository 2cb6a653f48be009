"""The calendar file that goes along with a notice by e-mail: for saving, or as an invitation.

The same event, with the same UID, as in the customer's feed. What stands in a feed is `publish_calendar`'s.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr

from channels.calendar import CANCELLED, CONFIRMED, FeedEvent, Invitation, render_event, render_invitation
from channels.model import NoticeFacts
from outage_notify.domain.notice import ANNOUNCEMENTS, NoticeKind
from outage_notify.domain.outage import OutageState
from outage_notify.services.runtime import Runtime
from outage_notify.store.outage_tables import Outage, OutageRevision

# What an invitation asks of a calendar, by the kind of notice.
METHODS = dict.fromkeys((*ANNOUNCEMENTS, NoticeKind.INVITATION), "REQUEST") | {
    NoticeKind.CANCELLED: "CANCEL",
    NoticeKind.INVITATION_CANCELLED: "CANCEL",
}


def event_file(
    rt: Runtime,
    facts: NoticeFacts,
    site: str,
    outage: Outage,
    revision: OutageRevision,
    now: datetime,
    to: str,
    method: str,
) -> str:
    """The notice as a calendar file, or as an invitation by `method`; the same UID as in the customer's feed."""
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
    if not method:
        return render_event(event, facts.language)
    if cancelled and outage.state is OutageState.CANCELLED:
        # No revision makes a cancellation newer than what was asked for, so that its number does.
        event = replace(event, revision=event.revision + 1)
    sender = parseaddr(rt.settings.mail_from)[1]
    invitation = Invitation(method, sender, rt.settings.utility, to)
    return render_invitation(event, facts.language, invitation)
