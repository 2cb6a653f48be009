"""The facts of a notice made fit for a text: typed values on one line, links that are links, lengths that end.

What every text of `render` starts from. What stands in a text, and in which words, is `render`'s.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

from channels.catalogues import N_, translations
from channels.model import NoticeFacts, PlaceLine
from channels.plain import clip, gsm_friendly, one_line

ANNOUNCING = ("SEVEN_DAY", "DAY_AHEAD", "CHANGED", "REMINDER")
KINDS = (*ANNOUNCING, "CANCELLED", "STARTED", "OVERRUN", "RESTORED")
IMPACTS = ("OUTAGE", "REDUCED_REDUNDANCY", "MOMENTARY")
NAME, REASON, PHONE = 48, 60, 32  # characters, in SMS and voice
_ENDS_A_LINK = re.compile(r"""[\s<>"'`\x00-\x1f]""")


def clean(facts: NoticeFacts, gsm: bool = False) -> NoticeFacts:
    """The same facts with every typed value on one line and without hidden characters; links that are
    not http(s) are dropped. ValueError for a kind or an impact that no text exists for, and naive times."""
    if facts.kind not in KINDS:
        raise ValueError(f"no text for a notice of kind {facts.kind!r}")
    for at in (facts.start, facts.end, facts.old_start, facts.old_end, facts.expected_end, facts.restored_at):
        if at is not None and at.tzinfo is None:
            raise ValueError("the times of a notice must be aware")
    for place in facts.places:
        if place.impact not in IMPACTS:
            raise ValueError(f"no text for the impact {place.impact!r}")
    tidy = gsm_friendly if gsm else one_line
    # A sentence ends with its own full stop, not with the planner's as well.
    reason = tidy(facts.reason).rstrip(".。;； ")
    places = tuple(PlaceLine(tidy(place.name) or nameless(facts), place.impact) for place in facts.places)
    return replace(
        facts,
        reason=reason,
        places=places or (PlaceLine(tidy(facts.area) or nameless(facts)),),
        reference=tidy(facts.reference),
        short_ref=tidy(facts.short_ref),
        utility=tidy(facts.utility),
        customer_name=tidy(facts.customer_name),
        area=tidy(facts.area),
        line=tidy(facts.line),
        hotline=tidy(facts.hotline),
        grid_manager=tidy(facts.grid_manager),
        grid_manager_phone=tidy(facts.grid_manager_phone),
        law=tidy(facts.law),
        sign_url=web_link(facts.sign_url),
        notice_url=web_link(facts.notice_url),
        feed_url=web_link(facts.feed_url, "webcal"),
    )


def shortened(facts: NoticeFacts) -> NoticeFacts:
    """The same facts with typed values no longer than a short message or a listener's patience can bear."""
    return replace(
        facts,
        reason=clip(facts.reason, REASON),
        places=tuple(replace(place, name=clip(place.name, NAME)) for place in facts.places),
        grid_manager=clip(facts.grid_manager, NAME),
        utility=clip(facts.utility, NAME),
        hotline=clip(facts.hotline, PHONE),
        grid_manager_phone=clip(facts.grid_manager_phone, PHONE),
    )


def nameless(facts: NoticeFacts) -> str:
    """What a place is called that has no name."""
    return translations(facts.language).gettext(N_("your address"))


def web_link(url: str, *schemes: str) -> str:
    """A link that may be clicked: its scheme is harmless and it holds nothing that ends it early."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    harmless = parts.scheme in ("http", "https", *schemes) and bool(parts.netloc)
    return url if harmless and not _ENDS_A_LINK.search(url) else ""
