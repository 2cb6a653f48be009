"""Own keys from outside: a customer's machine signs over HTTP; a device registers, is confirmed, signs in a browser."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey
from playwright.sync_api import Browser, expect
from sqlalchemy import select
from werkzeug.serving import make_server

from channels.own_keys import read_public_key, thumbprint
from channels.receipts import BadReceipt, sign_receipt, verify_receipt
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.services import links, own_keys, receipts
from outage_notify.services.runtime import Runtime
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.people_tables import Customer
from outage_notify.web import create_app
from tests.factories import town
from tests.factories.people import NOW
from tests.servers.process import free_port
from tests.web.conftest import Person, turn


class Machine:
    """A customer's own program: a key, and what it posts."""

    def __init__(self, rt: Runtime, person: Person, key: OKPKey | ECKey | None = None) -> None:
        self.rt, self.person = rt, person
        self.key = key or OKPKey.generate_key("Ed25519")
        self.public = read_public_key(json.dumps(self.key.as_dict(private=False)))

    def sign(self, payload: dict[str, Any]) -> str:
        algorithm = "Ed25519" if isinstance(self.key, OKPKey) else "ES256"
        header = {"alg": algorithm, "kid": thumbprint(self.public)}
        return jws.serialize_compact(header, json.dumps(payload), self.key, algorithms=[algorithm])

    def question(self, **more: Any) -> str:
        asked = {"type": "outage-notify-ask", "audience": self.rt.settings.base_url, "at": NOW.isoformat()}
        return self.sign(asked | more)

    def post(self, path: str, signed: str) -> Any:
        return self.person.client.post(f"/keys/v1/{path}", data=signed, content_type="application/jose")

    def register(self, customer: str) -> None:
        own_keys.add(self.rt, town.PLANNER, customer, json.dumps(self.public), "control room")


@pytest.fixture(params=["Ed25519", "P-256"])
def machine(request: pytest.FixtureRequest, rt: Runtime, stranger: Person) -> Machine:
    town.approved(rt)
    key = OKPKey.generate_key("Ed25519") if request.param == "Ed25519" else ECKey.generate_key("P-256")
    return Machine(rt, stranger, key)


def ack_of(rt: Runtime, customer: str) -> Acknowledgement:
    with rt.database.read() as session:
        return session.scalars(
            select(Acknowledgement).join(Customer).where(Customer.customer_id == customer)
        ).one()


def test_a_machine_asks_reads_and_signs(machine: Machine) -> None:
    rt = machine.rt
    machine.register("W1")
    (notice,) = machine.post("notices", machine.question()).get_json()["notices"]
    assert (notice["state"], notice["revision"]) == ("REQUESTED", 1) and "5 North Street" in notice["text"]
    signed = machine.sign(notice["statement"] | {"signer_name": "SCADA 2", "signer_role": "control room"})
    answer = machine.post("answers", signed)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    kept = verify_receipt(answer.get_json()["receipt"], rt.signing_key.public_jwks)
    assert (kept.way, kept.details["level"], kept.details["key_jws"]) == ("own_key", "own_key", signed)
    ack = ack_of(rt, "W1")
    assert (ack.state, ack.way, ack.signer_name) == (AckState.ACKNOWLEDGED, AckWay.OWN_KEY, "SCADA 2")
    assert receipts.verify_database(rt).ok
    # The same again is refused, and adds nothing.
    again = machine.post("answers", signed)
    assert again.status_code == 409 and again.mimetype == "application/problem+json"
    assert receipts.verify_database(rt).count == 1


def test_an_objection_by_key_is_a_task_with_its_wish(rt: Runtime, stranger: Person, planner: Person) -> None:
    town.approved(rt)
    machine = Machine(rt, stranger)
    machine.register("W1")
    (notice,) = machine.post("notices", machine.question()).get_json()["notices"]
    wish = {"answer": "OBJECTED", "signer_name": "SCADA 2", "wished": "2026-04-01 09:00"}
    assert machine.post("answers", machine.sign(notice["statement"] | wish)).status_code == 201
    listed = planner.get("/desk/tasks?kind=objection").get_data(as_text=True)
    assert f"/desk/outages/{notice['outage']}/revise?start=2026-04-01T09:00" in listed.replace("%3A", ":")
    form = planner.get(f"/desk/outages/{notice['outage']}/revise?start=2026-04-01T09:00").get_data(
        as_text=True
    )
    assert 'value="2026-04-01T09:00"' in form


def test_whoever_may_not_is_refused_alike(rt: Runtime, stranger: Person, planner: Person) -> None:
    """Unknown, unconfirmed, revoked, about another customer's notice, about nothing, tampered with."""
    town.approved(rt)
    mine, other = Machine(rt, stranger), Machine(rt, stranger)
    mine.register("W1")
    (notice,) = mine.post("notices", mine.question()).get_json()["notices"]
    statement = notice["statement"] | {"signer_name": "SCADA 2"}
    good = mine.sign(statement)
    head, body, tail = good.split(".")
    answers = [
        other.post("answers", other.sign(statement)),
        mine.post("answers", mine.sign(statement | {"customer": "H1"})),
        mine.post("answers", mine.sign(statement | {"outage": "PO-2026-0999"})),
        mine.post("answers", mine.sign(statement | {"audience": "https://other.example"})),
        mine.post("answers", f"{head}.{body}.{tail[:-4]}AAAA"),
        mine.post("answers", ""),
        mine.post("notices", other.question()),
        mine.post("notices", mine.question(at=(NOW - timedelta(minutes=6)).isoformat())),
        mine.post("notices", good),
    ]
    own_keys.revoke(rt, town.PLANNER, "W1", own_keys.listing(rt, "W1")[0].id)
    answers.append(mine.post("answers", good))
    assert {(one.status_code, one.get_data()) for one in answers} == {(401, answers[0].get_data())}
    assert ack_of(rt, "W1").state is AckState.REQUESTED


