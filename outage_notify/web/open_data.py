"""The open data: finished documents with an address each, and the page that explains them."""

from __future__ import annotations

from flask import Blueprint, Response, abort, jsonify, render_template, request, url_for
from sqlalchemy.exc import SQLAlchemyError

from outage_notify.services import push_events, service_places
from outage_notify.services.public_facts import slug
from outage_notify.web.context import runtime
from outage_notify.web.public_cache import shelf
from outage_notify.web.security import NO_PAGE, limiter

pages = Blueprint("open_data", __name__)

MOST_EVENTS = 500
LAST_EVENT = 2**62
# While it may have changed, and once the address names the version.
FOR_NOW = "public, max-age=30, stale-while-revalidate=300, stale-if-error=86400"
FOR_EVER = "public, max-age=31536000, immutable"


@pages.get("/open-data")
def page() -> str:
    held = shelf().current()
    example = held.listed.outages[0] if held.listed.outages else None
    return render_template(
        "public/open_data.html",
        held=held,
        example=example,
        public_base=runtime().settings.base_url,
        slug=slug,
    )


@pages.get("/open-data/v1/events")
@limiter.limit("120 per minute")
def events() -> Response:
    """What became public after an event, in order: what webhooks are pushed, for whoever missed a push."""
    after = max(0, request.args.get("after", 0, type=int))
    limit = min(MOST_EVENTS, max(1, request.args.get("limit", MOST_EVENTS, type=int)))
    try:
        told = push_events.listed(runtime(), min(after, LAST_EVENT), limit)
    except SQLAlchemyError:
        abort(503)
    response = jsonify(
        {"events": told, "next": told[-1]["sequence"] if told else after, "more": len(told) == limit}
    )
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.get("/open-data/v1/service-points.geojson")
def service_points() -> Response:
    """Halls, charging, water points, warm rooms, and whether they have supply themselves."""
    try:
        found = service_places.as_geojson(service_places.shown(runtime()))
    except SQLAlchemyError:
        abort(503)
    response = jsonify(found)
    response.mimetype = "application/geo+json"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    # What is kept by version would miss an import.
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.get("/open-data/v1/<path:name>")
def document(name: str) -> Response:
    """A document: packed, with its version, for everybody's scripts."""
    found = shelf().get(name)
    if found is None:
        abort(404)
    response = Response(found.packed, mimetype=None)
    response.headers["Content-Type"] = found.content_type
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.set_etag(found.etag)
    version = shelf().current().version
    response.headers["Cache-Control"] = FOR_EVER if request.args.get("v") == version else FOR_NOW
    response.headers["Content-Security-Policy"] = NO_PAGE
    response.headers["Content-Disposition"] = f'inline; filename="{name.rpartition("/")[2]}"'
    return response


@pages.get("/outages.geojson", defaults={"reference": ""})
@pages.get("/outages/<reference>.geojson")
def geojson(reference: str) -> Response:
    """The same data at a short address."""
    return document(f"outages/{reference}.geojson" if reference else "outages.geojson")


def address(name: str) -> str:
    """Where a document of the present version lies, for ever."""
    return url_for("open_data.document", name=name, v=shelf().current().version)
