"""Is my place affected? The question and its answer, as a page."""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template, request
from sqlalchemy.exc import SQLAlchemyError

from outage_notify.domain.errors import InvalidInput
from outage_notify.services.check_place import HOUSES_A_DAY, check_place
from outage_notify.web.context import runtime
from outage_notify.web.place_limits import CHECK_LIMIT, client, may_ask
from outage_notify.web.public import pages
from outage_notify.web.public_cache import shelf
from outage_notify.web.security import csrf, limiter

__all__ = ["pages"]


def _page(status: int = 200, **more: Any) -> Any:
    body = render_template("public/affected.html", held=shelf().current(), houses=HOUSES_A_DAY, **more)
    response = make_response(body, status)
    # "Where I am" asks the browser; no other page may.
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(self)"
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.get("/affected")
def affected_page() -> Any:
    return _page(answer=None, place="")


@pages.post("/affected")
@csrf.exempt
@limiter.limit(CHECK_LIMIT, key_func=client)
def affected() -> Any:
    """A question, not a change: asked by POST so that no address of a home stands in a log or a history."""
    place = request.form.get("place", "")[:200]
    try:
        answer = check_place(runtime(), shelf().current().listed, place, may_ask)
    except InvalidInput as error:
        return _page(422, answer=None, place=place, error=error)
    except SQLAlchemyError:
        return _page(503, answer=None, place=place, away=True)
    return _page(answer=answer, place=place)
