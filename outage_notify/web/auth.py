"""Signing in and out of the desk.

Promises: the answer to a wrong name and to a wrong password is the same; after signing in
the session is a fresh one; where to go next is always a page of ours.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import AnonymousUserMixin, LoginManager, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from outage_notify.domain.errors import NotPermitted
from outage_notify.services import second_factor, signed_in, users
from outage_notify.store.user_tables import Role
from outage_notify.web import kept_forms
from outage_notify.web.context import runtime
from outage_notify.web.security import SIGN_IN_LIMIT, limiter

pages = Blueprint("auth", __name__, url_prefix="/desk")
login_manager = LoginManager()
login_manager.login_view = "auth.sign_in"
login_manager.login_message = None
# The session of somebody whose password was right and whose code is still to come.
_HALF_IN, _HALF_IN_SECONDS = "half_in", 300
# How somebody came in, where it was not by a password of ours.
_VIA, BY_PROVIDER = "via", "provider"
login_manager.session_protection = None  # addresses of phones change in the middle of a shift


class Person:
    """A user as Flask-Login wants it."""

    is_authenticated = True
    is_anonymous = False

    def __init__(self, identifier: str, here: signed_in.Here) -> None:
        self.id = here.user.id
        self.username = here.user.username
        self.name = here.user.name
        self.is_active = here.user.active
        # Of no concern to somebody who signs in without it.
        self.must_change_password = here.user.must_change_password and session.get(_VIA) != BY_PROVIDER
        self.here = here
        self._identifier = identifier

    def get_id(self) -> str:
        return self._identifier

    def may(self, role: Role) -> bool:
        return self.here.user.may(role)


class Stranger(AnonymousUserMixin):
    """Nobody in particular: may nothing."""

    id = 0
    username = ""
    name = ""
    must_change_password = False

    def may(self, role: Role) -> bool:
        return False


login_manager.anonymous_user = Stranger


def sign_people_in(app: Flask) -> None:
    # No context processor of its own: public pages must not look at the session.
    login_manager.init_app(app, add_context_processor=False)
    app.jinja_env.globals["current_user"] = current_user

    @login_manager.user_loader
    def load(identifier: str) -> Person | None:
        here = signed_in.find(runtime(), identifier)
        return Person(identifier, here) if here else None

    app.jinja_env.globals["Role"] = Role

    @app.context_processor
    def ways() -> dict[str, Any]:
        settings = runtime().settings
        return {
            "by_password": settings.password_sign_in,
            "by_provider": bool(settings.oidc_issuer),
            "provider_name": settings.oidc_name,
        }


@pages.route("/sign-in", methods=["GET", "POST"])
@limiter.limit(SIGN_IN_LIMIT, methods=["POST"])
def sign_in() -> Any:
    if request.method == "GET":
        if current_user.is_authenticated:
            return redirect(url_for("board.page"))
        return render_template("desk/sign_in.html")
    if came_back := kept_forms.come_back():
        return came_back
    if not runtime().settings.password_sign_in:
        abort(403)
    name, error = request.form.get("username", "").strip(), None
    try:
        checked = users.check_password(runtime(), name, request.form.get("password", ""))
    except NotPermitted as refusal:
        checked, error = None, refusal
    if checked is None:
        return render_template(
            "desk/sign_in.html", failed=True, error=error, username=name, kept=kept_forms.carried()
        ), 401
    if second_factor.is_on(runtime(), checked.id):
        half_in(checked.id)
        if kept := kept_forms.carried():
            return render_template("desk/sign_in_code.html", kept=kept)
        return redirect(url_for(".second", next=request.args.get("next")))
    return enter(checked.id)


@pages.route("/sign-in/code", methods=["GET", "POST"])
@limiter.limit(SIGN_IN_LIMIT, methods=["POST"])
def second() -> Any:
    """The code that the phone shows, after the password was right."""
    half = session.get(_HALF_IN)
    if half is None or not 0 <= seconds() - half["at"] <= _HALF_IN_SECONDS:
        return redirect(url_for(".sign_in", next=request.args.get("next")))
    if request.method == "GET":
        return render_template("desk/sign_in_code.html")
    error = None
    try:
        right = second_factor.check(runtime(), half["user"], request.form.get("code", "")[:40])
    except NotPermitted as refusal:
        right, error = False, refusal
    if not right:
        return render_template(
            "desk/sign_in_code.html", failed=True, error=error, kept=kept_forms.carried()
        ), 401
    return enter(half["user"], half.get(_VIA, ""))


def half_in(user_id: int, via: str = "") -> None:
    """The first of two proofs is given; nothing else is left of the session before."""
    session.clear()
    session[_HALF_IN] = {"user": user_id, "at": int(seconds()), _VIA: via}


def enter(user_id: int, via: str = "", wanted: str | None = None) -> Response:
    """A fresh session for somebody who proved who it is, and on to the page that was asked for."""
    identifier = signed_in.begin(runtime(), user_id, request.user_agent.string)
    here = signed_in.find(runtime(), identifier)
    if here is None:  # put out of use in the meantime
        return redirect(url_for("auth.sign_in"))
    session.clear()
    session.permanent = True
    if via:
        session[_VIA] = via
    login_user(Person(identifier, here))
    return kept_forms.delivered() or redirect(_next_page(wanted))


@pages.post("/sign-out")
def sign_out() -> Response:
    signed_in.leave(runtime(), current_user.here)
    logout_user()
    session.clear()
    flash(_("You are signed out."))
    return redirect(url_for("auth.sign_in"))


def seconds() -> float:
    """Now, in seconds, by the clock that all processes share."""
    rt = runtime()
    with rt.database.read() as found:
        return rt.now(found).timestamp()


def _next_page(asked: str | None) -> str:
    """The page that was asked for before signing in, if it is one of the desk's."""
    wanted = urlsplit(asked or request.args.get("next", ""))
    if not wanted.scheme and not wanted.netloc and wanted.path.startswith("/desk"):
        return wanted.path + (f"?{wanted.query}" if wanted.query else "")
    return url_for("board.page")
