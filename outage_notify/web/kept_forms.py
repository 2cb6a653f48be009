"""A form of the desk that was sent after the session had ended: what was typed is kept, and sent after signing in.

Promises: nothing that was typed is lost, and nothing is done before the person has seen it and sends it again, with a
fresh token. Kept is only what our own page sent by a press of a button (the browser says so itself), never a
password, never a file; it travels in the page, the server remembers nothing.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, make_response, render_template, request
from flask_login import current_user

PREFIX = "kept."
TO = "kept_to"
# Who signs in, and with what, is typed anew.
_NEVER = frozenset({"auth", "account", "users"})
_OURS = frozenset({"csrf_token", TO})
Fields = list[tuple[str, str]]


def worth_keeping() -> bool:
    """Whether this request is a form of ours, sent by a person: another site's page can't pretend to be."""
    sent = request.headers.get("Sec-Fetch-Site") == "same-origin"
    return (
        request.method == "POST"
        and sent
        and request.headers.get("Sec-Fetch-Mode") == "navigate"
        and request.path.startswith("/desk/")
        and request.blueprint not in _NEVER
    )


def ask_again() -> Response:
    """The page that holds what was typed: to be sent at once if somebody is signed in, else after signing in."""
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in _OURS]
    to = request.full_path.rstrip("?")
    if current_user.is_authenticated:
        return confirm(to, fields)
    return make_response(render_template("desk/sign_in.html", kept=_carried(to, fields)), 401)


def confirm(to: str, fields: Fields) -> Response:
    """What was typed, to be looked at and sent."""
    shown = [one for one in fields if one[1].strip() and one[0] not in {"version", "step", "purpose"}]
    return make_response(render_template("desk/kept.html", to=to, fields=fields, shown=shown))


def carried() -> Fields:
    """What a form for signing in carries along, to be carried on."""
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name.startswith(PREFIX) or name == TO
    ]


def come_back() -> Response | None:
    """For somebody who signed in elsewhere meanwhile (another tab): the page that sends what was kept in this one."""
    ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
    return (
        delivered() if ours and request.endpoint == "auth.sign_in" and current_user.is_authenticated else None
    )


def delivered() -> Response | None:
    """After signing in: the page that sends what was carried along; None if nothing was."""
    to = urlsplit(request.form.get(TO, ""))
    if to.scheme or to.netloc or not to.path.startswith("/desk/"):
        return None
    fields = [(name.removeprefix(PREFIX), value) for name, value in carried() if name.startswith(PREFIX)]
    return confirm(to.path + (f"?{to.query}" if to.query else ""), fields)


def _carried(to: str, fields: Fields) -> list[tuple[str, Any]]:
    return [(TO, to), *((PREFIX + name, value) for name, value in fields)]
