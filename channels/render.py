"""Turns the facts of a notice into words: SMS, e-mail, voice, and the text that is signed.

Promises: pure (the same facts give the same bytes), both languages say the same, values
that people typed can neither break out of a line nor of HTML, and an English SMS is
GSM-7 unless a name needs a letter that GSM-7 lacks. Leaves to others: what the facts
are and whom to tell (services), sending (the senders), paper (`document`).

A signature is asked for when the customer is key, the kind is one that is signed, and
`sign_url` is given: leaving it empty (already signed) turns the question off in SMS and e-mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from channels.advice import advice
from channels.catalogues import N_, translations
from channels.model import Language, NoticeFacts, RenderedEmail, RenderedSms, RenderedVoice
from channels.plain import clip, gsm_friendly, one_line
from channels.say import Say
from channels.sms_length import not_gsm7, sms_length
from channels.typed_values import ANNOUNCING as ANNOUNCING
from channels.typed_values import KINDS as KINDS
from channels.typed_values import NAME, PHONE, clean, nameless, shortened, web_link
from channels.wave_text import Own, wave_text
from channels.wording import Words

# How many places the opening sentence names before it counts; e-mail and letter list all of them below.
SMS_PLACES, VOICE_PLACES, LEAD_PLACES = 3, 4, 6

_EFFECTS = {
    "OUTAGE": N_("no supply"),
    "REDUCED_REDUNDANCY": N_("one of your supplies is off, the other stays on"),
    "MOMENTARY": N_("short interruptions at the start and at the end"),
}
_WHAT = {
    "OUTAGE": N_("planned power outage"),
    "REDUCED_REDUNDANCY": N_("planned work on one of your supplies"),
    "MOMENTARY": N_("planned short interruptions"),
}
_TITLES = {
    "SEVEN_DAY": N_("Notice: %(what)s"),
    "DAY_AHEAD": N_("Reminder: %(what)s"),
    "REMINDER": N_("Please confirm: %(what)s"),
    "CHANGED": N_("Changed: %(what)s"),
    "CANCELLED": N_("Cancelled: %(what)s"),
    "STARTED": N_("Planned work has started"),
    "OVERRUN": N_("Work takes longer than planned"),
    "RESTORED": N_("Supply restored"),
}
_ACCENTS = {"CANCELLED": "#1d7a46", "RESTORED": "#1d7a46", "OVERRUN": "#b3261e", "CHANGED": "#b25e00"}


@dataclass(frozen=True)
class Groups:
    """Names of the affected places by impact, each name once per impact."""

    outage: tuple[str, ...]
    reduced: tuple[str, ...]
    momentary: tuple[str, ...]

    @property
    def gravest(self) -> str:
        return "OUTAGE" if self.outage else "REDUCED_REDUNDANCY" if self.reduced else "MOMENTARY"


def render_sms(facts: NoticeFacts) -> RenderedSms:
    """The SMS, short, with its encoding and number of segments."""
    english = facts.language is Language.EN
    tidy = gsm_friendly if english else one_line
    name, phone = clip(tidy(facts.grid_manager), NAME), clip(tidy(facts.grid_manager_phone), PHONE)
    named = _sms(facts, " ".join(part for part in (name, phone) if part))
    if not (english and phone and not_gsm7(name)):
        return named
    # A manager's name in Chinese alone would make an English text twice as long; the number does.
    numbered = _sms(facts, phone)
    return numbered if numbered.segments < named.segments else named


def _sms(facts: NoticeFacts, manager: str) -> RenderedSms:
    text = wave_text(facts, manager, sms_of_wave, own_in_sms)
    encoding, segments = sms_length(text)
    return RenderedSms(text, encoding, segments)


def sms_of_wave(facts: NoticeFacts, own: Own) -> str:
    """The SMS with what `own` holds in place of the values of the addressee's own."""
    facts = shortened(clean(facts, gsm=facts.language is Language.EN))
    places = tuple(replace(place, name=name) for place, name in zip(facts.places, own.places, strict=True))
    facts = replace(
        facts, places=places, short_ref=own.short_ref, notice_url=own.notice_url, sign_url=own.sign_url
    )
    say = Say(facts, "sms")
    body = _template(facts.language, "sms.txt").render(
        _context(facts, _lead(facts, say, "short", SMS_PLACES), _=say, manager=own.manager)
    )
    return (" " if facts.language is Language.EN else "").join(_lines(body))


def own_in_sms(facts: NoticeFacts, manager: str) -> Own:
    """What in an SMS is the addressee's own, as `clean` and `shortened` make it."""
    tidy = gsm_friendly if facts.language is Language.EN else one_line
    return Own(
        tuple(clip(tidy(one.name) or nameless(facts), NAME) for one in facts.places)
        or (clip(tidy(facts.area) or nameless(facts), NAME),),
        tidy(facts.short_ref),
        web_link(facts.notice_url),
        web_link(facts.sign_url),
        manager,
    )


