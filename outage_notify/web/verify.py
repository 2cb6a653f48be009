"""Check a receipt: the page behind the QR code on it, and a form for the downloaded file.

Promises: a hash is answered with what the chain says of the link, never with a name; a whole receipt that
is handed in is shown to whoever holds it and kept nowhere.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for

from outage_notify.domain.errors import InvalidInput
from outage_notify.services import anchor_chain, check_receipt
from outage_notify.web.context import runtime
from outage_notify.web.security import SIGN_LIMIT, limiter

pages = Blueprint("verify", __name__)


@pages.get("/verify")
def page() -> Any:
    asked = request.args.get("sha256", "")
    if asked:
        return redirect(url_for(".shown", sha256="".join(asked.split()).lower()[:100] or "-"), 303)
    return render_template("public/verify.html", checked=None)


@pages.get("/verify/<sha256>")
@limiter.limit(SIGN_LIMIT)
def shown(sha256: str) -> Any:
    try:
        checked = check_receipt.by_hash(runtime(), sha256)
    except InvalidInput as error:
        return render_template("public/verify.html", checked=None, error=error), 422
    return render_template("public/verify.html", checked=checked), 200 if checked.link else 404


@pages.post("/verify")
@limiter.limit(SIGN_LIMIT)
def receipt() -> Any:
    handed = request.files.get("receipt")
    text = handed.read(check_receipt.LONGEST + 1).decode("ascii", "replace") if handed else ""
    try:
        checked = check_receipt.by_receipt(runtime(), text or request.form.get("jws", ""))
    except InvalidInput as error:
        return render_template("public/verify.html", checked=None, error=error), 422
    return render_template("public/verify.html", checked=checked)


@pages.get("/.well-known/receipt-heads.json")
def heads() -> Response:
    """The daily heads of the chain, for anybody who keeps copies: they hold a number and a hash."""
    rows = [
        {"day": one.day.isoformat(), "receipts": one.receipts, "sha256": one.sha256}
        for one in anchor_chain.listing(runtime())
    ]
    return jsonify({"heads": rows})


@pages.get("/.well-known/receipt-certificate.pem")
def certificate() -> Response:
    """The certificate that PDFs of receipts are signed with."""
    found = check_receipt.certificate(runtime())
    if found is None:
        abort(404)
    return Response(found, mimetype="application/x-pem-file")
