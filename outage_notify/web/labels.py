"""Words and marks of the pages for the product's own words: states, tiers, kinds, channels.

Each chip carries a shape beside its colour, so that nobody needs to tell red from green.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from outage_notify.store.work_tables import AUDIENCE_NOTE
from outage_notify.web.admin_labels import ADMIN_WORDS, deed, device, size_of
from outage_notify.web.context import RUNTIME
from outage_notify.web.errors import heading
from outage_notify.web.refusals import said

WORDS: dict[str, dict[str, Any]] = {
    "outage_state": {
        "DRAFT": _l("Draft"),
        "SUBMITTED": _l("Awaiting approval"),
        "APPROVED": _l("Approved"),
        "ACTIVE": _l("Under way"),
        "COMPLETED": _l("Completed"),
        "CANCELLED": _l("Cancelled"),
    },
    "phase": {
        "planned": _l("Planned"),
        "active": _l("Under way"),
        "overrun": _l("Taking longer"),
        "restored": _l("Restored"),
        "cancelled": _l("Cancelled"),
    },
    "when": {
        "all": _l("All"),
        "now": _l("Now"),
        "24h": _l("24 hours"),
        "7d": _l("7 days"),
        "30d": _l("30 days"),
        "date": _l("A date"),
    },
    "step": {
        "announced": _l("Announced"),
        "moved": _l("Moved"),
        "changed": _l("Changed"),
        "started": _l("Started"),
        "overrun": _l("Takes longer"),
        "restored": _l("Restored"),
        "cancelled": _l("Cancelled"),
    },
    "answer": {"yes": _l("Yes"), "no": _l("No"), "perhaps": _l("Perhaps")},
    "kind": {
        "planned": _l("Planned maintenance"),
        "temporary": _l("Temporary maintenance"),
        "curtailment": _l("Planned curtailment"),
        "hazard_removal": _l("Removal of a hazard"),
        "fault": _l("Fault"),
        "arrears": _l("Suspension for arrears"),
        "closure": _l("Closure"),
    },
    "tier": {
        "SPECIAL": _l("Special"),
        "FIRST": _l("First"),
        "SECOND": _l("Second"),
        "TEMPORARY": _l("Temporarily important"),
        "GENERAL": _l("General"),
        "LOW_VOLTAGE": _l("Low voltage"),
    },
    "backup": {
        "none": _l("none"),
        "generator": _l("Generator"),
        "battery": _l("Battery"),
        "ups": _l("Uninterruptible supply (UPS)"),
        "second_feed": _l("Second feed"),
        "other": _l("Other"),
    },
    "impact": {
        "OUTAGE": _l("No supply"),
        "REDUCED_REDUNDANCY": _l("One of two supplies"),
        "MOMENTARY": _l("Short interruption"),
        "NONE": _l("None"),
    },
    "weight": {
        "stop": _l("Not possible"),
        "override": _l("Needs a second person"),
        "advice": _l("Consider"),
    },
    "delivery_state": {
        "READY": _l("Waiting"),
        "CLAIMED": _l("Being sent"),
        "SUBMITTING": _l("Being sent"),
        "IN_DOUBT": _l("In doubt"),
        "ACCEPTED": _l("Sent"),
        "DELIVERED": _l("Delivered"),
        "FAILED": _l("Failed"),
        "WITHDRAWN": _l("Withdrawn"),
    },
    "ack_state": {
        "REQUESTED": _l("Asked"),
        "ESCALATED": _l("Being pursued"),
        "ACKNOWLEDGED": _l("Signed"),
        "OBJECTED": _l("Objected"),
        "REFUSED": _l("Refused"),
        "UNREACHED": _l("Not reached"),
        "SUPERSEDED": _l("Superseded"),
    },
    "way": {
        "link": _l("by link"),
        "key_press": _l("by pressed key"),
        "reply": _l("by text reply"),
        "paper": _l("on paper"),
        "visit": _l("at a visit"),
        "own_key": _l("by own key"),
        "passkey": _l("by passkey"),
    },
    "notice": {
        "SEVEN_DAY": _l("First notice"),
        "DAY_AHEAD": _l("Day ahead"),
        "CHANGED": _l("Changed"),
        "CANCELLED": _l("Cancelled"),
        "STARTED": _l("Started"),
        "OVERRUN": _l("Takes longer"),
        "RESTORED": _l("Restored"),
        "REMINDER": _l("Reminder"),
        "AGAIN": _l("Own step"),
        "FOLLOWERS": _l("Kept told"),
        "INVITATION": _l("Calendar invitation"),
        "INVITATION_CANCELLED": _l("Calendar invitation cancelled"),
        "PASSED_ON": _l("Passed on to a colleague"),
    },
    "channel": {
        "sms": _l("SMS"),
        "voice": _l("Call"),
        "email": _l("E-mail"),
        "letter": _l("Letter"),
    },
    "paper": {
        "hotline": _l("Hotline entry"),
        "media": _l("Media announcement"),
        "poster": _l("Community poster"),
        "plan": _l("Plan notice"),
    },
    "medium": {
        "website": _l("Website"),
        "app": _l("App"),
        "social": _l("Social media"),
        "newspaper": _l("Newspaper"),
        "radio": _l("Radio"),
        "television": _l("Television"),
        "board": _l("Notice board"),
        "system": _l("Hotline's system"),
        "email": _l("E-mail"),
        "post": _l("Post"),
        "hand": _l("By hand"),
    },
    "publication": {
        "public_announcement": _l("Public announcement"),
        "city_media": _l("Announcement in the city's media"),
        "website": _l("Announcement on the website"),
        "app": _l("Announcement in the app"),
        "social": _l("Announcement in social media"),
        "newspaper": _l("Announcement in a newspaper"),
        "radio": _l("Announcement on the radio"),
        "television": _l("Announcement on television"),
        "board": _l("Poster on the notice board"),
    },
    "due": {
        "start": _l("Work starts"),
        "end": _l("Supply is back"),
        "notice": _l("Notice"),
        "step": _l("Unsigned"),
        "announcement": _l("Announcement"),
    },
    "action": {
        "reminder": _l("Reminder"),
        "call": _l("Call"),
        "backup": _l("Backup contact"),
        "visit": _l("Visit"),
    },
    "signature": {
        "in_time": _l("Signed before the start"),
        "late": _l("Signed later"),
        "refused": _l("Refused"),
        "objected": _l("Objected"),
        "missing": _l("Missing"),
    },
    "need": {
        "approve": _l("Approve"),
        "never_approved": _l("Never approved"),
        "not_started": _l("Not started"),
        "overrun": _l("Past its end"),
        "unsigned": _l("Signatures missing"),
        "task": _l("Task overdue"),
    },
    "duty_state": {"met": _l("Done"), "open": _l("Open"), "late": _l("Too late")},
    "task": {
        "visit": _l("Visit for a signature"),
        "contact_missing": _l("Contact missing"),
        "contact_bad": _l("Contact wrong"),
        "doubtful": _l("Doubtful delivery"),
        "objection": _l("Objection"),
        "reply": _l("Customer wrote"),
        "sender": _l("Sender refused"),
        "letters": _l("Letters to post"),
        "audience": _l("Others would be affected"),
    },
    "customer_kind": {
        "household": _l("Household"),
        "shop": _l("Shop"),
        "hospital": _l("Hospital"),
        "water": _l("Water works"),
        "telecom": _l("Telecoms"),
        "bank": _l("Bank"),
        "school": _l("School"),
        "nursing_home": _l("Nursing home"),
        "factory": _l("Factory"),
        "emergency_services": _l("Emergency services"),
        "public_lighting": _l("Public lighting"),
        "event": _l("Event"),
        "": "",
    },
    "event": {
        "work_asked": _l("Work left to the worker"),
        "planned": _l("Planned"),
        "edited": _l("Edited"),
        "merged": _l("Merged"),
        "submitted": _l("Submitted"),
        "sent_back": _l("Sent back"),
        "approved": _l("Approved"),
        "revision_drafted": _l("Revision drafted"),
        "revision_dropped": _l("Revision dropped"),
        "cancelled": _l("Cancelled"),
        "started": _l("Started"),
        "enquiry_logged": _l("Customer asked"),
        "sent_again": _l("Sent again"),
        "test_sent": _l("Test sent"),
        "announced": _l("Announced"),
        "announcement_void": _l("Announcement taken back"),
        "go_decided": _l("Decided to start unsigned"),
        "overrun": _l("Takes longer"),
        "completed": _l("Completed"),
        "ack_requested": _l("Signatures asked for"),
        "ack_answered": _l("Answer received"),
        "ack_escalated": _l("Pursued further"),
        "ack_superseded": _l("Signatures superseded"),
        "ack_unreached": _l("Not reached before the start"),
        "visit_task": _l("Visit asked for"),
        "next_channel": _l("Next channel tried"),
        "expired_unsent": _l("Expired unsent"),
        "found_twice": _l("Found twice at the provider"),
        "sender_stopped": _l("Sender stopped"),
        "letters_printed": _l("Letters printed"),
        "letters_posted": _l("Letters posted"),
        "letters_delivered": _l("Letters delivered"),
        "letters_given_up": _l("Letters given up"),
        "letter_returned": _l("Letter returned"),
        "opted_out": _l("Wants no more texts"),
        "opted_in": _l("Wants texts again"),
        "task_done": _l("Task done"),
        "audience_would_change": _l("The network changed: others would be affected"),
    },
    # What services note on tasks; a customer's own words stay as they are.
    "note": {
        "no usable address": _l("no usable address"),
        "every channel failed": _l("every channel failed"),
        "nobody can say whether it arrived": _l("nobody can say whether it arrived"),
        "told again, perhaps twice": _l("told again, perhaps twice"),
        "whoever has this number says it is not the customer: tell the customer another way": _l(
            "whoever has this number says it is not the customer: tell the customer another way"
        ),
        "has not answered; have the notice signed or the refusal witnessed": _l(
            "has not answered; have the notice signed or the refusal witnessed"
        ),
    },
    "fault": {
        "": _l("unknown"),
        "bad_address": _l("wrong address"),
        "opted_out": _l("opted out"),
        "configuration": _l("our configuration"),
        "transient": _l("passing fault"),
        "unreached": _l("not reached"),
        "unknown": _l("unknown"),
    },
}

WORDS |= ADMIN_WORDS

# How each state looks: tone (colour) and mark (shape).
MARKS: dict[str, tuple[str, str]] = {
    "DRAFT": ("quiet", "○"),
    "SUBMITTED": ("wait", "◔"),
    "APPROVED": ("good", "●"),
    "ACTIVE": ("hot", "▲"),
    "COMPLETED": ("done", "✓"),
    "CANCELLED": ("off", "✕"),
    "met": ("done", "✓"),
    "open": ("wait", "◔"),
    "late": ("bad", "◆"),
    "yes": ("hot", "▲"),
    "no": ("good", "●"),
    "perhaps": ("wait", "◔"),
    "planned": ("plan", "●"),
    "active": ("hot", "▲"),
    "overrun": ("bad", "◆"),
    "restored": ("done", "✓"),
    "cancelled": ("off", "✕"),
    "SPECIAL": ("tier1", "◆"),
    "FIRST": ("tier2", "▲"),
    "SECOND": ("tier3", "■"),
    "TEMPORARY": ("tier4", "●"),
    "GENERAL": ("tier5", "○"),
    "LOW_VOLTAGE": ("tier6", "·"),
    "READY": ("quiet", "○"),
    "CLAIMED": ("wait", "◔"),
    "SUBMITTING": ("wait", "◔"),
    "IN_DOUBT": ("bad", "?"),
    "ACCEPTED": ("good", "●"),
    "DELIVERED": ("done", "✓"),
    "FAILED": ("bad", "✕"),
    "WITHDRAWN": ("off", "–"),
    "REQUESTED": ("wait", "○"),
    "ESCALATED": ("hot", "▲"),
    "ACKNOWLEDGED": ("done", "✓"),
    "OBJECTED": ("bad", "!"),
    "REFUSED": ("bad", "✕"),
    "UNREACHED": ("bad", "◆"),
    "SUPERSEDED": ("off", "–"),
    "OUTAGE": ("hot", "✕"),
    "REDUCED_REDUNDANCY": ("wait", "◐"),
    "MOMENTARY": ("quiet", "~"),
}


def word(group: str, value: object) -> str:
    """The translated word; the value itself where there is none (a kind that an import brought)."""
    return str(WORDS[group].get(str(value), value))


def chip(group: str, value: object) -> Markup:
    """A word with its mark and colour."""
    tone, mark = MARKS.get(str(value), ("quiet", "○"))
    return Markup(
        '<span class="chip chip-{}"><span class="mark" aria-hidden="true">{}</span>{}</span>'
    ).format(tone, mark, word(group, value))


def note(text: str) -> str:
    """A task's note in the reader's language, where it is one of ours; it may name a notice before a colon."""
    kind, colon, rest = text.partition(": ")
    if kind == AUDIENCE_NOTE and colon:
        return _audience_note(rest)
    if colon and kind in WORDS["notice"]:
        return f"{word('notice', kind)}: {word('note', rest)}"
    return word("note", text)


def _audience_note(rest: str) -> str:
    """How many would join and leave, by tier; `services.retrace_open` writes the numbers."""
    try:
        found = json.loads(rest)
        joined, left = found["joined"], found["left"]
        parts = [
            _(
                "In the network of today %(joined)s would join and %(left)s would leave.",
                joined=_by_tier(joined),
                left=_by_tier(left),
            ),
            _("%(count)s would be hit otherwise.", count=found["otherwise"]) if found["otherwise"] else "",
            _("It cannot be traced any more: %(fault)s", fault=found["fault"]) if found["fault"] else "",
            _("Revise the outage: nobody is told otherwise by itself."),
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return rest
    return " ".join(part for part in parts if part)


def _by_tier(counts: dict[str, int]) -> str:
    """The sum, and in brackets each tier that has any."""
    listed = ", ".join(f"{word('tier', tier)} {count}" for tier, count in counts.items() if count)
    total = sum(counts.values())
    return f"{total} ({listed})" if listed else str(total)


def register(app: Flask) -> None:
    app.jinja_env.globals.update(word=word, chip=chip, WORDS=WORDS, MARKS=MARKS, heading_of=heading)
    app.jinja_env.filters.update(in_words=in_words, note=note, device=device, deed=deed, bytes=size_of)
    app.jinja_env.globals.update(said=said, limits=app.extensions[RUNTIME].policy.limits)

    @app.context_processor
    def for_the_map() -> dict[str, object]:
        return {"phase_words": {phase: str(text) for phase, text in WORDS["phase"].items()}}


def in_words(texts: dict[str, str], language: str) -> str:
    """A text in a language, or in the other one where only that was written."""
    return texts.get(language) or next(iter(texts.values()), "")
