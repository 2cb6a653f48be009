"""The papers of one outage: read, download, record where they were announced."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from channels.model import Language
from channels.papers import Paper
from outage_notify.domain.announcement import Medium
from outage_notify.domain.errors import InvalidInput, OutageNotifyError
from outage_notify.services import announce, desk_views, long_work, papers, send_plan_notice
from outage_notify.services.announce import Announced
from outage_notify.store.job_tables import JobKind
from outage_notify.store.user_tables import WORKING
from outage_notify.web import forms, i18n
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal

pages = Blueprint("papers", __name__, url_prefix="/desk/outages/<reference>/papers")
E = TypeVar("E", bound=StrEnum)
# Where each paper usually goes, first in its list.
USUAL = {
    Paper.HOTLINE: Medium.SYSTEM,
    Paper.MEDIA: Medium.WEBSITE,
    Paper.POSTER: Medium.BOARD,
    Paper.PLAN: Medium.EMAIL,
}


@pages.get("")
def listing(reference: str) -> str:
    shown = _known(Paper, request.args.get("paper", ""), Paper.MEDIA)
    written = _known(Language, request.args.get("in", ""), i18n.language())
    return render_template(
        "desk/papers.html",
        outage=desk_views.version_of(runtime(), reference),
        made=papers.paper(runtime(), reference, shown, written),
        found=announce.announcements(runtime(), reference),
        made_before=long_work.about(runtime(), reference, JobKind.PAPERS),
        over=long_work.OVER,
        shown=shown,
        written=written,
        papers=list(Paper),
        media=sorted(Medium, key=lambda one: one is not USUAL[shown]),
        languages=list(Language),
        offices=len(runtime().settings.offices),
        may_record=any(current_user.may(role) for role in WORKING),
    )


@pages.get("/<paper>.<form>")
def document(reference: str, paper: str, form: str) -> Response:
    if paper not in set(Paper) or form not in {"pdf", "txt"}:
        abort(404)
    which, language = Paper(paper), _known(Language, request.args.get("in", ""), i18n.language())
    name = f"{reference}-{paper}-{language.value}.{form}"
    if form == "pdf":
        return _file(papers.paper_pdf(runtime(), reference, which, language), "application/pdf", name)
    return _file(papers.paper(runtime(), reference, which, language).text.encode(), "text/plain", name)


@pages.get("/key-customers.<form>")
def key_notices(reference: str, form: str) -> Response:
    if form == "pdf":
        body, kind = papers.key_notices_pdf(runtime(), reference), "application/pdf"
    elif form == "txt":
        body, kind = papers.key_notices_text(runtime(), reference).encode(), "text/plain"
    else:
        abort(404)
    return _file(body, kind, f"{reference}-key-customers.{form}")


@pages.post("/all")
def make_all(reference: str) -> Any:
    """All papers as one file, made by the worker."""
    job = long_work.ask_about(runtime(), by(), JobKind.PAPERS, reference, {})
    return redirect(url_for("jobs.one", job_id=job), 303)


@pages.post("")
def record(reference: str) -> Any:
    form = request.form
    try:
        said = Announced(
            _member(Paper, form.get("paper", "")),
            _member(Medium, form.get("medium", "")),
            _member(Language, form.get("language", "")),
            form.get("place", ""),
            forms.instant(form, "at", runtime().zone) if form.get("at") else None,
            form.get("sha256", ""),
        )
        announce.announce(runtime(), by(), reference, said)
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        flash(_("Recorded."))
    return _back(reference)


@pages.post("/<int:number>/take-back")
def take_back(reference: str, number: int) -> Any:
    try:
        announce.take_back(runtime(), by(), number, request.form.get("reason", ""))
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        flash(_("Taken back; the record stays and counts no more."))
    return _back(reference)


@pages.post("/plan/send")
def send_plan(reference: str) -> Any:
    try:
        language = _member(Language, request.form.get("language", ""))
        sent = send_plan_notice.send_plan_notice(runtime(), by(), reference, language)
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        flash(ngettext("Sent to %(num)s office.", "Sent to %(num)s offices.", sent.now))
        if sent.failed:
            names = ", ".join(f"{address} ({code})" for address, code in sent.failed)
            flash(_("Not taken: %(names)s", names=names), "refusal")
    return _back(reference)


def _back(reference: str) -> Any:
    kept: dict[str, Any] = {"paper": request.form.get("paper"), "in": request.form.get("language")}
    return redirect(url_for(".listing", reference=reference, **kept), 303)


def _file(body: bytes, kind: str, name: str) -> Response:
    answer = Response(body, mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _known(words: type[E], text: str, default: E) -> E:
    """A word of an address; what is none is ignored."""
    return words(text) if text in set(words) else default


def _member(words: type[E], text: str) -> E:
    """A word of a form; what is none is refused."""
    try:
        return words(text)
    except ValueError:
        raise InvalidInput("The form is incomplete.", "Choose one of the list.") from None
