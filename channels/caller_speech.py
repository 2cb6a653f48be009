"""What somebody hears who calls us: the outages ahead of that number, in a few sentences.

Promises: no name, no address and no contract number. The number that calls can be forged, so that
nothing may be said that is not as good as public once one knows that somebody lives in the area.
For the same reason nothing can be confirmed on such a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.catalogues import translations
from channels.model import Language
from channels.wording import Words

MOST = 3  # more than these nobody remembers


@dataclass(frozen=True)
class Ahead:
    """One outage as the caller will feel it. `impact` is OUTAGE, MOMENTARY or REDUCED_REDUNDANCY;
    `until` is set while it runs: the end that is expected now."""

    impact: str
    start: datetime
    end: datetime
    reference: str
    reason: str = ""
    until: datetime | None = None


def speech(language: Language, utility: str, hotline: str, ahead: Sequence[Ahead]) -> list[str]:
    """For a number that we know: what is ahead, the next first, or that nothing is planned."""
    _, words = translations(language).gettext, Words(language)
    lines = [_("Hello. This is the outage information of %(utility)s.") % {"utility": utility}]
    for one in ahead[:MOST]:
        lines.append(_sentence(language, one))
        if one.reason:
            lines.append(_("The reason for the work: %(reason)s.") % {"reason": one.reason})
        lines.append(_("The reference: %(reference)s.") % {"reference": words.spelled(one.reference)})
    if not ahead:
        lines.append(_("At present no outage is planned for the supply that is kept with this number."))
    elif len(ahead) > MOST:
        lines.append(_("More outages are planned after these."))
    return [*lines, *_farewell(language, hotline)]


def speech_for_strangers(language: Language, utility: str, hotline: str) -> list[str]:
    """For a number that we don't know, or that is hidden: how to ask. Not a word about anybody."""
    _ = translations(language).gettext
    return [
        _("Hello. This is the outage information of %(utility)s.") % {"utility": utility},
        _("Outages can be read out here for numbers that are kept with a customer. Yours is not."),
        *_farewell(language, hotline),
    ]


def _sentence(language: Language, one: Ahead) -> str:
    _, words = translations(language).gettext, Words(language)
    if one.until is not None:
        until = words.instant_spoken(one.until)
        return {
            "OUTAGE": _("Your supply is off because of planned work. It is expected back on %(until)s."),
            "MOMENTARY": _("Work is going on until %(until)s. Your supply may be interrupted for a moment."),
        }.get(one.impact, _("Work is going on until %(until)s. One of your supplies is off.")) % {
            "until": until
        }
    when = {"when": words.window_spoken(one.start, one.end)}
    return {
        "OUTAGE": _("Your supply will be off on %(when)s."),
        "MOMENTARY": _("Your supply may be interrupted for a moment on %(when)s."),
    }.get(one.impact, _("One of your supplies will be off on %(when)s.")) % when


def _farewell(language: Language, hotline: str) -> list[str]:
    _ = translations(language).gettext
    lines = []
    if hotline:
        number = Words(language).spelled(hotline)
        lines.append(_("For anything else please call %(number)s.") % {"number": number})
    return [*lines, _("Goodbye.")]
