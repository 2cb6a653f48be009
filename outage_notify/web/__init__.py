"""The web server: pages for dispatchers, customers and everybody, and the provider's webhooks.

`create_app` builds a Flask application around one Runtime. Routes parse a request, call
one service and render its answer; what they may not do is decided in `access`, how they
are hardened in `security`, in which language they speak in `i18n`.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

from outage_notify.services import report_intake
from outage_notify.services.runtime import Runtime
from outage_notify.web import (
    access,
    auth,
    errors,
    feed_lane,
    i18n,
    labels,
    public_cache,
    report_lane,
    security,
    webhooks,
)
from outage_notify.web.context import RUNTIME


class Number(IntegerConverter):
    """A number in an address that a database can hold; a larger one is the address of nothing."""

    def __init__(self, map: Map, **more: Any) -> None:
        super().__init__(map, **{"max": 2**63 - 1} | more)


def create_app(rt: Runtime) -> Flask:
    """A WSGI application that serves `rt`. Asks for the settings that pages and links need.

    Several may live in one process (tests do that); they share nothing but the database.
    """
    rt.settings.require("base_url", "timezone", "utility", "signing_key_file")
    _ = rt.provider  # what is wrong with its settings is said at the start
    app = Flask(__name__)
    app.extensions[RUNTIME] = rt
    app.url_map.converters["int"] = Number
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    security.harden(app, rt)
    i18n.speak(app, rt)
    auth.sign_people_in(app)
    labels.register(app)
    access.enforce(app)
    errors.register(app)
    _mount(app)
    https = rt.settings.base_url.startswith("https://")
    fixed = list(security.fixed_headers(https).items())
    app.wsgi_app = feed_lane.FeedLane(app.wsgi_app, rt, fixed)  # type: ignore[method-assign]
    public_cache.keep(app, rt)
    intake = app.extensions[webhooks.INTAKE] = report_intake.Intake(rt)
    app.wsgi_app = report_lane.ReportLane(app.wsgi_app, rt, intake, fixed)  # type: ignore[method-assign]
    return app


def _mount(app: Flask) -> None:
    from outage_notify.web import (
        account,
        admin_calendar,
        admin_imports,
        admin_managers,
        admin_settings,
        admin_steps,
        admin_texts,
        admin_trail,
        admin_users,
        admin_webhooks,
        api,
        api_managers,  # noqa: F401 - adds its routes to those of api
        api_tasks,  # noqa: F401 - likewise
        api_texts,  # noqa: F401 - likewise
        api_webhooks,  # noqa: F401 - likewise
        customer,
        desk_board,
        desk_customers,
        desk_enquiry,
        desk_jobs,
        desk_keys,
        desk_letters,
        desk_numbers,
        desk_papers,
        desk_plan,
        desk_protected,
        desk_tasks,
        desk_texts,
        desk_visits,
        dispatcher,
        feeds,
        follow,
        metrics,
        open_data,
        own_keys,
        place,
        provider,
        verify,
    )

    for blueprint in (
        # Map, list and all that hangs on them.
        place.pages,
        open_data.pages,
        feeds.pages,
        follow.pages,
        verify.pages,
        customer.pages,
        own_keys.pages,
        own_keys.machines,
        auth.pages,
        provider.pages,
        account.pages,
        admin_users.pages,
        admin_calendar.pages,
        admin_imports.pages,
        admin_managers.pages,
        admin_settings.pages,
        admin_steps.pages,
        admin_texts.pages,
        admin_trail.pages,
        admin_webhooks.pages,
        desk_board.pages,
        dispatcher.pages,
        desk_jobs.pages,
        desk_plan.pages,
        desk_tasks.pages,
        desk_visits.pages,
        desk_texts.pages,
        desk_letters.pages,
        desk_numbers.pages,
        desk_papers.pages,
        desk_keys.pages,
        desk_customers.pages,
        desk_protected.pages,
        desk_enquiry.pages,
        api.pages,
        webhooks.hooks,
        webhooks.reports,
        metrics.pages,
    ):
        app.register_blueprint(blueprint)
    security.exempt_from_csrf(app, webhooks.hooks)
    security.exempt_from_csrf(app, webhooks.reports)
    security.exempt_from_csrf(app, api.pages)
    security.exempt_from_csrf(app, own_keys.machines)