def test_a_text_that_does_not_stand_is_not_signed(rt: Runtime, stranger: Person) -> None:
    town.approved(rt)
    machine = Machine(rt, stranger)
    machine.register("W1")
    (notice,) = machine.post("notices", machine.question()).get_json()["notices"]
    other = machine.sign(notice["statement"] | {"signer_name": "SCADA 2", "text_sha256": "0" * 64})
    assert machine.post("answers", other).status_code == 409
    stale = machine.sign(notice["statement"] | {"signer_name": "SCADA 2", "revision": 7})
    assert machine.post("answers", stale).status_code == 401


def test_the_desk_registers_confirms_and_revokes(rt: Runtime, planner: Person, approver: Person) -> None:
    public = json.dumps(Machine(rt, planner).public)
    page = "/desk/customers/W1"
    form = {"public_key": public, "label": "control room"}
    assert planner.send(f"{page}/keys/add", form, page).status_code == 303
    shown = planner.get(page).get_data(as_text=True)
    assert "control room" in shown and thumbprint(json.loads(public))[:12] in shown
    for wrong in ({"public_key": "junk", "label": "x"}, form):  # no key; registered already
        planner.send(f"{page}/keys/add", wrong, page)
        assert len(own_keys.listing(rt, "W1")) == 1
    (key,) = own_keys.listing(rt, "W1")
    assert key.signs and approver.send(f"{page}/keys/revoke", {"key": str(key.id)}, page).status_code == 403
    planner.send(f"{page}/keys/revoke", {"key": str(key.id)}, page)
    assert not own_keys.listing(rt, "W1")[0].signs


@pytest.fixture
def local(rt: Runtime) -> Iterator[tuple[Runtime, str]]:
    """The product at an address that browsers take for a site of its own: localhost, not a number."""
    port = free_port()
    base = f"http://localhost:{port}"
    runtime = Runtime(replace(rt.settings, base_url=base), rt.database, rt.clock)
    server = make_server("127.0.0.1", port, create_app(runtime), threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield runtime, base
    server.shutdown()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_device_registers_is_confirmed_and_signs(
    chromium: Browser, local: tuple[Runtime, str], language: str
) -> None:
    rt, base = local
    town.approved(rt)
    ack = ack_of(rt, "H1")
    path = f"{base}/s/{rt.link_token(links.SIGN, ack.id, NOW + timedelta(days=60))}"
    context = chromium.new_context(locale=language, viewport={"width": 390, "height": 844})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    control = context.new_cdp_session(page)
    control.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    control.send(
        "WebAuthn.addVirtualAuthenticator", {"options": device | {"automaticPresenceSimulation": True}}
    )
    page.goto(f"{path}/keys")
    page.fill("#label", "值班电工")
    page.locator("[data-passkey]").click()
    expect(page.locator("table")).to_contain_text("值班电工")
    page.goto(path)
    assert page.locator("[data-passkey]").count() == 0  # nobody has confirmed it
    assert [one.customer_id for one in own_keys.waiting(rt)] == ["H1"]
    own_keys.confirm(rt, town.PLANNER, "H1", own_keys.listing(rt, "H1")[0].id)
    page.reload()
    page.fill("#signer_name", "周建国")
    page.locator("[data-passkey]").click()
    expect(page.locator("#receipt")).to_contain_text("周建国")
    assert (ack_of(rt, "H1").way, ack_of(rt, "H1").state) == (AckWay.PASSKEY, AckState.ACKNOWLEDGED)
    report = receipts.verify_database(rt)
    assert (report.ok, report.count) == (True, 1), str(report)
    assert own_keys.listing(rt, "H1")[0].counter > 0
    with page.expect_download() as download:
        page.get_by_role("link", name="JWS").click()
    kept = verify_receipt(download.value.path().read_text(), rt.signing_key.public_jwks)
    assert (kept.details["level"], kept.details["user_verified"]) == ("own_key", "yes")
    # Even with our key the utility cannot put another name over the device's signature.
    forged = sign_receipt(rt.signing_key, replace(kept, signer_name="另一人"))
    with pytest.raises(BadReceipt, match="own signature"):
        verify_receipt(forged.jws, rt.signing_key.public_jwks)
    context.close()
    assert faults == []


def test_a_link_that_is_over_registers_nothing(rt: Runtime, stranger: Person) -> None:
    town.approved(rt)
    token = rt.link_token(links.SIGN, ack_of(rt, "H1").id, NOW + timedelta(days=1))
    assert stranger.get(f"/s/{token}/keys").status_code == 200
    turn(rt, NOW + timedelta(days=2))
    assert stranger.get(f"/s/{token}/keys").status_code == 404
