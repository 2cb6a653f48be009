"""Texts of notices on a page: which there are, the words of one beside its examples, its versions.

Nothing needs a script: a look at what was typed is a button of its own that stores nothing.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from channels.model import Channel, Language
from outage_notify.domain.errors import InvalidInput, OutageNotifyError
from outage_notify.services import own_texts
from outage_notify.services.own_texts import TextId
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import status_of

pages = Blueprint("wordings", __name__, url_prefix="/desk/admin/texts")


@pages.get("")
def listing() -> str:
    return render_template(
        "admin/texts.html",
        texts={(one.id.kind, one.id.channel, one.id.language): one for one in own_texts.listing(runtime())},
        kinds=own_texts.KINDS,
        channels=list(Channel),
        languages=list(Language),
    )


@pages.get("/<name>")
def one(name: str) -> str:
    """The text as it stands, or as the version `from` worded it, to be saved again."""
    return _page(TextId.named(name), start=request.args.get("from", type=int))


@pages.post("/<name>")
def save(name: str) -> Any:
    text, form = TextId.named(name), request.form
    try:
        typed = _typed(form)
        if form.get("step") == "try":
            return _page(text, form)
        own_texts.save(
            runtime(),
            by(),
            text,
            _seen(form),
            typed,
            form.get("reason", ""),
            form.get("everywhere") == "1",
        )
    except OutageNotifyError as error:
        return _page(text, form, error), status_of(error)
    flash(_("Saved. What is sent from now on says it so."))
    return redirect(url_for(".one", name=text.name), 303)


@pages.post("/<name>/restore")
def restore(name: str) -> Any:
    text, form = TextId.named(name), request.form
    try:
        number = form.get("number", -1, type=int)
        own_texts.restore(runtime(), by(), text, _seen(form), number, form.get("reason", ""))
    except OutageNotifyError as error:
        return _page(text, None, error), status_of(error)
    flash(_("Put back. What is sent from now on says it so."))
    return redirect(url_for(".one", name=text.name), 303)


def _page(
    text: TextId,
    form: MultiDict[str, str] | None = None,
    error: OutageNotifyError | None = None,
    start: int | None = None,
) -> str:
    rt = runtime()
    shown = own_texts.show(rt, text)
    typed = {each.number: each.words for each in shown.sentences}
    if start is not None:
        typed = {each.number: each.words for each in own_texts.version(rt, text, start)}
    if form is not None:
        typed |= {number: words for number, words in _typed(form, strict=False).items() if number in typed}
    try:
        reference, examples = own_texts.examples(rt, text, typed)
    except InvalidInput as refused:
        # What stands is shown while what was typed can't be said.
        error = error or refused
        reference, examples = own_texts.examples(rt, text)
    return render_template(
        "admin/text.html",
        text=text,
        shown=shown,
        typed=typed,
        reference=reference,
        examples=examples,
        kinds=own_texts.KINDS,
        channels=list(Channel),
        languages=list(Language),
        form=form or MultiDict(),
        error=error,
        refused=getattr(error, "sentence", 0),
        changed=any(typed[each.number] != each.words for each in shown.sentences),
    )


def _typed(form: MultiDict[str, str], strict: bool = True) -> dict[int, str]:
    """Words by the number of their sentence: fields named s1, s2, ..."""
    found = {}
    for name, words in form.items():
        if name[:1] == "s" and name[1:].isascii() and name[1:].isdigit() and len(name) < 6:
            found[int(name[1:])] = words
    if strict and not found:
        raise InvalidInput("The form is incomplete.", "Load the page again and type the words once more.")
    return found


def _seen(form: MultiDict[str, str]) -> int:
    """The version that the form was made from; none that there is, where that is missing."""
    return form.get("seen", -1, type=int)
