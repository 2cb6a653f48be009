"""The numbers of a period: figures, charts with their tables, and CSV."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from babel.dates import format_date
from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _

from outage_notify.domain.errors import InvalidInput, OutageNotifyError
from outage_notify.services import numbers
from outage_notify.services.numbers import Numbers
from outage_notify.web import charts, i18n
from outage_notify.web.charts import Bar
from outage_notify.web.context import runtime
from outage_notify.web.errors import status_of
from outage_notify.web.labels import word

pages = Blueprint("numbers", __name__, url_prefix="/desk")


@pages.get("/numbers")
def page() -> str | tuple[str, int]:
    first, last = _default()
    try:
        first, last = _period()
        found = numbers.numbers(runtime(), first, last)
    except OutageNotifyError as error:
        return render_template(
            "desk/numbers.html", error=error, first=first, last=last, presets=_presets()
        ), status_of(error)
    return render_template(
        "desk/numbers.html",
        found=found,
        first=first,
        last=last,
        presets=_presets(),
        goal=numbers.GOAL,
        percent=percent,
        notice_chart=_notice_chart(found),
        coverage_chart=_coverage_chart(found),
        months_chart=charts.columns(
            [(_month(one.first), one.minutes / 60, f"{one.minutes / 60:,.0f}") for one in found.months]
        ),
        month=_month,
    )


@pages.get("/numbers.csv")
def table() -> Response:
    first, last = _period()
    body = numbers.as_csv(numbers.numbers(runtime(), first, last))
    answer = Response("\ufeff" + body, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="outages-{first}-{last}.csv"'
    return answer


def percent(part: float, whole: float) -> str:
    """A share in per cent, rounded so that what is not whole never reads 100; a dash of nothing."""
    if not whole:
        return "–"
    share = 100 * part / whole
    text = f"{share:.1f}"
    if part < whole and text == "100.0":
        text = "99.9"
    return f"{text.removesuffix('.0')} %"


def _notice_chart(found: Numbers) -> str:
    return charts.shares(
        [
            Bar(
                word("tier", one.tier),
                [("done", one.in_time), ("wait", one.late), ("bad", one.untold)],
                percent(one.in_time, one.owed),
            )
            for one in found.classes
        ]
    )


def _coverage_chart(found: Numbers) -> str:
    return charts.shares(
        [
            Bar(
                word("tier", one.tier),
                [("plan", one.reachable), ("none", one.customers - one.reachable)],
                percent(one.reachable, one.customers),
            )
            for one in found.classes
        ],
        numbers.GOAL,
    )


def _month(first: date) -> str:
    return format_date(first, "yyyy-MM", locale=i18n.locale_name())


def _today() -> date:
    with runtime().database.read() as session:
        return runtime().now(session).astimezone(runtime().zone).date()


def _default() -> tuple[date, date]:
    """This year so far and what is planned of it."""
    today = _today()
    return date(today.year, 1, 1), date(today.year, 12, 31)


def _period() -> tuple[date, date]:
    first, last = _default()
    return _day("from", first), _day("to", last)


def _day(name: str, default: date) -> date:
    text = request.args.get(name, "")
    if not text:
        return default
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise InvalidInput(f"{name}: that is not a date.", "Write it as 2026-12-01.") from None


def _presets() -> list[tuple[str, str]]:
    """(label, address) of usual periods."""
    today = _today()
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    spans = [
        (_("This month"), month, (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)),
        (_("Last month"), before, month - timedelta(days=1)),
        (_("This year"), date(today.year, 1, 1), date(today.year, 12, 31)),
        (_("Last year"), date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    ]
    return [(name, f"{url_for('.page')}?from={low}&to={high}") for name, low, high in spans]
