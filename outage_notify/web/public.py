"""What everybody sees: map and list of outages, their data, and the server's own state."""

from __future__ import annotations

import json

from flask import Blueprint, Response, jsonify, render_template
from sqlalchemy.exc import SQLAlchemyError

from outage_notify.services import publish_keys, publish_map
from outage_notify.web.context import runtime

pages = Blueprint("public", __name__)


@pages.get("/")
def map_page() -> str:
    return render_template("public/map.html", listed=publish_map.public_list(runtime()))


@pages.get("/outages")
def list_page() -> str:
    return render_template("public/list.html", listed=publish_map.public_list(runtime()))


@pages.get("/outages/<reference>")
def outage_page(reference: str) -> str:
    as_of, outage = publish_map.public_outage(runtime(), reference)
    return render_template("public/outage.html", as_of=as_of, outage=outage)


@pages.get("/outages.geojson", defaults={"reference": ""})
@pages.get("/outages/<reference>.geojson")
def geojson(reference: str) -> Response:
    body = json.dumps(publish_map.public_geojson(runtime(), reference), ensure_ascii=False)
    response = Response(body, mimetype="application/geo+json")
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


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
