"""RFC 9457 problems: how every refusal and mishap under /api/ reads, whether or not a route answers there.

Promises: a machine that talks JSON never gets a page. Leaves the words to whoever refuses.
"""

from __future__ import annotations

import json

from flask import Response, request
from werkzeug.exceptions import HTTPException

MACHINES = "/api/"


def for_machine() -> bool:
    """Whether whoever asks is a machine at the JSON interface."""
    return request.path.startswith(MACHINES)


def problem(status: int, title: str, detail: str) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/problem+json")


def of_http(error: HTTPException) -> Response:
    """The problem of an error of HTTP itself, with the headers that belong to it."""
    answer = problem(error.code or 500, error.name, error.description or "")
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            answer.headers[name] = value
    return answer
