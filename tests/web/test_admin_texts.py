"""The pages of texts: listed, tried, saved, refused with what was typed, put back; the same by machine."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from outage_notify.services import own_texts
from outage_notify.services.own_texts import TextId
from outage_notify.services.runtime import Runtime
from tests.factories import town
from tests.web.conftest import Person
from tests.web.test_web_api import Machine

LIST, PAGE = "/desk/admin/texts", "/desk/admin/texts/sms.SEVEN_DAY.en"
TEXT = TextId.named("sms.SEVEN_DAY.en")
API = "/api/v1/texts/sms.SEVEN_DAY.en"


@pytest.fixture
def admin(app: Flask) -> Person:
    return Person(app).sign_in(town.ADMIN)


def form(rt: Runtime, seen: int = 0, **more: str) -> dict[str, str]:
    """The form as it is shown, with the sentence on preparing worded anew."""
    fields = {f"s{one.number}": one.words for one in own_texts.show(rt, TEXT).sentences}
    return fields | {
        prepare(rt): "Get a torch ready.",
        "seen": str(seen),
        "step": "save",
        "reason": "clearer",
        **more,
    }


def prepare(rt: Runtime) -> str:
    found = own_texts.show(rt, TEXT).sentences
    return next(f"s{one.number}" for one in found if one.delivered.startswith("Please prepare"))


def test_a_text_is_tried_saved_and_put_back(app: Flask, rt: Runtime, admin: Person) -> None:
    tried = admin.send(PAGE, form(rt, step="try"), PAGE)
    page = tried.get_data(as_text=True)
    assert tried.status_code == 200 and "Get a torch ready." in page and "not saved yet" in page
    assert own_texts.show(rt, TEXT).number == 0
    assert admin.send(PAGE, form(rt), PAGE).status_code == 303
    page = admin.get(PAGE).get_data(as_text=True)
    assert "clearer" in page and town.ADMIN in page and "worded by us" in page and "not saved yet" not in page
    assert "✎" in admin.get(LIST).get_data(as_text=True)
    back = admin.send(f"{PAGE}/restore", {"seen": "1", "number": "0", "reason": "too short"}, PAGE)
    assert back.status_code == 303 and own_texts.show(rt, TEXT).number == 2
    old = admin.get(f"{PAGE}?from=1").get_data(as_text=True)
    assert "Get a torch ready." in old and "not saved yet" in old
    assert "Text of notices changed" in admin.get("/desk/admin/audit").get_data(as_text=True)


def test_what_was_typed_stays_when_it_is_refused(rt: Runtime, admin: Person) -> None:
    for fields, status, said in (
        ({prepare(rt): "Now <b> {whn}"}, 422, "no fact"),
        ({prepare(rt): "Now <b>", "reason": " "}, 422, "reason is missing"),
        ({prepare(rt): "Now <b>", "seen": "5"}, 409, "in the meantime"),
    ):
        answer = admin.send(PAGE, form(rt) | fields, PAGE)
        page = answer.get_data(as_text=True)
        assert (answer.status_code, said in page, "Now &lt;b&gt;" in page) == (status, True, True)
    refused = admin.send(PAGE, form(rt) | {prepare(rt): "{whn}"}, PAGE).get_data(as_text=True)
    assert re.search(rf'id="{prepare(rt)}"[^>]*aria-invalid="true"', refused)
    assert admin.send(PAGE, {"seen": "0", "reason": "x", "step": "save"}, PAGE).status_code == 422
    assert admin.get("/desk/admin/texts/sms.NEVER.en").status_code == 404
    assert own_texts.show(rt, TEXT).number == 0


def test_in_chinese(app: Flask) -> None:
    admin = Person(app, "zh-CN").sign_in(town.ADMIN)
    page = admin.get("/desk/admin/texts/sms.SEVEN_DAY.zh-CN").get_data(as_text=True)
    assert "{when}" in page and "起止时间" in page and "请提前做好停电准备" in page and "UCS-2" in page
    listed = admin.get(LIST).get_data(as_text=True)
    assert "必须告知的事实不可缺少" in listed and "sms.SEVEN_DAY.zh-CN" in listed


def test_the_same_by_machine(app: Flask, rt: Runtime) -> None:
    machine = Machine(app, rt, town.ADMIN)
    listed = machine.get("/api/v1/texts").json
    assert listed is not None and len(listed["texts"]) == 64
    one = machine.get(API).json
    assert one is not None and one["version"] == 0 and one["examples"][0]["segments"] >= 1
    number = int(prepare(rt)[1:])
    body = {"version": 0, "sentences": [{"number": number, "words": "Get a torch."}], "reason": "clearer"}
    tried = machine.post(f"{API}/try", {"sentences": body["sentences"]}).json
    assert tried is not None and "Get a torch." in tried["examples"][0]["text"]
    saved = machine.post(f"{API}/save", body, "one")
    assert saved.status_code == 200 and saved.json is not None and saved.json["version"] == 1
    assert machine.post(f"{API}/save", body, "one").headers["Idempotent-Replayed"] == "true"
    assert machine.post(f"{API}/save", body, "two").status_code == 409
    wrong = {**body, "version": 1, "sentences": [{"number": number, "words": "{when}"}]}
    assert machine.post(f"{API}/save", wrong, "three").status_code == 422
    twice = {**body, "version": 1, "sentences": body["sentences"] * 2}
    assert machine.post(f"{API}/save", twice, "four").status_code == 422
    back = machine.post(f"{API}/restore", {"version": 1, "to": 0, "reason": "no"}, "five")
    assert back.json is not None and back.json["version"] == 2
    planner = Machine(app, rt, town.PLANNER)
    assert planner.get("/api/v1/texts").status_code == 403
    assert planner.post(f"{API}/try", {"sentences": []}).status_code == 403
    assert planner.post(f"{API}/save", body, "six").status_code == 403
