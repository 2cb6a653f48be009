"""What everybody sees to for oneself: the password, where one is signed in, and the second factor."""

from __future__ import annotations

from typing import Any

import segno
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, logout_user

from outage_notify.domain.errors import OutageNotifyError
from outage_notify.services import manage_users, second_factor, signed_in
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal, status_of
from outage_notify.web.security import SIGN_IN_LIMIT, limiter

pages = Blueprint("account", __name__, url_prefix="/desk/account")
_ENROLLING = "enrolling"


@pages.get("")
def page() -> str:
    return _page()


def _page(error: OutageNotifyError | None = None) -> str:
    rt = runtime()
    return render_template(
        "desk/account.html",
        error=error,
        sessions=signed_in.listing(rt, current_user.id),
        here=current_user.here.session,
        second=second_factor.is_on(rt, current_user.id),
        codes_left=second_factor.codes_left(rt, current_user.id),
    )


@pages.post("/password")
@limiter.limit(SIGN_IN_LIMIT)
def change_password() -> Any:
    form = request.form
    try:
        manage_users.change_password(
            runtime(), current_user.id, form.get("old", ""), form.get("new", ""), form.get("again", "")
        )
    except OutageNotifyError as error:
        return _page(error), status_of(error)
    logout_user()
    session.clear()
    flash(_("The password is changed. Sign in with the new one."))
    return redirect(url_for("auth.sign_in"), 303)


@pages.post("/sessions/<int:session_id>/end")
def end_session(session_id: int) -> Any:
    signed_in.end(runtime(), by(), current_user.id, session_id)
    flash(_("Signed out there."))
    return redirect(url_for(".page"), 303)


@pages.post("/sessions/end")
def end_others() -> Any:
    signed_in.end_others(runtime(), by(), current_user.id, but=current_user.here.session)
    flash(_("Signed out everywhere else."))
    return redirect(url_for(".page"), 303)


@pages.get("/second-factor", endpoint="second_factor")
def second_factor_page() -> str:
    # The secret stays the same while the page is loaded again, or the phone would hold a stale one.
    secret = session.setdefault(_ENROLLING, second_factor.new_secret())
    return _enrol(secret)


def _enrol(secret: str, error: OutageNotifyError | None = None) -> str:
    address = second_factor.address(runtime(), current_user.username, secret)
    return render_template(
        "desk/second_factor.html",
        error=error,
        secret=secret,
        picture=segno.make(address, error="m").svg_data_uri(scale=5, border=3, light="#fff"),
    )


@pages.post("/second-factor")
@limiter.limit(SIGN_IN_LIMIT)
def second_factor_on() -> Any:
    secret = session.get(_ENROLLING)
    if secret is None:
        return redirect(url_for(".second_factor"), 303)
    try:
        codes = second_factor.switch_on(runtime(), current_user.id, secret, request.form.get("code", "")[:40])
    except OutageNotifyError as error:
        return _enrol(secret, error), status_of(error)
    session.pop(_ENROLLING, None)
    return render_template("desk/second_factor.html", codes=codes)


@pages.post("/second-factor/off")
@limiter.limit(SIGN_IN_LIMIT)
def second_factor_off() -> Any:
    try:
        second_factor.switch_off(runtime(), current_user.id, request.form.get("password", ""))
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        flash(_("From now on the password alone is asked for."))
    return redirect(url_for(".page"), 303)
