"""A customer's own pages, opened by a link from a message: read, sign, object, subscribe.

Promises: a GET never answers for anybody; every link that is not taken looks the same,
and trying many is slow; nothing here is cached or leaks its address.
"""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _

from channels import document
from channels.signing import BadToken
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.customer_plan import Backup
from outage_notify.domain.errors import Conflict, IllegalMove, InvalidInput
from outage_notify.services import customer_pages, customer_plans, delegate
from outage_notify.services.acknowledge import Answer
from outage_notify.services.invitations import wish_by_link
from outage_notify.web import plan_forms
from outage_notify.web.context import runtime
from outage_notify.web.errors import flash_refusal
from outage_notify.web.i18n import language
from outage_notify.web.security import GUESS_LIMIT, SIGN_LIMIT, failed, limiter

pages = Blueprint("customer", __name__)
guessing = limiter.shared_limit(GUESS_LIMIT, scope="links", deduct_when=failed)
ANSWERS = {"sign": AckState.ACKNOWLEDGED, "object": AckState.OBJECTED}


@pages.errorhandler(BadToken)
def not_taken(error: BadToken) -> tuple[str, int]:
    return render_template("customer/not_taken.html"), 404


@pages.get("/s/<token>")
@guessing
def sign_page(token: str) -> str:
    page = customer_pages.sign_page(runtime(), token)
    return render_template("customer/sign.html", page=page, token=token, form={})


@pages.post("/s/<token>")
@guessing
@limiter.limit(SIGN_LIMIT)
def sign(token: str) -> Any:
    form = request.form
    try:
        customer_pages.answer(runtime(), token, _answer(form.to_dict()))
    except (InvalidInput, Conflict) as error:
        page = customer_pages.sign_page(runtime(), token)
        return render_template("customer/sign.html", page=page, token=token, form=form, error=error), 422
    except IllegalMove:
        flash(_("An answer stands already, or the notice was replaced. This is how it stands now."))
    return redirect(url_for(".sign_page", token=token), 303)


@pages.post("/s/<token>/pass-on")
@guessing
@limiter.limit(SIGN_LIMIT)
def pass_on(token: str) -> Any:
    """Shows the colleague's link among the others on the page, to be copied; with an address we send it there."""
    form = request.form
    names = form.get("given_by", ""), form.get("given_to", "")
    send_to = form.get("send_to", "")[:320]
    try:
        delegate.pass_on(runtime(), token, *names, send_to, language())
    except InvalidInput as error:
        page = customer_pages.sign_page(runtime(), token)
        return render_template("customer/sign.html", page=page, token=token, form=form, error=error), 422
    except IllegalMove as error:
        flash_refusal(error)
    else:
        if send_to.strip():
            flash(_("We send the link to your colleague. Below you see whether it arrives."))
    return redirect(url_for(".sign_page", token=token) + "#passed-on", 303)


@pages.post("/s/<token>/take-back")
@guessing
@limiter.limit(SIGN_LIMIT)
def take_back(token: str) -> Any:
    delegate.revoke(runtime(), token, request.form.get("delegation", 0, int))
    flash(_("The link was taken back; it opens nothing any more."))
    return redirect(url_for(".sign_page", token=token) + "#passed-on", 303)


@pages.post("/s/<token>/invitations")
@guessing
@limiter.limit(SIGN_LIMIT)
def invitations(token: str) -> Any:
    wished = request.form.get("wished") == "1"
    wish_by_link(runtime(), token, request.form.get("contact", 0, int), wished)
    flash(
        _("Notices to this mailbox come as calendar invitations.")
        if wished
        else _("Notices to this mailbox come without invitations.")
    )
    return redirect(url_for(".sign_page", token=token) + "#invitations", 303)


@pages.get("/s/<token>/receipt.jws")
@guessing
def receipt(token: str) -> Response:
    page = customer_pages.sign_page(runtime(), token)
    if page.receipt is None:
        abort(404)
    name = f"{page.facts.reference}-{page.receipt.sequence}.jws"
    return _download(page.receipt.jws.encode("ascii"), "application/jose", name)


@pages.get("/s/<token>/receipt.pdf")
@guessing
def receipt_pdf(token: str) -> Response:
    page = customer_pages.sign_page(runtime(), token)
    if page.receipt is None:
        abort(404)
    name = f"{page.facts.reference}-{page.receipt.sequence}.pdf"
    return _download(customer_pages.receipt_pdf(runtime(), page), "application/pdf", name)


@pages.get("/s/<token>/notice.pdf")
@guessing
def notice_pdf(token: str) -> Response:
    page = customer_pages.sign_page(runtime(), token)
    name = f"{page.facts.reference}-{page.facts.revision}.pdf"
    return _download(document.notice_pdf(page.facts), "application/pdf", name)


@pages.get("/n/<token>")
@guessing
def notice_page(token: str) -> str:
    page = customer_pages.notice_page(runtime(), token)
    return render_template("customer/notice.html", page=page)


@pages.get("/s/<token>/plan")
@guessing
def plan_page(token: str) -> str:
    customer, kept = customer_plans.of_link(runtime(), token)
    return render_template(
        "customer/plan.html",
        customer=customer,
        kept=kept,
        token=token,
        kinds=list(Backup),
        sites=customer_plans.supplies_of_link(runtime(), token),
    )


@pages.post("/s/<token>/plan")
@guessing
@limiter.limit(SIGN_LIMIT)
def propose(token: str) -> Any:
    form = request.form
    try:
        customer_plans.propose(
            runtime(),
            token,
            form.get("signer_name", ""),
            lambda standing: plan_forms.proposed(form, standing),
        )
    except InvalidInput as error:
        flash_refusal(error)
    else:
        flash(_("Thank you. We look at it and confirm; until then the plan that you see stands."))
    return redirect(url_for(".plan_page", token=token), 303)


def _answer(form: dict[str, str]) -> Answer:
    state = ANSWERS.get(form.get("answer", ""))
    if state is None:
        raise InvalidInput("No answer was chosen.", "Use one of the two buttons.")
    return Answer(
        state,
        AckWay.LINK,
        form.get("signer_name", ""),
        form.get("signer_role", ""),
        form.get("reason", "") if state is AckState.OBJECTED else "",
        wished=_wished(form) if state is AckState.OBJECTED else "",
        shown_sha256=form.get("text_sha256", ""),
    )


def _wished(form: dict[str, str]) -> str:
    """A date and time as the browser gives it comes first, so that a revision can be made of it; then the words."""
    at = form.get("wished_at", "").replace("T", " ")
    return ", ".join(part for part in (at, form.get("wished", "").strip()) if part)


def _download(body: bytes, mimetype: str, name: str) -> Response:
    response = make_response(body)
    response.mimetype = mimetype
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
