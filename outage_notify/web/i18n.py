"""Languages and local times of the pages: Chinese and English as equals.

The browser's wish decides (`zh-CN`, `zh-Hans`, `zh-TW` all find Chinese), a cookie set by
the switch overrides it. Times are always shown in the zone of the network, never in that
of the reader's device, and say so.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from flask import Flask, Response, has_request_context, request
from flask_babel import Babel, get_locale
from markupsafe import Markup, escape
from werkzeug.datastructures import LanguageAccept

from channels.model import Language
from outage_notify.services.runtime import Runtime

COOKIE = "language"
# `?lang=zh-CN` on any page: an address of its own, so that no other one (with a token in it) has to be passed on.
SWITCH = "lang"
LOCALES = {Language.ZH.value: "zh_CN", Language.EN.value: "en"}
# "zh" takes every other Chinese; the negotiation falls back from zh_Hant_TW to it.
_OFFERED = ("zh_CN", "zh", "en")
_DATE = {"zh_CN": "y年M月d日 EEE", "en": "EEE d MMM y"}
_SHORT_DATE = {"zh_CN": "M月d日 EEE", "en": "EEE d MMM"}


def negotiate(wishes: LanguageAccept, *chosen: str | None) -> str:
    """The locale for a reader: the first of `chosen` that we speak (the switch, the cookie), else the
    best of the browser's wishes, else English."""
    for choice in chosen:
        if choice in LOCALES:
            return LOCALES[choice]
    preferred = [value.replace("-", "_") for value, quality in wishes if quality > 0]
    found = Locale.negotiate(preferred, _OFFERED)
    return "zh_CN" if found is not None and found.language == "zh" else "en"


def locale_name() -> str:
    """`zh_CN` or `en`: the language of this request. (Babel itself says zh_Hans_CN, and looks for
    the catalogue under that name.)"""
    locale = get_locale() if has_request_context() else None
    return "zh_CN" if locale is not None and locale.language == "zh" else "en"


def language() -> Language:
    """The same as the rest of the product names it."""
    return Language.ZH if locale_name() == "zh_CN" else Language.EN


def instant_of(value: datetime | str) -> datetime:
    """Views carry times as ISO 8601 text; pages take both."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def moment(value: datetime | str | None, zone: ZoneInfo, short: bool = False) -> Markup:
    """A `<time>` element: date, weekday and clock in `zone`; an empty one for None."""
    if value is None or value == "":
        return Markup("")
    local = instant_of(value).astimezone(zone)
    text = f"{_day(local, short)} {_clock(local)}"
    return Markup('<time datetime="{}">{}</time>').format(local.isoformat(timespec="minutes"), text)


def window(start: datetime | str, end: datetime | str, zone: ZoneInfo, short: bool = False) -> Markup:
    """From-to as people write it: the date once where both fall on it."""
    begin, finish = instant_of(start).astimezone(zone), instant_of(end).astimezone(zone)
    until = _clock(finish) if begin.date() == finish.date() else f"{_day(finish, short)} {_clock(finish)}"
    return Markup('<time datetime="{}">{} {}</time>–<time datetime="{}">{}</time>').format(
        begin.isoformat(timespec="minutes"),
        _day(begin, short),
        _clock(begin),
        finish.isoformat(timespec="minutes"),
        until,
    )


def day_range(first: date, last: date) -> str:
    """A month by its name, any other span from day to day."""
    if first.day == 1 and (last + timedelta(days=1)).day == 1 and (last - first).days < 31:
        return format_date(first, {"zh_CN": "y年M月", "en": "MMMM y"}[locale_name()], locale=locale_name())
    return f"{format_date(first, _DATE[locale_name()], locale=locale_name())} – " + format_date(
        last, _DATE[locale_name()], locale=locale_name()
    )


def until(value: datetime | str, now: datetime) -> str:
    """How far off: "in 5 hours", "2 days ago", in the reader's language."""
    return format_timedelta(instant_of(value) - now, add_direction=True, threshold=1.5, locale=locale_name())


def offset(value: datetime | str, zone: ZoneInfo) -> str:
    """`UTC+08:00`, to be shown once beside local times."""
    text = instant_of(value).astimezone(zone).isoformat()[-6:]
    return f"UTC{text}"


def _day(local: datetime, short: bool) -> str:
    name = locale_name()
    return format_date(local.date(), (_SHORT_DATE if short else _DATE)[name], locale=name)


def _clock(local: datetime) -> str:
    return format_time(local.timetz().replace(tzinfo=None), "HH:mm", locale="en")


def speak(app: Flask, rt: Runtime) -> None:
    """Give the templates gettext, times in the network's zone, and the language of the page."""
    Babel(
        app,
        default_translation_directories="translations",
        locale_selector=lambda: negotiate(
            request.accept_languages, request.args.get(SWITCH), request.cookies.get(COOKIE)
        ),
    )
    zone = rt.zone
    app.jinja_env.filters.update(
        moment=lambda value, short=False, tz=None: moment(value, ZoneInfo(tz) if tz else zone, short),
        offset=lambda value, tz=None: offset(value, ZoneInfo(tz) if tz else zone),
        paragraphs=paragraphs,
        until=until,
        weekday=lambda day: format_date(day, "EEE", locale=locale_name()),
        day_range=day_range,
    )
    app.jinja_env.globals.update(
        window=lambda start, end, short=False, tz=None: window(
            start, end, ZoneInfo(tz) if tz else zone, short
        ),
    )

    @app.after_request
    def remember(response: Response) -> Response:
        chosen = request.args.get(SWITCH)
        if chosen in LOCALES:
            secure = bool(app.config["SESSION_COOKIE_SECURE"])
            response.set_cookie(
                COOKIE, chosen, max_age=31_536_000, secure=secure, httponly=True, samesite="Lax"
            )
        return response

    @app.context_processor
    def names() -> dict[str, object]:
        return {
            "language": language().value,
            "switches": _switches(),
            "utility": rt.settings.utility,
            "hotline": rt.settings.hotline,
            "zone_name": rt.settings.timezone,
        }


def _switches() -> list[tuple[str, str, str]]:
    """(language, its own name, query string of this same page in it)."""
    kept = (
        {name: value for name, value in request.args.items() if name != SWITCH}
        if request.method == "GET"
        else {}
    )
    return [
        (tag, name, "?" + urlencode({**kept, SWITCH: tag}))
        for tag, name in ((Language.ZH.value, "中文"), (Language.EN.value, "English"))
    ]


def paragraphs(text: str) -> Markup:
    """Plain text as paragraphs and line breaks; everything in it is escaped."""
    blocks = [block for block in text.strip().split("\n\n") if block.strip()]
    return Markup("").join(
        Markup("<p>{}</p>").format(Markup("<br>").join(escape(line) for line in block.splitlines()))
        for block in blocks
    )
