"""Key customers at the desk: the list, one customer, and the addresses of that one's calendar."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from outage_notify.domain.customer_plan import Backup
from outage_notify.domain.errors import InvalidInput
from outage_notify.services import customer_plans, feed_addresses, key_customers, own_keys
from outage_notify.services.invitations import wish_at_desk
from outage_notify.services.revoke_links import revoke_links
from outage_notify.web import plan_forms
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal

pages = Blueprint("customers", __name__, url_prefix="/desk/customers")


@pages.get("")
def listing() -> str:
    words = request.args.get("q", "")
    return render_template(
        "desk/customers.html",
        customers=key_customers.listing(runtime(), words),
        words=words,
        most=key_customers.MOST_LISTED,
        proposals=customer_plans.proposals(runtime()),
        waiting=own_keys.waiting(runtime()),
    )


@pages.get("/<path:customer_id>")
def page(customer_id: str) -> str:
    return _page(customer_id)


@pages.post("/<path:customer_id>/feed/rotate")
def feed_rotate(customer_id: str) -> str:
    """Shows the new address in the answer itself: it goes into no cookie and no address line."""
    address = feed_addresses.rotate(runtime(), by(), customer_id)
    flash(_("The calendar has a new address. The earlier one still works for 30 days."))
    return _page(customer_id, address)


@pages.post("/<path:customer_id>/feed/add")
def feed_add(customer_id: str) -> Any:
    try:
        address = feed_addresses.hand_out(runtime(), by(), customer_id, request.form.get("label", ""))
    except InvalidInput as error:
        flash_refusal(error)
        return redirect(url_for(".page", customer_id=customer_id), 303)
    return _page(customer_id, address)


@pages.post("/<path:customer_id>/feed/revoke")
def feed_revoke(customer_id: str) -> Any:
    one = request.form.get("address", type=int)
    feed_addresses.revoke(runtime(), by(), customer_id, one)
    flash(_("Revoked. The address opens nothing any more."))
    return redirect(url_for(".page", customer_id=customer_id), 303)


@pages.post("/<path:customer_id>/invitations")
def invitations(customer_id: str) -> Any:
    wished = request.form.get("wished") == "1"
    wish_at_desk(runtime(), by(), customer_id, request.form.get("contact", 0, int), wished)
    flash(
        _("Notices to this mailbox come as calendar invitations.")
        if wished
        else _("Notices to this mailbox come without invitations.")
    )
    return redirect(url_for(".page", customer_id=customer_id), 303)


@pages.post("/<path:customer_id>/links/revoke")
def links_revoke(customer_id: str) -> Any:
    revoke_links(runtime(), by(), customer_id)
    flash(_("The links to sign are revoked. Send the notice again, so that the customer has a new one."))
    return redirect(url_for(".page", customer_id=customer_id), 303)


@pages.post("/<path:customer_id>/plan")
def plan(customer_id: str) -> Any:
    handed = request.files.get("file")
    try:
        written = plan_forms.whole(request.form)
        content = handed.read(customer_plans.LARGEST_FILE + 1) if handed else b""
        name = (handed.filename or "") if handed else ""
        customer_plans.save(runtime(), by(), customer_id, written, content, name)
    except InvalidInput as error:
        flash_refusal(error)
    else:
        flash(_("The plan was saved."))
    return redirect(url_for(".page", customer_id=customer_id), 303)


@pages.post("/<path:customer_id>/proposal")
def proposal(customer_id: str) -> Any:
    take = request.form.get("decision") == "take"
    customer_plans.decide(runtime(), by(), customer_id, take)
    flash(_("The proposal was taken over.") if take else _("The proposal was dismissed."))
    return redirect(url_for(".page", customer_id=customer_id), 303)


@pages.get("/<path:customer_id>/emergency-plan.pdf")
def emergency_file(customer_id: str) -> Response:
    body = customer_plans.emergency_file(runtime(), customer_id)
    disposition = 'attachment; filename="emergency-plan.pdf"'
    return Response(body, mimetype="application/pdf", headers={"Content-Disposition": disposition})


@pages.get("/<path:customer_id>/photos/<int:scan_id>")
def photo(customer_id: str, scan_id: int) -> Response:
    """The photograph of a visit."""
    body = key_customers.photo(runtime(), customer_id, scan_id)
    name = f"receipt-{scan_id}-photo.jpeg"
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return Response(body, mimetype="image/jpeg", headers=headers)


@pages.get("/<path:customer_id>/scans/<int:scan_id>")
def scan(customer_id: str, scan_id: int) -> Response:
    kind, body = key_customers.scan(runtime(), customer_id, scan_id)
    name = f"receipt-{scan_id}.{kind.rpartition('/')[2]}"
    return Response(body, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _page(customer_id: str, shown_once: str = "") -> str:
    found = key_customers.page(runtime(), customer_id)
    return render_template("desk/customer.html", page=found, shown_once=shown_once, kinds=list(Backup))
