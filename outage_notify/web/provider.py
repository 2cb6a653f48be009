"""Signing in with the OpenID provider: off to it, and back.

Promises: who comes back is let in only with the state that this very browser was sent off with, once, within ten
minutes; several tabs may be under way; a refusal is a page of ours that says why in the reader's language. It is
begun by a link, since pages of ours may send forms to nobody else.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask_babel import lazy_gettext as _l

from channels.identity import Errand
from outage_notify.services import provider_sign_in, second_factor
from outage_notify.services.provider_sign_in import Refused
from outage_notify.web import auth
from outage_notify.web.context import runtime
from outage_notify.web.security import SIGN_IN_LIMIT, limiter

pages = Blueprint("provider", __name__, url_prefix="/desk/sign-in/provider")
_ERRANDS, _AT_ONCE, _SECONDS = "errands", 4, 600

WHY = {
    "away": _l("The provider can't be asked at the moment."),
    "refused": _l("The provider did not let you in."),
    "forged": _l("What came back from the provider does not hold."),
    "stale": _l("That took too long, or began in another browser."),
    "unnamed": _l("The provider does not say who you are here."),
    "unknown": _l("You are not a user here."),
    "other": _l("That name belongs to another account of the provider."),
    "off": _l("This user is out of use."),
    "roleless": _l("None of your groups has a role here."),
}


@pages.get("")
@limiter.limit(SIGN_IN_LIMIT)
def begin() -> Any:
    if runtime().provider is None:
        return redirect(url_for("auth.sign_in"))
    try:
        address, errand = provider_sign_in.send(runtime())
    except Refused as refusal:
        return refused(refusal)
    others = [one for one in session.get(_ERRANDS, []) if _fresh(one)]
    kept = [
        errand.state,
        errand.nonce,
        errand.verifier,
        request.args.get("next", "")[:500],
        int(auth.seconds()),
    ]
    session[_ERRANDS] = [*others, kept][-_AT_ONCE:]
    return redirect(address)


@pages.get("/back")
@limiter.limit(SIGN_IN_LIMIT)
def back() -> Any:
    """The provider sends the browser here. The state is used up whatever comes of it."""
    waiting = session.get(_ERRANDS, [])
    mine = next((one for one in waiting if one[0] == request.args.get("state")), None)
    if mine is None or not _fresh(mine):
        return refused(
            Refused("stale", "There is no sign-in under way that this belongs to.", "Sign in again.")
        )
    session[_ERRANDS] = [one for one in waiting if one is not mine]
    try:
        came = provider_sign_in.receive(runtime(), request.args.to_dict(), Errand(*mine[:3]))
    except Refused as refusal:
        return refused(refusal)
    wanted = mine[3] or None
    if not came.second_factor_seen and second_factor.is_on(runtime(), came.user.id):
        auth.half_in(came.user.id, auth.BY_PROVIDER)
        return redirect(url_for("auth.second", next=wanted))
    return auth.enter(came.user.id, auth.BY_PROVIDER, wanted)


def refused(refusal: Refused) -> Any:
    heading = WHY.get(refusal.why, WHY["refused"])
    page = render_template(
        "desk/sign_in.html", refusal=refusal, heading=heading, next=request.args.get("next")
    )
    return page, 503 if refusal.why == "away" else 403


def _fresh(errand: list[Any]) -> bool:
    return bool(0 <= auth.seconds() - errand[4] <= _SECONDS)
