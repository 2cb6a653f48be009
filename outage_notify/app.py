"""The composition root: the one place where parts meet."""

from __future__ import annotations

import gc

import structlog
from celery import Celery
from flask import Flask
from sqlalchemy.exc import OperationalError

from outage_notify import log_lines
from outage_notify.services.public_files import folder_of
from outage_notify.services.runtime import Runtime
from outage_notify.settings import Settings
from outage_notify.store import migrate
from outage_notify.web import create_app as create_flask
from outage_notify.web.press import Press
from outage_notify.worker.celery_app import create_celery

log = structlog.get_logger(__name__)


def create_runtime(settings: Settings | None = None) -> Runtime:
    """Settings from the environment unless given; the database is brought up to date."""
    log_lines.configure()
    runtime = Runtime.build(settings or Settings.load())
    migrate.ensure(runtime.database)
    return runtime


def create_web(runtime: Runtime | None = None) -> Flask:
    """The WSGI application, for any WSGI server: `gunicorn 'outage_notify.app:create_web()'`.

    Starts while the database is away too: the public's last version is served until it is back.
    """
    log_lines.hear_others()
    if runtime is None:
        runtime = Runtime.build(Settings.load())
        try:
            migrate.ensure(runtime.database)
        except OperationalError as error:
            log.error("the database can't be reached at start", error=type(error.orig).__name__)
    application = create_flask(runtime)
    Press(application, folder_of(runtime.settings.state_dir)).start()
    # What stands after the start stands for ever: looking through it at each full collection would hold up
    # whoever is being answered for a tenth of a second.
    gc.collect()
    gc.freeze()
    return application


def create_worker(runtime: Runtime) -> Celery:
    return create_celery(runtime)
