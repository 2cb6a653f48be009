"""What everybody sees: map and list of outages, a page for each, and the server's own state.

Every page is made from the published version that is at hand (`public_shelf`), so that map, list
and data never differ, and all of them stay up while the database is down.
"""

from __future__ import annotations

import io
from typing import Any

import segno
from flask import Blueprint, Response, abort, jsonify, make_response, render_template, request
from sqlalchemy.exc import SQLAlchemyError

from outage_notify.services import publish_keys, publish_map, service_places
from outage_notify.services.public_filter import View, When
from outage_notify.services.public_words import LANGUAGES
from outage_notify.web import base_map
from outage_notify.web.context import runtime
from outage_notify.web.open_data import address
from outage_notify.web.public_cache import shelf
from outage_notify.web.security import content_security_policy

pages = Blueprint("public", __name__)

# Outages on one page of the list; the map draws them all.
PER_PAGE = 100


def _shown() -> dict[str, Any]:
    """What the templates of map, list and embedded map need."""
    held = shelf().current()
    view = View.of(request.args)
    listed = view.applied(held.listed, held.checked, runtime().zone)
    number = max(1, request.args.get("page", 1, type=int))
    last = max(1, -(-len(listed.outages) // PER_PAGE))
    number = min(number, last)
    return {
        "held": held,
        "view": view,
        "whens": list(When),
        "listed": listed,
        "outages": listed.outages[(number - 1) * PER_PAGE : number * PER_PAGE],
        "references": None if view.everything else [one.reference for one in listed.outages],
        "number": number,
        "last": last,
        "source": address("outages.geojson"),
        "chosen": {name: value for name, value in request.args.items() if name in _VIEW and value},
    }


_VIEW = ("when", "date", "phase")


@pages.get("/")
def map_page() -> str:
    return render_template("public/map.html", **_shown())


@pages.get("/outages")
def list_page() -> str:
    return render_template("public/list.html", **_shown())


@pages.get("/service-points")
def service_points() -> str:
    """Where to go while supply is off; straight from the database, because a dark hall must not be named as help."""
    try:
        return render_template("public/service_points.html", places=service_places.shown(runtime()))
    except SQLAlchemyError:
        abort(503)


@pages.get("/embed")
def embed() -> Response:
    """The map for a frame in somebody else's page: no navigation, links open outside."""
    response = make_response(render_template("public/embed.html", **_shown()))
    policy = content_security_policy(base_map.sources(runtime().settings)).replace(
        "frame-ancestors 'none'", "frame-ancestors *"
    )
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@pages.get("/outages/<reference>")
def outage_page(reference: str) -> str:
    held = shelf().current()
    outage = held.listed.find(reference)
    as_of = held.checked
    if outage is None:
        # It ended long ago; only the database still knows it.
        try:
            as_of, outage = publish_map.public_outage(runtime(), reference)
        except SQLAlchemyError:
            abort(503)
    current = held.listed.find(reference) is not None
    return render_template(
        "public/outage.html",
        held=held,
        as_of=as_of,
        outage=outage,
        current=current,
        source=address(f"outages/{reference}.geojson") if current else "",
        languages=LANGUAGES,
    )


@pages.get("/outages/<reference>.svg")
def qr(reference: str) -> Response:
    """The address of an outage's page as a QR code, for a poster at the door."""
    if shelf().current().listed.find(reference) is None:
        abort(404)
    out = io.BytesIO()
    base = runtime().settings.base_url
    segno.make(f"{base}/outages/{reference}", error="m").save(
        out, kind="svg", scale=4, border=4, light="#fff"
    )
    return Response(out.getvalue(), mimetype="image/svg+xml")


@pages.get("/.well-known/jwks.json")
def jwks() -> Response:
    response = jsonify(publish_keys.verification_keys(runtime()))
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@pages.get("/healthz")
def healthz() -> Response:
    """200 while the database answers. Says nothing else: it is for machines and open to all."""
    try:
        with runtime().database.read() as session:
            runtime().now(session)
    except SQLAlchemyError:
        answer = Response('{"ok": false, "database": false}\n', 503, mimetype="application/json")
    else:
        answer = Response('{"ok": true, "database": true}\n', mimetype="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer
