"""The pages of imports and of the audit log, as an administrator uses them."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask import Flask

from channels.model import Channel
from outage_notify.cli import main
from outage_notify.services import audit_trail, long_work
from outage_notify.services.runtime import Runtime
from outage_notify.store.sender_tables import SenderState
from tests.factories import town
from tests.factories.people import NOW
from tests.web.conftest import Person

PAGE, AUDIT = "/desk/admin/imports", "/desk/admin/audit"


@pytest.fixture
def admin(app: Flask) -> Person:
    return Person(app).sign_in(town.ADMIN)


def upload(person: Person, text: str, **more: str) -> str:
    form = person.hidden(PAGE) | {"kind": "customers", "format": "auto"} | more
    answer = person.post(PAGE, form | {"file": (BytesIO(text.encode()), "customers.csv")})  # type: ignore[dict-item]
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"]


def test_an_upload_is_watched_until_it_is_done(admin: Person, rt: Runtime) -> None:
    page = upload(admin, town.customers().replace("City Water Works", "Water Works"))
    state = admin.get(f"{page}/state")
    assert state.headers["X-Over"] == "0" and "Look again" in state.get_data(as_text=True)
    assert f'data-poll="{page}/state"' in admin.get(page).get_data(as_text=True)
    long_work.work_due(rt)
    state = admin.get(f"{page}/state")
    assert state.headers["X-Over"] == "1" and "Taken over." in state.get_data(as_text=True)
    assert "data-poll" not in admin.get(page).get_data(as_text=True)
    assert "customers.csv" in admin.get(PAGE).get_data(as_text=True)


def test_faults_stand_on_the_page_and_in_a_table(admin: Person, rt: Runtime) -> None:
    page = upload(admin, town.customers().replace("FIRST", "=cmd()", 1))
    long_work.work_due(rt)
    shown = admin.get(page).get_data(as_text=True)
    assert "nothing was changed" in shown and ">4</td>" in shown and "<code>tier</code>" in shown
    table = admin.get(f"{page}/faults.csv").get_data(as_text=True)
    assert "customers.csv,4,tier," in table
    assert admin.send(f"{page}/again", {}, PAGE).status_code == 303
    assert "can&#39;t be started again" in admin.get(page).get_data(as_text=True)


def test_a_form_that_is_refused_says_so(admin: Person) -> None:
    form = admin.hidden(PAGE)
    assert admin.post(PAGE, form | {"kind": "customers"}).status_code == 422
    assert admin.post(PAGE, form | {"kind": "moon"}).status_code == 422
    mapping = {"kind": "network", "file": (BytesIO(b"{}"), "a.json"), "mapping": (BytesIO(b"\xff"), "m.yaml")}
    assert "not UTF-8" in admin.post(PAGE, form | mapping).get_data(as_text=True)  # type: ignore[arg-type]


def test_who_did_what_is_listed_filtered_and_checked(admin: Person, planner: Person, rt: Runtime) -> None:
    shown = admin.get(AUDIT).get_data(as_text=True)
    assert "Customers imported" in shown and "within a minute" in shown
    audit_trail.seal(rt)
    mine = admin.get(f"{AUDIT}?actor={town.PLANNER}&what=signed_in&check=1").get_data(as_text=True)
    assert mine.count('<th scope="row">') == 1 and "the chain holds" in mine
    assert "Nothing happened" in admin.get(f"{AUDIT}?to=1999-01-01").get_data(as_text=True)
    table = admin.get(f"{AUDIT}/events.csv?what=signed_in").get_data(as_text=True)
    assert len(table.splitlines()) == 3 and town.ADMIN in table
    assert planner.get(AUDIT).status_code == 403


def test_the_command_says_whether_the_chain_holds(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "SIMULATOR": "1",
        "STATE_DIR": rt.settings.state_dir,
        "DATABASE_URL": rt.settings.database_url,
    }.items():
        monkeypatch.setenv(f"OUTAGE_NOTIFY_{name}", value)
    assert main(["audit", "verify"]) == 0
    head = capsys.readouterr().out.split("head ")[1].strip()
    assert main(["audit", "verify", "--head", head]) == 0
    assert main(["audit", "verify", "--head", f"1:{'0' * 64}"]) == 1
    assert main(["audit", "verify", "--head", "nonsense"]) == 2
    capsys.readouterr()
    assert main(["audit", "list", "--what", "user_added", "--json"]) == 0
    assert '"actor": "system"' in capsys.readouterr().out


def test_what_is_set_can_be_read_and_no_secret_with_it(admin: Person, app: Flask, rt: Runtime) -> None:
    with rt.database.write() as session:
        for name in ("twilio-sms", "smtp"):
            bucket = {"per_second": 10.0, "burst": 10.0, "tokens": 1.0, "refilled_at": NOW}
            state = SenderState(sender=name, channel=Channel.SMS, rest_owed=0.0, troubles=0, **bucket)
            if name == "smtp":
                state.down_since, state.down_reason = NOW, "refuses its password"
            session.add(state)
    senders = admin.get("/desk/admin/senders").get_data(as_text=True)
    assert "twilio-sms" in senders and "No trouble known" in senders
    assert senders.count("Fails") == 1 and "refuses its password" in senders
    assert rt.settings.twilio_auth_token and rt.settings.twilio_auth_token not in senders
    policy = admin.get("/desk/admin/policy").get_data(as_text=True)
    assert "第二十八条" in policy and policy.count('<th scope="row">') == len(rt.policy.rules)
    assert "7 个自然日" in Person(app, "zh-CN").sign_in(town.ADMIN).get("/desk/admin/policy").get_data(
        as_text=True
    )
    managers = admin.get("/desk/admin/managers").get_data(as_text=True)
    assert "赵敏" in managers and ">54</td>" in managers
