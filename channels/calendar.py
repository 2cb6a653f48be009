"""Calendar feeds and the calendar file of an e-mail (RFC 5545 by icalendar).

Promises: the same events give the same bytes, so that an ETag over them holds; instants
are UTC without VTIMEZONE, because a generated time zone is read an hour wrong by some
clients, and the local time stands in the text; one UID per outage and site for ever,
SEQUENCE is the revision. No METHOD: with one, some clients act on a feed instead of
showing it. A feed is publication and never counts as having told somebody; its text says so.

Leaves to others: which events a feed holds, its secret address, caching headers (`web`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256

from icalendar import Alarm, Calendar, Event
from icalendar.prop import vCalAddress, vDuration, vText

from channels.catalogues import N_, translations
from channels.maintnote import Maintnote, properties
from channels.model import Language
from channels.plain import one_line
from channels.wording import Words

PRODID = "-//outage-notify//planned outages//EN"
TENTATIVE, CONFIRMED, CANCELLED = "TENTATIVE", "CONFIRMED", "CANCELLED"
REFRESH = timedelta(hours=1)
_END = b"END:VCALENDAR\r\n"
ALARMS = (timedelta(days=7), timedelta(days=1))

_PREFIXES = {TENTATIVE: N_("Provisional: "), CONFIRMED: "", CANCELLED: N_("CANCELLED: ")}
_SUMMARIES = {
    "OUTAGE": N_("Power outage, %(site)s"),
    "REDUCED_REDUNDANCY": N_("One of your supplies off, %(site)s"),
    "MOMENTARY": N_("Short supply interruptions, %(site)s"),
}
# What the summary can't say in so few words.
_EFFECTS = {
    "REDUCED_REDUNDANCY": N_("one of your supplies is off, the other stays on"),
    "MOMENTARY": N_("short interruptions at the start and at the end"),
}


@dataclass(frozen=True)
class FeedEvent:
    """One outage at one site, as the reader of the feed should see it.

    `site` is a stable identifier (it goes into the UID, hashed), `place` its name.
    `start` and `end` are aware datetimes in the outage's local zone. `modified` is when
    what is shown here last changed; it is the DTSTAMP too, so that an untouched event
    stays the same bytes. `latitude`, `longitude` are WGS 84. `impact` as in PlaceLine.
    """

    reference: str
    site: str
    revision: int
    status: str  # TENTATIVE, CONFIRMED or CANCELLED
    start: datetime
    end: datetime
    modified: datetime
    place: str
    reason: str = ""
    impact: str = "OUTAGE"
    description: str = ""
    utility: str = ""
    contact: str = ""
    url: str = ""
    latitude: float | None = None
    longitude: float | None = None
    categories: tuple[str, ...] = ()
    alarms: bool = True
    maintnote: Maintnote | None = None


def event_uid(reference: str, site: str) -> str:
    """The UID of an outage at a site: stable over revisions, telling nothing about the site."""
    digest = sha256(f"{len(reference)}:{reference}{site}".encode()).hexdigest()[:20]
    return f"{''.join(char for char in reference if char.isalnum() or char == '-')}-{digest}@outage-notify"


def render_piece(event: FeedEvent, language: Language, now: datetime) -> bytes:
    """One event as it stands in a feed of `now`: without alarms once it is over."""
    ahead = event.alarms and event.end > now
    return _event(event if ahead == event.alarms else replace(event, alarms=ahead), language).to_ical()


def render_feed(
    name: str,
    events: Sequence[FeedEvent],
    language: Language,
    now: datetime,
) -> bytes:
    """The whole feed. `now` decides nothing but which alarms still make sense: those of events that are
    over are left out. Events are sorted, so their order in `events` does not matter. Who renders large feeds again
    and again joins remembered pieces instead."""
    order = sorted(events, key=lambda one: (one.start.astimezone(UTC), one.reference, one.site))
    return b"".join((_head(name, language), *(render_piece(event, language, now) for event in order), _END))


@lru_cache(maxsize=256)
def _head(name: str, language: Language) -> bytes:
    """A feed up to its first event. Those of one utility are few, and asked for at each rendering."""
    calendar = _calendar()
    translate = translations(language).gettext
    title = one_line(name)
    calendar.add("NAME", title)
    calendar.add("X-WR-CALNAME", title)
    about = translate(
        "For planning only: a calendar is refreshed hours late and does not replace the notice itself."
    )
    calendar.add("DESCRIPTION", about)
    calendar.add("X-WR-CALDESC", about)
    calendar.add("REFRESH-INTERVAL", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", vDuration(REFRESH))
    return calendar.to_ical()[: -len(_END)]


@dataclass(frozen=True)
class Invitation:
    """Who invites whom (bare addresses); by `method` REQUEST, or CANCEL."""

    method: str
    organizer: str
    organizer_name: str
    attendee: str


def render_invitation(event: FeedEvent, language: Language, to: Invitation) -> str:
    """One event as an iTIP message (RFC 5546). A newer revision has a higher SEQUENCE, a cancellation one higher than
    what it cancels. Nobody is asked to accept: supply is interrupted whatever a calendar answers."""
    calendar = _calendar()
    calendar.add("METHOD", to.method)
    item = _event(event, language)
    organizer, attendee = vCalAddress(f"mailto:{to.organizer}"), vCalAddress(f"mailto:{to.attendee}")
    organizer.params["CN"] = vText(one_line(to.organizer_name) or to.organizer)
    attendee.params.update({"PARTSTAT": vText("ACCEPTED"), "RSVP": vText("FALSE")})
    item.add("ORGANIZER", organizer)
    item.add("ATTENDEE", attendee)
    calendar.add_component(item)
    return calendar.to_ical().decode("utf-8")


def render_event(event: FeedEvent, language: Language) -> str:
    """One event as a calendar of its own, for the attachment of an e-mail. Reading it imports, and a later
    revision with the same UID replaces it."""
    calendar = _calendar()
    calendar.add_component(_event(event, language))
    return calendar.to_ical().decode("utf-8")


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    calendar.add("CALSCALE", "GREGORIAN")
    return calendar


def _event(event: FeedEvent, language: Language) -> Event:
    if event.start.tzinfo is None or event.end.tzinfo is None or event.modified.tzinfo is None:
        raise ValueError("the times of an event must be aware")
    if event.end.astimezone(UTC) <= event.start.astimezone(UTC):
        raise ValueError(f"{event.reference} ends before it starts")
    if event.status not in _PREFIXES:
        raise ValueError(f"no such status of an event: {event.status!r}")
    translate = translations(language).gettext
    place = one_line(event.place)
    # One big client hides the status of an event, so that the summary has to say it too.
    prefix = translate(_PREFIXES[event.status]) if _PREFIXES[event.status] else ""
    summary = prefix + translate(_SUMMARIES[event.impact]) % {"site": place}
    item = Event()
    item.add("UID", event_uid(event.reference, event.site))
    item.add("DTSTAMP", event.modified.astimezone(UTC).replace(microsecond=0))
    item.add("LAST-MODIFIED", event.modified.astimezone(UTC).replace(microsecond=0))
    item.add("SEQUENCE", event.revision)
    item.add("DTSTART", event.start.astimezone(UTC))
    item.add("DTEND", event.end.astimezone(UTC))
    item.add("SUMMARY", summary)
    item.add("DESCRIPTION", _description(event, language))
    item.add("STATUS", event.status)
    # A site without supply is not a person's appointment: it does not block anybody's time.
    item.add("TRANSP", "TRANSPARENT")
    item.add("X-MICROSOFT-CDO-BUSYSTATUS", "FREE")
    item.add("LOCATION", place)
    if event.latitude is not None and event.longitude is not None:
        item.add("GEO", (round(event.latitude, 6), round(event.longitude, 6)))
    if event.url:
        item.add("URL", event.url)
    if event.contact:
        item.add("CONTACT", one_line(event.contact))
    item.add("CATEGORIES", [one_line(one) for one in event.categories] or [translate("Power outage")])
    if event.maintnote is not None:
        for name, value, parameters in properties(event.maintnote, event.impact):
            item.add(name, value, parameters)
    if event.alarms and event.status != CANCELLED:
        for before in ALARMS:
            item.add_component(_alarm(summary, before))
    return item


def _alarm(summary: str, before: timedelta) -> Alarm:
    alarm = Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", summary)
    alarm.add("TRIGGER", -before)
    return alarm


def _description(event: FeedEvent, language: Language) -> str:
    words, translate = Words(language), translations(language).gettext
    time = translate("%(time)s (%(zone)s)") % {
        "time": words.window_long(event.start, event.end),
        "zone": words.zone(event.start),
    }
    reference = translate("%(reference)s, revision %(revision)d") % {
        "reference": event.reference,
        "revision": event.revision,
    }
    rows = (
        (translate("Time"), time),
        (translate("Effect"), translate(_EFFECTS[event.impact]) if event.impact in _EFFECTS else ""),
        (translate("Reason"), one_line(event.reason)),
        (translate("From"), one_line(event.utility)),
        (translate("Contact"), one_line(event.contact)),
        (translate("Reference"), reference),
    )
    lines = [
        translate("%(label)s: %(value)s") % {"label": label, "value": value} for label, value in rows if value
    ]
    lines += [one_line(line) for line in event.description.splitlines() if line.strip()]
    lines.append(translate("This calendar entry does not replace the notice itself."))
    return "\n".join(lines)
