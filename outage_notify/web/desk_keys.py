"""Customers' own keys at the desk: register one, confirm one that a customer registered, revoke one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _

from outage_notify.domain.errors import Conflict, InvalidInput
from outage_notify.services import own_keys
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal

pages = Blueprint("desk_keys", __name__, url_prefix="/desk/customers")


@pages.post("/<path:customer_id>/keys/add")
def add(customer_id: str) -> Any:
    form = request.form
    try:
        own_keys.add(runtime(), by(), customer_id, form.get("public_key", ""), form.get("label", ""))
    except (InvalidInput, Conflict) as error:
        flash_refusal(error)
    else:
        flash(_("The key is registered."))
    return _back(customer_id)


@pages.post("/<path:customer_id>/keys/confirm")
def confirm(customer_id: str) -> Any:
    own_keys.confirm(runtime(), by(), customer_id, request.form.get("key", 0, int))
    flash(_("The key is confirmed: from now on it signs."))
    return _back(customer_id)


@pages.post("/<path:customer_id>/keys/revoke")
def revoke(customer_id: str) -> Any:
    own_keys.revoke(runtime(), by(), customer_id, request.form.get("key", 0, int))
    flash(_("The key is revoked. What it signed stands."))
    return _back(customer_id)


def _back(customer_id: str) -> Any:
    return redirect(url_for("customers.page", customer_id=customer_id) + "#own-keys", 303)
