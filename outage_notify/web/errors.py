"""Refusals and mishaps as pages: what happened, and what to do next, in the reader's language.

A clear refusal of a service (`OutageNotifyError`) keeps its own words and remedy under a
translated heading. A defect shows a number that stands in the log as well; the log line
names the kind of error and where, never the address called or what was typed. A machine at the
JSON interface gets a problem (`problems`) in place of a page, also where no route answers it.
"""

from __future__ import annotations

import secrets
from typing import Any

import structlog
from flask import Flask, Response, flash, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from outage_notify.domain import errors as domain
from outage_notify.log_lines import places
from outage_notify.web import kept_forms, problems

log = structlog.get_logger(__name__)

STATUS: dict[type[domain.OutageNotifyError], int] = {
    domain.NotFound: 404,
    domain.NotPermitted: 403,
    domain.Conflict: 409,
    domain.IllegalMove: 409,
    domain.Blocked: 409,
    domain.InvalidInput: 422,
    domain.TooLate: 422,
    domain.SettingsError: 503,
}
HEADINGS = {
    domain.NotFound: _l("There is no such thing"),
    domain.NotPermitted: _l("You may not do this"),
    domain.Conflict: _l("Somebody else changed it in the meantime"),
    domain.IllegalMove: _l("This step is not possible now"),
    domain.Blocked: _l("Something stands in the way"),
    domain.InvalidInput: _l("Something in the form can't be taken"),
    domain.TooLate: _l("Too late for the notice that the law asks for"),
    domain.SettingsError: _l("A setting is missing"),
}
EXPLAINED = {
    400: (_l("This form can't be taken"), _l("Go back, load the page again and send it once more.")),
    403: (_l("You may not see this page"), _l("Sign in with an account that has the role for it.")),
    404: (
        _l("There is nothing at this address"),
        _l("Check the address, or start from the list of outages."),
    ),
    405: (_l("This address takes another kind of request"), _l("Go back and use the buttons of the page.")),
    413: (_l("That was too large"), _l("Send less at once.")),
    429: (_l("Too many requests"), _l("Wait a minute, then try again.")),
    500: (
        _l("Something went wrong on our side"),
        _l(
            "Look whether your last step took effect, then try again. If it happens once more, report this number."
        ),
    ),
    503: (_l("Not available at the moment"), _l("Try again in a minute.")),
}


def heading(error: domain.OutageNotifyError) -> str:
    """The translated heading above the error's own words."""
    found = next((text for kind, text in HEADINGS.items() if isinstance(error, kind)), None)
    return str(found) if found is not None else _("This could not be done")


def status_of(error: domain.OutageNotifyError) -> int:
    return next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)


def flash_refusal(error: domain.OutageNotifyError) -> None:
    """Show a refusal on the next page, in three lines: heading, message, remedy."""
    flash(
        "\n".join(" ".join(part.split()) for part in (heading(error), error.message, error.remedy)), "refusal"
    )


def page(code: int, title: str, message: str, remedy: str = "", incident: str = "") -> Response:
    body = render_template(
        "error.html", code=code, title=title, message=message, remedy=remedy, incident=incident
    )
    return make_response(body, code)


def register(app: Flask) -> None:
    app.register_error_handler(domain.OutageNotifyError, _refused)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _defect)


def _refused(error: domain.OutageNotifyError) -> Response:
    if problems.for_machine():
        return problems.problem(status_of(error), type(error).__name__, str(error))
    return page(status_of(error), heading(error), error.message, error.remedy)


def _stale_form(error: CSRFError) -> Response:
    if kept_forms.worth_keeping():
        return kept_forms.ask_again()
    # A token of the session before; nothing is done but to show what was kept.
    if came_back := kept_forms.come_back():
        return came_back
    return page(
        400,
        _("This form is too old or came from somewhere else"),
        _("Nothing was changed."),
        _("Go back, load the page again and send it once more. Cookies must be allowed for this site."),
    )


def _http(error: HTTPException) -> Any:
    if error.response is not None or error.code is None or error.code < 400:
        return error
    if problems.for_machine():
        return problems.of_http(error)
    title, remedy = EXPLAINED.get(error.code, EXPLAINED[400])
    if error.code == 413 and request.max_content_length:
        # What this very address takes: some take files.
        remedy = _("Send less at once: at most %(size)s fit here.", size=_size(request.max_content_length))
    response = page(error.code, str(title), "", str(remedy))
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _size(length: int) -> str:
    return f"{length >> 20} MB" if length >= 1 << 20 else f"{length >> 10} kB"


def note_defect(error: Exception) -> str:
    """Log a defect: its kind and where, no values. The number under which it stands in the log."""
    incident = secrets.token_hex(4)
    log.error(
        "request failed",
        incident=incident,
        endpoint=request.endpoint,
        method=request.method,
        error=type(error).__name__,
        where=places(error.__traceback__),
    )
    return incident


def _defect(error: Exception) -> Response:
    incident = note_defect(error)
    if problems.for_machine():
        said = f"A defect of the program; incident {incident}."
        return problems.problem(500, "Internal Server Error", said)
    title, remedy = EXPLAINED[500]
    return page(500, str(title), "", str(remedy), incident)
