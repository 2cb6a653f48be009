"""Texts of notices for machines: list, one with its versions, try, save, put back. For tokens of administrators.

The same blueprint as `api`: tokens, keys and refusals are as there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Response, url_for

from outage_notify.domain.errors import InvalidInput
from outage_notify.services import machine_access, own_texts
from outage_notify.services.own_texts import TextId
from outage_notify.web import api_parts as parts
from outage_notify.web import openapi_texts
from outage_notify.web.api import pages
from outage_notify.web.context import runtime


@pages.get("/texts")
def text_list() -> Response:
    machine_access.require_admin(runtime(), parts.machine())
    found = [_named(one.id) | {"version": one.number, "own": one.own} for one in own_texts.listing(runtime())]
    return parts.answer_of({"texts": found})


@pages.get("/texts/<name>")
def text_one(name: str) -> Response:
    """One text: its sentences in the words that stand, all versions, and examples."""
    machine_access.require_admin(runtime(), parts.machine())
    return parts.answer_of(_whole(TextId.named(name)))


@pages.post("/texts/<name>/try")
def text_try(name: str) -> Response:
    """How words would read. Stores nothing, so it needs no key."""
    machine_access.require_admin(runtime(), parts.machine())
    text = TextId.named(name)
    body = parts.body_of(openapi_texts.TRIED, ("sentences",))
    return parts.answer_of(_examples(text, _typed(body)))


@pages.post("/texts/<name>/save")
def text_save(name: str) -> Response:
    text = TextId.named(name)
    body = parts.body_of(openapi_texts.SAVED, ("version", "sentences", "reason"))
    rt = runtime()

    def call() -> str:
        machine_access.require_admin(rt, parts.machine())
        everywhere = body.get("everywhere", False)
        own_texts.save(
            rt, parts.machine().username, text, body["version"], _typed(body), body["reason"], everywhere
        )
        return ""

    return parts.once(call, 200, lambda _: _shown(text))


@pages.post("/texts/<name>/restore")
def text_restore(name: str) -> Response:
    text = TextId.named(name)
    body = parts.body_of(openapi_texts.RESTORED, ("version", "to", "reason"))
    rt = runtime()

    def call() -> str:
        machine_access.require_admin(rt, parts.machine())
        own_texts.restore(rt, parts.machine().username, text, body["version"], body["to"], body["reason"])
        return ""

    return parts.once(call, 200, lambda _: _shown(text))


def _typed(body: Mapping[str, Any]) -> dict[int, str]:
    found: dict[int, str] = {}
    for one in body["sentences"]:
        if "number" not in one or "words" not in one:
            raise InvalidInput("sentences: number or words is missing.", "Send both of each sentence.")
        if int(one["number"]) in found:
            raise InvalidInput(f"sentences: {one['number']} is there twice.", "Send each once.")
        found[int(one["number"])] = one["words"]
    return found


def _named(text: TextId) -> dict[str, Any]:
    return {
        "name": text.name,
        "channel": text.channel.value,
        "kind": text.kind.value,
        "language": text.language.value,
    }


def _examples(text: TextId, typed: Mapping[int, str] | None = None) -> dict[str, Any]:
    reference, found = own_texts.examples(runtime(), text, typed)
    return {"outage": reference or None, "examples": [asdict(one) for one in found]}


def _whole(text: TextId) -> dict[str, Any]:
    shown = own_texts.show(runtime(), text)
    versions = [
        {
            "version": one.number,
            "at": one.made_at.isoformat(),
            "by": one.made_by,
            "reason": one.reason,
            "sentences": [
                {"number": each.number, "words": each.words}
                for each in own_texts.version(runtime(), text, one.number)
                if each.own is not None
            ],
        }
        for one in shown.versions
    ]
    return {
        **_named(text),
        "version": shown.number,
        "sentences": [asdict(one) | {"words": one.words} for one in shown.sentences],
        "left_over": list(shown.left_over),
        "versions": versions,
        **_examples(text),
    }


def _shown(text: TextId) -> tuple[object, str]:
    return _whole(text), url_for("api.text_one", name=text.name)
