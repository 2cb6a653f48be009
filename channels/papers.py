"""The papers that one outage makes: hotline entry, media announcement, community poster, plan notice.

What a paper says is put together once, as a `Sheet`; its text (`sheet_text`, of which a record
of an announcement keeps the hash) and its PDF (`document.sheet_pdf`) both come from that, so they
cannot say different things. Promises: pure, the same facts give the same bytes, both languages say
the same; whoever reads a public paper finds places in words, never a customer, a pole or an element
of the network. Leaves to others: the facts, and where a paper was announced (`services.announce`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from channels.catalogues import N_, translations
from channels.model import Language
from channels.plain import one_line
from channels.wording import Words


class Paper(StrEnum):
    HOTLINE = "hotline"
    MEDIA = "media"
    POSTER = "poster"
    PLAN = "plan"  # to office, marketing, hotline and stations


class Stage(StrEnum):
    """What the paper has to tell: the first word of an outage, a correction, or that it is off."""

    PLANNED = "planned"
    CHANGED = "changed"
    CANCELLED = "cancelled"


PUBLIC = frozenset({Paper.MEDIA, Paper.POSTER})


@dataclass(frozen=True)
class PaperFacts:
    """All that the papers may say. Times are aware and local. `streets` are names of streets without
    numbers; `more_places`: there are affected places in streets that are not named. `customers` None:
    fewer than are told in public. The fields of the last block are for the plan notice alone."""

    language: Language
    stage: Stage
    reference: str
    revision: int
    utility: str
    reason: str
    start: datetime
    end: datetime
    area: str = ""
    streets: tuple[str, ...] = ()
    more_places: bool = False
    customers: int | None = None
    hotline: str = ""
    page_url: str = ""
    dated: datetime | None = None
    old_start: datetime | None = None
    old_end: datetime | None = None
    line: str = ""
    work: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    tiers: Mapping[str, int] = field(default_factory=dict)  # customers by tier, the highest first
    key_customers: int = 0
    deadlines: tuple[tuple[str, datetime], ...] = ()  # (article, by when)
    people: tuple[tuple[str, str], ...] = ()  # (planned | approved, name)


@dataclass(frozen=True)
class Sheet:
    """A paper, laid out as data: heading, sentences, labelled facts, points, closing lines."""

    paper: Paper
    language: Language
    title: str
    lead: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    points_title: str
    points: tuple[str, ...]
    closing: tuple[str, ...]
    utility: str
    hotline: str
    reference: str
    big: tuple[str, ...] = ()  # what a poster shows large: day, and from-to
    qr_url: str = ""
    qr_label: str = ""


_TITLES = {
    (Paper.HOTLINE, Stage.PLANNED): N_("Hotline entry: planned power outage"),
    (Paper.HOTLINE, Stage.CHANGED): N_("Hotline entry: planned power outage changed"),
    (Paper.HOTLINE, Stage.CANCELLED): N_("Hotline entry: planned power outage cancelled"),
    (Paper.MEDIA, Stage.PLANNED): N_("Announcement of a planned power outage"),
    (Paper.MEDIA, Stage.CHANGED): N_("Announcement: planned power outage changed"),
    (Paper.MEDIA, Stage.CANCELLED): N_("Announcement: planned power outage cancelled"),
    (Paper.POSTER, Stage.PLANNED): N_("Power will be off"),
    (Paper.POSTER, Stage.CHANGED): N_("Power outage: new time"),
    (Paper.POSTER, Stage.CANCELLED): N_("Power outage cancelled"),
    (Paper.PLAN, Stage.PLANNED): N_("Notice of an outage plan"),
    (Paper.PLAN, Stage.CHANGED): N_("Notice of a changed outage plan"),
    (Paper.PLAN, Stage.CANCELLED): N_("Notice of a cancelled outage plan"),
}
_TIERS = {
    "SPECIAL": N_("special"),
    "FIRST": N_("first tier"),
    "SECOND": N_("second tier"),
    "TEMPORARY": N_("temporarily important"),
    "GENERAL": N_("general"),
    "LOW_VOLTAGE": N_("low voltage"),
}
_PEOPLE = {"planned": N_("Planned by"), "approved": N_("Approved by")}
_HABITS = (
    N_("Save your work and switch off sensitive appliances beforehand."),
    N_("Do not use lifts shortly before the start."),
    N_("Treat all installations as live the whole time: supply may return early."),
    N_("Look after neighbours who depend on medical equipment, and call us if they need help."),
)
_CALLERS = (
    N_("Ask for the address and look it up at the desk: it says whether that very place is affected."),
    N_("Who depends on electrical medical equipment is put through to the shift supervisor at once."),
    N_("Supply may return early; nobody may count on the exact minute."),
    N_("Write down each call, and correct a telephone number that is wrong."),
)
_DUTIES = (
    N_("Office: see to the announcement in the media and record when and where it was made."),
    N_("Marketing: have every key customer's notice signed; go to those who do not answer."),
    N_("Hotline: keep the entry at hand until supply is back."),
    N_("Stations: prepare the switching above; nothing is switched before the window begins."),
)
_OFF = (N_("The work does not take place. Supply goes on as usual."),)


def make(paper: Paper, facts: PaperFacts) -> Sheet:
    """One paper of one outage."""
    return _MAKERS[paper](_clean(facts))


def sheet_text(sheet: Sheet) -> str:
    """The paper as plain text: the exact words, of which records keep the SHA-256."""
    translate = translations(sheet.language).gettext
    blocks = [[sheet.title], list(sheet.lead)]
    blocks.append([translate("%(label)s: %(value)s") % {"label": a, "value": b} for a, b in sheet.rows])
    if sheet.points:
        blocks.append([sheet.points_title, *(f"- {one}" for one in sheet.points)])
    blocks.append(list(sheet.closing))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _hotline(facts: PaperFacts) -> Sheet:
    translate, words = translations(facts.language).gettext, Words(facts.language)
    off = facts.stage is Stage.CANCELLED
    rows = [
        (translate("Reference"), _numbered(facts)),
        *_times(facts),
        *_where(facts),
        (translate("Customers"), _customers(facts)),
        (translate("Reason"), facts.reason),
    ]
    if not off:
        rows.append((translate("Supply is back by"), words.instant_long(facts.end)))
    rows.append((translate("Public page"), facts.page_url))
    return _sheet(
        Paper.HOTLINE,
        facts,
        lead=(),
        rows=rows,
        points_title=translate("What callers are told"),
        points=tuple(translate(one) for one in (_OFF if off else _CALLERS)),
    )


def _media(facts: PaperFacts) -> Sheet:
    translate, words = translations(facts.language).gettext, Words(facts.language)
    parts = {
        "utility": facts.utility,
        "reason": facts.reason,
        "time": words.window_long(facts.start, facts.end),
    }
    if facts.stage is Stage.CANCELLED:
        lead = (
            translate("The power outage announced by %(utility)s for %(time)s does not take place.") % parts
        )
    elif facts.stage is Stage.CHANGED:
        lead = (
            translate("%(utility)s has changed a planned power outage (%(reason)s). It is now: %(time)s.")
            % parts
        )
    else:
        lead = (
            translate("%(utility)s has to interrupt supply for planned work (%(reason)s): %(time)s.") % parts
        )
    more = [] if facts.stage is Stage.CANCELLED else [translate("Supply may return early.")]
    more.append(
        translate("We ask for your understanding.")
        if facts.stage is not Stage.CANCELLED
        else translate(_OFF[0])
    )
    closing = [facts.utility]
    if facts.dated is not None:
        closing.append(words.date_long(facts.dated))
    return _sheet(
        Paper.MEDIA,
        facts,
        lead=(lead,),
        rows=[
            *_times(facts),
            *_where(facts),
            (translate("Customers"), _customers(facts)),
            (translate("Hotline"), facts.hotline),
            (translate("Details and map"), facts.page_url),
            (translate("Reference"), _numbered(facts)),
        ],
        points_title="",
        points=(),
        closing=(" ".join(more) if facts.language is Language.EN else "".join(more), *closing),
    )


def _poster(facts: PaperFacts) -> Sheet:
    translate, words = translations(facts.language).gettext, Words(facts.language)
    off = facts.stage is Stage.CANCELLED
    rows = [
        (label, value)
        for label, value in [*_times(facts)[1:], *_where(facts), (translate("Reason"), facts.reason)]
        if value
    ]
    # The time stands in large type; in the text it is the first of the facts.
    rows.insert(0, (translate("Time"), words.window_long(facts.start, facts.end)))
    return _sheet(
        Paper.POSTER,
        facts,
        lead=(translate(_OFF[0]),) if off else (),
        rows=rows,
        points_title="" if off else translate("What to do:"),
        points=() if off else tuple(translate(one) for one in _HABITS),
        closing=(facts.utility, *((translate("Hotline") + " " + facts.hotline,) if facts.hotline else ())),
        big=_big(facts),
        qr_url=facts.page_url,
        qr_label=translate("Scan: is my house affected?"),
    )


def _plan(facts: PaperFacts) -> Sheet:
    translate, words = translations(facts.language).gettext, Words(facts.language)
    off = facts.stage is Stage.CANCELLED
    names = translate(", ")
    tiers = names.join(
        translate("%(tier)s %(number)d") % {"tier": translate(_TIERS[tier]), "number": number}
        for tier, number in facts.tiers.items()
        if number
    )
    rows = [
        (translate("Addressed to"), translate("Office, marketing, hotline, stations")),
        (translate("Reference"), _numbered(facts)),
        *_times(facts),
        *_where(facts),
        (translate("Line"), facts.line),
        (translate("Work on"), names.join(facts.work)),
        (translate("Switches opened"), names.join(facts.opened)),
        (translate("Switches closed"), names.join(facts.closed)),
        (translate("Customers"), tiers),
        (translate("Of them key customers"), str(facts.key_customers) if facts.key_customers else ""),
        (translate("Reason"), facts.reason),
        *(
            (
                translate("Notice by"),
                translate("%(time)s (%(zone)s)") % {"time": words.instant_long(by), "zone": article},
            )
            for article, by in facts.deadlines
            if not off
        ),
        *((translate(_PEOPLE[what]), name) for what, name in facts.people if name),
    ]
    return _sheet(
        Paper.PLAN,
        facts,
        lead=(translate(_OFF[0]),) if off else (),
        rows=rows,
        points_title="" if off else translate("Who does what"),
        points=() if off else tuple(translate(one) for one in _DUTIES),
        closing=(facts.utility,),
    )


_MAKERS: Mapping[Paper, Callable[[PaperFacts], Sheet]] = {
    Paper.HOTLINE: _hotline,
    Paper.MEDIA: _media,
    Paper.POSTER: _poster,
    Paper.PLAN: _plan,
}


def _sheet(
    paper: Paper,
    facts: PaperFacts,
    *,
    lead: tuple[str, ...],
    rows: list[tuple[str, str]],
    points_title: str,
    points: tuple[str, ...],
    closing: tuple[str, ...] = (),
    big: tuple[str, ...] = (),
    qr_url: str = "",
    qr_label: str = "",
) -> Sheet:
    translate = translations(facts.language).gettext
    return Sheet(
        paper=paper,
        language=facts.language,
        title=translate(_TITLES[paper, facts.stage]),
        lead=lead,
        rows=tuple((label, value) for label, value in rows if value),
        points_title=points_title,
        points=points,
        closing=closing,
        utility=facts.utility,
        hotline=facts.hotline,
        reference=facts.reference,
        big=big,
        qr_url=qr_url,
        qr_label=qr_label,
    )


def _times(facts: PaperFacts) -> list[tuple[str, str]]:
    translate, words = translations(facts.language).gettext, Words(facts.language)
    zone = words.zone(facts.start)
    now = translate("%(time)s (%(zone)s)") % {
        "time": words.window_long(facts.start, facts.end),
        "zone": zone,
    }
    found = [(translate("Time"), now)]
    moved = (facts.old_start, facts.old_end) != (facts.start, facts.end)
    if facts.stage is Stage.CHANGED and facts.old_start and facts.old_end and moved:
        found.append((translate("Time before"), words.window_long(facts.old_start, facts.old_end)))
    return found


def _where(facts: PaperFacts) -> list[tuple[str, str]]:
    translate = translations(facts.language).gettext
    streets = translate(", ").join(facts.streets)
    if facts.more_places:
        streets = (
            translate("%(streets)s and single houses nearby") % {"streets": streets}
            if streets
            else (translate("single houses") if facts.area else translate("single houses; ask the hotline"))
        )
    return [(translate("Area"), facts.area), (translate("Streets"), streets)]


def _customers(facts: PaperFacts) -> str:
    translate = translations(facts.language).gettext
    if facts.customers is None:
        return translate("fewer than 10")
    return translate("about %(number)d") % {"number": facts.customers}


def _numbered(facts: PaperFacts) -> str:
    return translations(facts.language).gettext("%(reference)s, revision %(revision)d") % {
        "reference": facts.reference,
        "revision": facts.revision,
    }


def _big(facts: PaperFacts) -> tuple[str, ...]:
    """Day and from-to in large type; an outage over several days has a line for its beginning and its end."""
    words = Words(facts.language)
    if facts.start.date() == facts.end.date():
        return (words.date_long(facts.start), f"{facts.start:%H:%M} – {facts.end:%H:%M}")
    return (f"{words.instant_long(facts.start)} –", words.instant_long(facts.end))


def _clean(facts: PaperFacts) -> PaperFacts:
    """The same with every typed value on one line; ValueError for naive times."""
    for at in (facts.start, facts.end, facts.dated, facts.old_start, facts.old_end):
        if at is not None and at.tzinfo is None:
            raise ValueError("the times of a paper must be aware")
    return replace(
        facts,
        reference=one_line(facts.reference),
        utility=one_line(facts.utility),
        reason=one_line(facts.reason).rstrip(".。;； "),
        area=one_line(facts.area),
        line=one_line(facts.line),
        hotline=one_line(facts.hotline),
        streets=tuple(one_line(one) for one in facts.streets if one_line(one)),
    )
