"""Calendar feeds: a customer's own behind its secret, and the public ones by feeder, area and place.

Promises: a subscriber whose copy is the newest gets 304 and no body; HEAD is like GET; gzip where it is
taken; who tries secrets is slowed down, and hears the same for a wrong, an ended and a revoked one; no
secret is in a log line or in the answer.
"""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, abort, render_template, request
from flask_limiter.util import get_remote_address
from limits import RateLimitItem, parse_many

from channels.model import Language
from outage_notify.services import publish_area_calendar, publish_calendar
from outage_notify.services.feed_cache import Feed
from outage_notify.services.publish_area_calendar import By
from outage_notify.web import i18n
from outage_notify.web.context import runtime
from outage_notify.web.feed_lane import OF_CUSTOMER, answer
from outage_notify.web.security import GUESS_LIMIT, limiter

pages = Blueprint("feeds", __name__)
_SCOPE = "feeds"
_LIMITS: list[RateLimitItem] = parse_many(GUESS_LIMIT)


@pages.get("/feeds/<secret>.ics")
def customer(secret: str) -> Response:
    """A customer's feed. Secrets that open nothing are counted, and from a certain number on nothing that is not
    at hand (see `feed_lane`) is looked up for this address for a while."""
    guesser = get_remote_address()
    if not all(limiter.limiter.test(item, _SCOPE, guesser) for item in _LIMITS):
        return Response("Too many requests.\n", 429, mimetype="text/plain")
    found = publish_calendar.customer_feed(runtime(), secret)
    if found is None:
        for item in _LIMITS:
            limiter.limiter.hit(item, _SCOPE, guesser)
        return Response("There is no such calendar.\n", 404, mimetype="text/plain")
    return _answer(found, OF_CUSTOMER)


@pages.get("/calendar")
def page() -> str:
    feeders, areas = publish_area_calendar.choices(runtime())
    return render_template("public/calendar.html", feeders=feeders, areas=areas)


@pages.get("/calendar/all.ics", defaults={"by": "all", "name": ""})
@pages.get("/calendar/<by>/<name>.ics")
@limiter.limit("120 per minute")
def area(by: str, name: str) -> Response:
    """A public calendar; `?language=` chooses its language, since calendar programs name none."""
    if by not in set(By) or (by == By.ALL) != (not name):
        abort(404)
    found = publish_area_calendar.area_feed(runtime(), By(by), name, _language())
    return _answer(found, "public, max-age=300")


@pages.get("/calendar/address")
def address() -> Response:
    """From the form on the page to the address of a calendar, also without script."""
    by, name = request.args.get("by", ""), " ".join(request.args.get("name", "").split())
    if by not in {By.FEEDER, By.AREA, By.PLACE} or not name or "/" in name:
        abort(404)
    return Response(status=303, headers={"Location": public_address(by, name)})


@pages.app_template_global()
def public_address(by: str, name: str = "") -> str:
    """The whole address of a public calendar in the reader's language."""
    path = f"{by}/{quote(name, safe='')}" if name else by
    return f"{runtime().settings.base_url}/calendar/{path}.ics?language={i18n.language().value}"


def _language() -> Language:
    wanted = request.args.get("language", "")
    return Language(wanted) if wanted in set(Language) else i18n.language()


def _answer(feed: Feed, caching: str) -> Response:
    status, headers, body = answer(feed, caching, request.environ)
    response = Response(body, status, headers)
    if status.startswith("304"):
        del response.headers["Content-Type"]
    return response