def render_subject(facts: NoticeFacts) -> str:
    """The subject of the e-mail: one line with kind, time and reference."""
    facts = clean(facts)
    words, translate = Words(facts.language), Say(facts, "email")
    when = words.window_short(facts.start, facts.end)
    if facts.kind == "CANCELLED" and facts.old_start and facts.old_end:
        when = words.window_short(facts.old_start, facts.old_end)
    elif facts.kind == "OVERRUN" and facts.expected_end:
        when = translate("until %(until)s", until=words.instant_short(facts.expected_end))
    elif facts.kind == "RESTORED" and facts.restored_at:
        when = words.instant_short(facts.restored_at)
    return translate(
        "%(utility)s: %(title)s, %(when)s (%(reference)s)",
        utility=facts.utility,
        title=render_title(facts, translate),
        when=when,
        reference=facts.reference,
    )


def render_title(facts: NoticeFacts, say: Say) -> str:
    """What kind of notice it is, in a few words: heading of e-mail and letter."""
    if "%(what)s" not in _TITLES[facts.kind]:
        return say(_TITLES[facts.kind])
    return say(_TITLES[facts.kind], what=say(_WHAT[_groups(facts).gravest]))


def render_email(
    facts: NoticeFacts, ics: str = "", method: str = "", *, subject: str = "", opening: Sequence[str] = ()
) -> RenderedEmail:
    """Subject, plain text and HTML; `ics` is passed through as the attachment, or as an invitation by `method`.
    `subject` instead of the notice's own; `opening`: sentences before its first."""
    facts = clean(facts)
    say = Say(facts, "email")
    over = facts.kind in ("CANCELLED", "RESTORED")
    more: dict[str, Any] = {
        "subject": subject or render_subject(facts),
        "title": render_title(facts, say),
        "accent": _ACCENTS.get(facts.kind, "#0b5cad"),
        "rows": _rows(facts),
        "places": [(place.name, "" if over else effect(facts, place.impact)) for place in facts.places],
        "advice": advice(facts, say),
    }
    context = _context(facts, [*opening, *_lead(facts, say, "long", LEAD_PLACES)], **more)
    text = _template(facts.language, "email.txt").render(context, _=say)
    html = _template(facts.language, "email.html").render(context, _=say.html)
    return RenderedEmail(more["subject"], text.strip() + "\n", html.strip() + "\n", ics, method)


def render_voice(facts: NoticeFacts) -> RenderedVoice:
    """What the call says. The text can be repeated as it is; the question asks for the key 1."""
    facts = shortened(clean(facts))
    words = Words(facts.language)
    translate = Say(facts, "voice", reference=words.spelled(facts.reference))
    context = _context(
        facts,
        _lead(facts, translate, "spoken", VOICE_PLACES),
        _=translate,
        manager=facts.grid_manager,
        manager_phone=words.spelled(facts.grid_manager_phone),
        hotline=words.spelled(facts.hotline),
        reference=words.spelled(facts.reference),
    )
    body = _template(facts.language, "voice.txt").render(context)
    signed = facts.is_key and facts.kind in ANNOUNCING
    question = (
        translate("To confirm for your organisation that you have received this notice, press 1.")
        if signed and not facts.life_support
        else translate("To confirm that you have heard this message, press 1.")
    )
    # "4 p.m." at the end of a sentence brings its own full stop.
    text = (" " if facts.language is Language.EN else "").join(_lines(body)).replace(".m..", ".m.")
    return RenderedVoice(
        facts.language,
        text,
        question,
        translate("Thank you. Your confirmation has been recorded. Goodbye."),
        # Only who has to sign is called again; nobody else is told so.
        translate("No key was pressed, so nothing has been confirmed. We will contact you again. Goodbye.")
        if signed
        else translate("Thank you for listening. Goodbye."),
    )


def render_notice_text(facts: NoticeFacts) -> str:
    """The exact text that a key customer signs; `text_sha256` of it goes into the receipt.

    It depends on the outage's revision, the addressee and the language alone, not on the
    kind of notice, the channel, links or the delivery, so that the seven-day notice and
    its reminder are one text. All places are listed.
    """
    facts = clean(facts)
    translate = translations(facts.language).gettext
    fixed = replace(
        facts, kind="SEVEN_DAY", old_start=None, old_end=None, expected_end=None, restored_at=None
    )
    rows = list(_rows(fixed))
    if facts.customer_name:
        rows.insert(1, (translate("To"), facts.customer_name))
    rows.insert(1, (translate("From"), facts.utility))
    places = [(place.name, translate(_EFFECTS[place.impact])) for place in facts.places]
    text = _template(facts.language, "notice.txt").render(rows=rows, places=places)
    return "\n".join(_lines(text)) + "\n"


def text_sha256(text: str) -> str:
    """The hash by which a receipt names the text that was signed: SHA-256 of its UTF-8."""
    return sha256(text.encode("utf-8")).hexdigest()


def asks_for_signature(facts: NoticeFacts) -> bool:
    """Whether SMS and e-mail ask the addressee to sign."""
    return facts.is_key and facts.kind in ANNOUNCING and bool(facts.sign_url)


