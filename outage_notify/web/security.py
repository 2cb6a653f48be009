"""Hardening: headers, limits, secrets, proxies.

Promises: no inline script or style runs, no page can be framed, personal pages are not
cached, links with tokens never leave in a Referer, a cookie of ours is never readable by
script, bodies are small, and guessing is slow. Leaves to others: who may call what
(`access`), whether a token is genuine (the routes that take one).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from outage_notify.services.runtime import Runtime
from outage_notify.web import base_map

LARGEST_BODY = 256 * 1024
# Routes that take a file, for signed-in people only.
LARGER_BODIES = {
    "imports.upload": 513 * 1024 * 1024,
    "visits.answer": 64 * 1024 * 1024,
    "customers.plan": 5 * 1024 * 1024,
    "tasks.paper": 7 * 1024 * 1024,
}
# Blueprints whose pages anybody may see and caches may keep for a moment.
OPEN_BLUEPRINTS = frozenset({"public", "open_data"})
# The last two are of RFC 5861: who comes while a page is made anew gets the one before, and so while it can't be made.
FOR_A_MOMENT = "public, max-age=30, stale-while-revalidate=60, stale-if-error=86400"

# Failed tries only are counted where a limit says so: honest people behind one address
# (a hospital, a mobile network) are many.
limiter = Limiter(get_remote_address, strategy="moving-window")
csrf = CSRFProtect()

# Of data, styles and scripts: where one is opened as a page, nothing in it runs or is fetched.
NO_PAGE = "default-src 'none'; frame-ancestors 'none'"

SIGN_IN_LIMIT = "20 per minute"
GUESS_LIMIT = "30 per minute; 300 per day"
SIGN_LIMIT = "60 per minute"
WEBHOOK_LIMIT = "1200 per second"


def content_security_policy(images: Iterable[str] = ()) -> str:
    """`images`: origins that pictures may come from beside our own. Nothing else comes from elsewhere."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(("img-src 'self' data:", *images)),
            "connect-src 'self'",
            "font-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def failed(response: Response) -> bool:
    """Whether an answer counts against a limit on guessing."""
    return response.status_code in {400, 401, 403, 404}


def harden(app: Flask, rt: Runtime) -> None:
    """Set everything that protects the application and the people behind its pages."""
    settings = rt.settings
    https = urlsplit(settings.base_url).scheme == "https"
    app.config.update(
        SECRET_KEY=rt.signing_key.derive("session"),
        SECRET_KEY_FALLBACKS=list(rt.signing_key.derive_all("session")[1:]),
        SESSION_COOKIE_NAME="__Host-session" if https else "session",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY,
        MAX_FORM_PARTS=200,
        # A form may stay open for a shift: its token lives as long as the session. No Referer
        # ever arrives (see below), so it can't be asked for either.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        RATELIMIT_STORAGE_URI=_limit_storage(settings.broker_url),
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=settings.broker_url.startswith("redis"),
        RATELIMIT_KEY_PREFIX="outage-notify",
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]

    # Before the form is read for its token, which is done next.
    @app.before_request
    def larger_body() -> None:
        if request.endpoint in LARGER_BODIES:
            request.max_content_length = LARGER_BODIES[request.endpoint]

    csrf.init_app(app)
    limiter.init_app(app)
    app.jinja_env.globals["style_mark"] = _static_mark(Path(app.static_folder or ""))

    fixed = fixed_headers(https, base_map.sources(settings))
    app.jinja_env.globals["base_map"] = base_map.told(settings)

    @app.after_request
    def headers(response: Response) -> Response:
        _add_headers(response, fixed)
        return response


def exempt_from_csrf(app: Flask, blueprint: Blueprint) -> None:
    """For routes that other machines post to; they carry a signature instead."""
    app.extensions["csrf"].exempt(blueprint)


def _static_mark(folder: Path) -> str:
    """Changes with our own static files, so that a browser may keep them for a year."""
    found = sha256()
    for path in sorted(folder.glob("*.*")):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def _limit_storage(broker_url: str) -> str:
    """Limits are shared between processes where a Redis is at hand."""
    return broker_url if broker_url.startswith(("redis://", "rediss://")) else "memory://"


def fixed_headers(https: bool, images: Iterable[str] = ()) -> dict[str, str]:
    """What every answer says, whoever asks for whatever."""
    fixed = {
        "Content-Security-Policy": content_security_policy(images),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if https:
        fixed["Strict-Transport-Security"] = "max-age=31536000"
    return fixed


def _add_headers(response: Response, fixed: Mapping[str, str]) -> None:
    # The page that is meant to be embedded says so itself; the old header knows no such exception.
    if request.endpoint == "static":
        response.headers["Content-Security-Policy"] = NO_PAGE
    framed = "frame-ancestors *" in response.headers.get("Content-Security-Policy", "")
    for name, value in fixed.items():
        if not (framed and name == "X-Frame-Options"):
            response.headers.setdefault(name, value)
    if "Cache-Control" in response.headers:
        return
    if request.blueprint in OPEN_BLUEPRINTS and response.status_code == 200 and request.method == "GET":
        response.headers["Cache-Control"] = FOR_A_MOMENT
        response.vary.update(("Accept-Language", "Cookie"))
    else:
        response.headers["Cache-Control"] = "no-store"
