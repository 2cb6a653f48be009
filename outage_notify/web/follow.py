"""Keep me told: ask with an address, prove it with a code, leave with one tap.

An address is posted, never put into a URL; the answer is the same whoever asks. The link in each
message shows a page when it is opened (scanners open links) and unsubscribes by a POST alone, which
mail programs send by themselves (RFC 8058) and which therefore asks for no form's token.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy.exc import SQLAlchemyError

from channels.signing import BadToken
from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services import follow, links
from outage_notify.services.follow import Confirmed
from outage_notify.services.sent_messages import recognisable
from outage_notify.web.context import runtime
from outage_notify.web.i18n import language
from outage_notify.web.place_limits import client, may_ask
from outage_notify.web.public_cache import shelf
from outage_notify.web.security import GUESS_LIMIT, csrf, failed, limiter

pages = Blueprint("follow", __name__)

ASK_LIMIT = "20 per hour; 60 per day"
CODE_LIMIT = "40 per hour; 150 per day"
# What a form carries from one step to the next: which question the code belongs to.
STEP_LIFE = timedelta(minutes=30)


def _page(status: int = 200, **more: Any) -> Any:
    values: dict[str, Any] = dict.fromkeys(("token", "place", "reference", "address"), "")
    values |= more
    settings = runtime().settings
    values |= {
        "follow_days": f"{settings.follow_days:g}",
        "follow_place_days": f"{settings.follow_place_days:g}",
    }
    if values["reference"]:
        values["outage"] = shelf().current().listed.find(values["reference"])
    return render_template("public/follow.html", held=shelf().current(), **values), status


@pages.get("/follow")
def page() -> Any:
    reference = request.args.get("outage", "")[:40]
    if reference and shelf().current().listed.find(reference) is None:
        abort(404)
    return _page(reference=reference)


@pages.post("/follow")
@limiter.limit(ASK_LIMIT, key_func=client)
def ask() -> Any:
    rt, form = runtime(), request.form
    reference, place = form.get("outage", "")[:40], form.get("place", "")[:200]
    address = form.get("address", "")[:320]
    try:
        asked = follow.ask(
            rt,
            shelf().current().listed,
            address,
            language(),
            may_ask,
            reference=reference,
            place=place,
        )
        with rt.database.read() as session:
            token = rt.link_token(links.FOLLOW, asked, rt.now(session) + STEP_LIFE)
    except (InvalidInput, NotFound) as error:
        return _page(422, reference=reference, place=place, address=address, error=error)
    except SQLAlchemyError:
        return _page(503, reference=reference, place=place, address=address, away=True)
    return _page(token=token, reference=reference, place=place)


@pages.get("/follow/confirm")
def again() -> Any:
    """Where the switch of languages leads after the form: the code stays good, the form begins anew."""
    return redirect(url_for(".page"))


@pages.post("/follow/confirm")
@limiter.limit(CODE_LIMIT, key_func=client)
def confirm() -> Any:
    rt, form = runtime(), request.form
    token = form.get("token", "")
    reference, place = form.get("outage", "")[:40], form.get("place", "")[:200]
    try:
        asked = links.subject_of(rt, links.FOLLOW, token)
    except BadToken:
        return _page(422, reference=reference, place=place, confirmed=Confirmed.WRONG)
    confirmed = follow.confirm(rt, asked, form.get("code", "")[:20])
    status = 200 if confirmed is Confirmed.YES else 422
    return _page(status, token=token, reference=reference, place=place, confirmed=confirmed)


def _delivery(token: str) -> int:
    try:
        return links.subject_of(runtime(), links.UNFOLLOW, token)
    except BadToken:
        abort(404)


@pages.get("/u/<token>")
@limiter.limit(GUESS_LIMIT, deduct_when=failed)
def leaving(token: str) -> Any:
    """Shows, and changes nothing: scanners of mail open every link."""
    found = follow.leaving(runtime(), _delivery(token))
    to = recognisable(found.channel, found.address) if found else ""
    return render_template("public/unfollow.html", token=token, found=found, to=to, done=False)


@pages.post("/u/<token>")
@csrf.exempt
@limiter.limit(GUESS_LIMIT, deduct_when=failed)
def leave(token: str) -> Any:
    """The token in the address is what proves it; mail programs post here without having seen a form."""
    follow.leave(runtime(), _delivery(token))
    return render_template("public/unfollow.html", token=token, found=None, to="", done=True)