def notice_rows(facts: NoticeFacts) -> tuple[tuple[str, str], ...]:
    """Labelled facts (reference, time, reason, contact, law) as e-mail, page and letter show them."""
    return _rows(clean(facts))


def lead_sentences(facts: NoticeFacts, say: Say) -> list[str]:
    """The opening sentences with full dates, as in e-mail and letter."""
    return _lead(clean(facts), say, "long", LEAD_PLACES)


def short_sentences(facts: NoticeFacts, say: Say) -> list[str]:
    """The opening sentences with short dates, as in an SMS, of facts that were cleaned and shortened."""
    return _lead(facts, say, "short", SMS_PLACES)


def effect(facts: NoticeFacts, impact: str) -> str:
    """What an impact means for a place, in the language of the notice."""
    return translations(facts.language).gettext(_EFFECTS[impact])


def _rows(facts: NoticeFacts) -> tuple[tuple[str, str], ...]:
    words, translate = Words(facts.language), translations(facts.language).gettext
    start, end = facts.start, facts.end
    if facts.kind == "CANCELLED" and facts.old_start and facts.old_end:
        start, end = facts.old_start, facts.old_end
    time = words.window_long(start, end)
    zone = words.zone(facts.start)
    rows = [
        (
            translate("Reference"),
            translate("%(reference)s, revision %(revision)d")
            % {"reference": facts.reference, "revision": facts.revision},
        ),
        (translate("Time"), translate("%(time)s (%(zone)s)") % {"time": time, "zone": zone}),
    ]
    if facts.kind == "CHANGED" and facts.old_start and facts.old_end:
        rows.append((translate("Time before"), words.window_long(facts.old_start, facts.old_end)))
    if facts.kind == "OVERRUN" and facts.expected_end:
        rows.append((translate("Expected end"), words.instant_long(facts.expected_end)))
    if facts.kind == "RESTORED" and facts.restored_at:
        rows.append((translate("Restored"), words.instant_long(facts.restored_at)))
    manager = " ".join(part for part in (facts.grid_manager, facts.grid_manager_phone) if part)
    optional = (
        (translate("Reason"), facts.reason),
        (translate("Area"), facts.area),
        (translate("Line"), facts.line),
        (translate("Hotline"), facts.hotline),
        (translate("Area manager"), manager),
        (translate("Legal basis"), facts.law),
    )
    return (*rows, *((label, value) for label, value in optional if value))


def _lead(facts: NoticeFacts, say: Say, style: str, limit: int) -> list[str]:
    """The opening sentences in one of three styles of dates: short, long, spoken."""
    words = Words(facts.language)
    window = {"short": words.window_short, "long": words.window_long, "spoken": words.window_spoken}[style]
    instant = {"short": words.instant_short, "long": words.instant_long, "spoken": words.instant_spoken}[
        style
    ]
    old = window(facts.old_start, facts.old_end) if facts.old_start and facts.old_end else ""
    when = window(facts.start, facts.end)
    # A cancelled window that had been moved is still known by the time that was announced.
    if facts.kind == "CANCELLED" and old:
        when = old
    back = facts.expected_end if facts.kind == "OVERRUN" else (facts.expected_end or facts.end)
    groups = _groups(facts)
    everything = tuple(dict.fromkeys(place.name for place in facts.places))
    text = _template(facts.language, "lead.txt").render(
        _=say,
        kind=facts.kind,
        when=when,
        old=old if old != window(facts.start, facts.end) else "",
        back=instant(back) if back else "",
        since=instant(facts.restored_at) if facts.restored_at else "",
        outage=words.names(groups.outage, limit),
        reduced=words.names(groups.reduced, limit),
        momentary=words.names(groups.momentary, limit),
        all=words.names(everything, limit),
    )
    return _lines(text)


def _context(facts: NoticeFacts, lead: Sequence[str], **more: Any) -> dict[str, Any]:
    groups = _groups(facts)
    context = {
        "kind": facts.kind,
        "language": facts.language.value,
        "utility": facts.utility,
        "reason": facts.reason,
        "reference": facts.reference,
        "short_ref": facts.short_ref,
        "hotline": facts.hotline,
        "life_support": facts.life_support,
        "customer_name": facts.customer_name,
        "sign_url": facts.sign_url,
        "notice_url": facts.notice_url,
        "feed_url": facts.feed_url,
        "asks": asks_for_signature(facts),
        "announcing": ANNOUNCING,
        "outage": bool(groups.outage),
        "reduced": bool(groups.reduced),
        "dark": bool(groups.outage or groups.momentary),
        "lead": list(lead),
    }
    return {**context, **more}


def _groups(facts: NoticeFacts) -> Groups:
    def named(impact: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(place.name for place in facts.places if place.impact == impact))

    return Groups(named("OUTAGE"), named("REDUCED_REDUNDANCY"), named("MOMENTARY"))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("channels"),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        keep_trailing_newline=True,
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    return environment


def _template(language: Language, name: str) -> Any:
    return _environment(language).get_template(name)
