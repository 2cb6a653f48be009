"""Refusals that customers read: in both languages, and none that nobody says any more."""

from __future__ import annotations

import ast
from pathlib import Path

from outage_notify.services.runtime import Runtime
from outage_notify.web import catalogues
from outage_notify.web.refusals import SENTENCES
from tests.factories import town
from tests.web.conftest import Person
from tests.web.test_web_delegation import own_link

ROOT = Path(__file__).parents[2]


def sentences_of_services() -> set[str]:
    """Every text in the sources, with the parts of formatted ones joined where they hold fixed values."""
    found = set()
    for folder in ("outage_notify/services", "outage_notify/domain", "outage_notify/web", "channels"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name == "refusals.py":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
                elif isinstance(node, ast.JoinedStr):
                    parts = [one.value if isinstance(one, ast.Constant) else "\0" for one in node.values]
                    found.add("".join(map(str, parts)))
    return found


def test_each_sentence_is_said_by_a_service_and_translated() -> None:
    said = sentences_of_services()
    formatted = {"Your name is empty or too long.": "\0 is empty or too long."}
    formatted["The colleague's name is empty or too long."] = "\0 is empty or too long."
    formatted["This notice was passed on 10 times."] = "This notice was passed on \0 times."
    listed = [str(getattr(one, "_args", (one,))[0]) for one in SENTENCES]
    assert [one for one in listed if formatted.get(one, one) not in said] == []
    chinese = {one.id: one.string for one in catalogues.written()}
    assert [one for one in listed if not chinese.get(one)] == []


def test_a_refusal_keeps_what_was_typed_and_is_read_in_chinese(rt: Runtime, stranger: Person) -> None:
    town.approved(rt)
    _, path = own_link(rt)
    stranger.headers = stranger.headers | {"Accept-Language": "zh-CN"}
    typed = {"given_by": "周建国", "given_to": "王芳", "send_to": "<wang>"}
    page = stranger.send(f"{path}/pass-on", typed, path)
    shown = page.get_data(as_text=True)
    assert page.status_code == 422 and "这不是电话号码" in shown
    assert 'value="王芳"' in shown and 'value="&lt;wang&gt;"' in shown and "<wang>" not in shown
