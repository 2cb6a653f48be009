"""The policy page: own steps are entered, refused with the article, taken out."""

from __future__ import annotations

import re

from flask import Flask

from outage_notify.services import own_steps
from outage_notify.services.runtime import Runtime
from tests.factories import town
from tests.web.conftest import Person

POLICY, STEPS = "/desk/admin/policy", "/desk/admin/policy/steps"
FORM = {
    "values": "12, 9",
    "unit": "calendar_day",
    "applies_to": "all",
    "work": ["planned"],
    "reason": "our promise",
}


def test_steps_are_entered_shown_and_taken_out(app: Flask, rt: Runtime) -> None:
    admin = Person(app, "zh-CN").sign_in(town.ADMIN)
    assert admin.send(STEPS, FORM, POLICY).status_code == 303
    page = admin.get(POLICY).get_data(as_text=True)
    assert "自定步骤" in page and "our promise" in page and town.ADMIN in page
    # The kinds of work, not what is worked on, which English calls by the same word.
    assert "作业类型" in page and "作业设备" not in page
    seen = re.findall(r'name="seen" value="(\d+)"', page)[0]
    same = admin.send(STEPS, FORM | {"values": "7"}, POLICY)
    assert same.status_code == 422 and "第二十八条" in same.get_data(as_text=True)
    gone = admin.send(f"{STEPS}/1/remove", {"reason": "too many", "seen": seen}, POLICY)
    assert gone.status_code == 303
    assert [one.lead.value for one in own_steps.view(rt)[1]] == [9]
    late = admin.send(f"{STEPS}/1/remove", {"reason": "too many", "seen": seen}, POLICY)
    assert late.status_code == 409 and len(own_steps.view(rt)[1]) == 1


def test_what_was_typed_stays_when_it_is_refused(app: Flask) -> None:
    admin = Person(app).sign_in(town.ADMIN)
    page = admin.send(STEPS, FORM | {"values": "9 & <b>"}, POLICY).get_data(as_text=True)
    assert "is no number" in page and "9 &amp; &lt;b&gt;" in page
    page = admin.send(STEPS, FORM | {"unit": "moons"}, POLICY).get_data(as_text=True)
    assert "moons" in page
