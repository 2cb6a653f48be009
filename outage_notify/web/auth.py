"""Signing in and out of the desk.

Promises: the answer to a wrong name and to a wrong password is the same; after signing in
the session is a fresh one; where to go next is always a page of ours.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import AnonymousUserMixin, LoginManager, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from outage_notify.domain.errors import NotPermitted
from outage_notify.services import signed_in, users
from outage_notify.store.user_tables import Role, User
from outage_notify.web.context import runtime
from outage_notify.web.security import SIGN_IN_LIMIT, limiter

pages = Blueprint("auth", __name__, url_prefix="/desk")
login_manager = LoginManager()
login_manager.login_view = "auth.sign_in"
login_manager.login_message = None
login_manager.session_protection = None  # addresses of phones change in the middle of a shift


class Person:
    """A user as Flask-Login wants it."""

    is_authenticated = True
    is_anonymous = False

    def __init__(self, user: User) -> None:
        self.username = user.username
        self.name = user.name
        self.is_active = user.active
        self._user = user

    def get_id(self) -> str:
        return signed_in.session_id(self._user)

    def may(self, role: Role) -> bool:
        return self._user.may(role)


class Stranger(AnonymousUserMixin):
    """Nobody in particular: may nothing."""

    username = ""
    name = ""

    def may(self, role: Role) -> bool:
        return False


login_manager.anonymous_user = Stranger


def sign_people_in(app: Flask) -> None:
    # No context processor of its own: public pages must not look at the session.
    login_manager.init_app(app, add_context_processor=False)
    app.jinja_env.globals["current_user"] = current_user

    @login_manager.user_loader
    def load(identifier: str) -> Person | None:
        user = signed_in.user_of(runtime(), identifier)
        return Person(user) if user else None

    app.jinja_env.globals["Role"] = Role


@pages.route("/sign-in", methods=["GET", "POST"])
@limiter.limit(SIGN_IN_LIMIT, methods=["POST"])
def sign_in() -> Any:
    if request.method == "GET":
        if current_user.is_authenticated:
            return redirect(url_for("board.page"))
        return render_template("desk/sign_in.html")
    name, error = request.form.get("username", "").strip(), None
    try:
        checked = users.check_password(runtime(), name, request.form.get("password", ""))
    except NotPermitted as refusal:
        checked, error = None, refusal
    if checked is None:
        return render_template("desk/sign_in.html", failed=True, error=error, username=name), 401
    session.clear()
    session.permanent = True
    login_user(Person(signed_in.user_with_id(runtime(), checked.id)))
    return redirect(_next_page())


@pages.post("/sign-out")
def sign_out() -> Response:
    logout_user()
    session.clear()
    flash(_("You are signed out."))
    return redirect(url_for("auth.sign_in"))


def _next_page() -> str:
    """The page that was asked for before signing in, if it is one of the desk's."""
    wanted = urlsplit(request.args.get("next", ""))
    if not wanted.scheme and not wanted.netloc and wanted.path.startswith("/desk"):
        return wanted.path + (f"?{wanted.query}" if wanted.query else "")
    return url_for("board.page")
