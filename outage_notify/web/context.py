"""What every route may ask for: the Runtime behind the application, and who is signed in."""

from __future__ import annotations

from typing import cast

from flask import current_app
from flask_login import current_user

from outage_notify.services.runtime import Runtime

RUNTIME = "outage_notify"


def runtime() -> Runtime:
    """The Runtime that this application was built around."""
    return cast(Runtime, current_app.extensions[RUNTIME])


def by() -> str:
    """The username of whoever is signed in; services write it beside each fact."""
    return cast(str, current_user.username)
