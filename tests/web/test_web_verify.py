"""The page behind the QR code: says whether a receipt is in the chain, and nothing about people."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from pypdf import PdfReader

from channels.signing import receipt_sha256
from outage_notify.domain.acknowledgement import LEVELS, AckWay
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store.outage_tables import Outage
from tests.factories.people import NOW, add_customer, add_outage
from tests.web.conftest import Person

NAMED = {"answer": "sign", "signer_name": "Grace Hall", "signer_role": "duty engineer"}


@pytest.fixture
def jws(stranger: Person, rt: Runtime) -> str:
    """A receipt that a customer signed by link and downloaded."""
    from outage_notify.services import acknowledge, links

    with rt.database.write() as session:
        customer = add_customer(session, customer_id="K77", name="Hidden Hospital")
        outage = add_outage(session, [customer])
        acknowledge.request_for(session, rt, outage, outage.standing, [customer.id], NOW)
        (ack,) = acks.of_revision(session, outage.id, 1)
    page = f"/s/{rt.link_token(links.SIGN, ack.id, outage.standing.end)}"
    assert stranger.send(page, NAMED).status_code == 303
    pdf = stranger.get(f"{page}/receipt.pdf").get_data()
    assert b"/ETSI.CAdES.detached" in pdf
    text = "".join(one.extract_text() for one in PdfReader(BytesIO(pdf)).pages)
    assert "/verify/" in "".join(text.split()) and "address: answered" in " ".join(text.split())
    return stranger.get(f"{page}/receipt.jws").get_data(as_text=True)


def test_a_hash_is_answered_without_a_name(stranger: Person, rt: Runtime, jws: str) -> None:
    sha256 = receipt_sha256(jws)
    answer = stranger.get(f"/verify/{sha256}")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200 and "genuine" in text
    with rt.database.read() as session:
        references = [one.reference for one in session.query(Outage)]
    assert any(one in text for one in references)
    for secret in ("Grace", "Hidden", "K77", "duty engineer", "ACKNOWLEDGED", "Signed by"):
        assert secret not in text
    # As people copy it from paper: in groups, in capitals.
    spaced = re.sub("(.{16})", r"\1 ", sha256.upper())
    assert stranger.get(f"/verify?sha256={spaced}").headers["Location"] == f"/verify/{sha256}"


def test_what_is_not_in_the_chain_is_said_to_be_so(stranger: Person, jws: str) -> None:
    assert stranger.get(f"/verify/{'0' * 64}").status_code == 404
    assert stranger.get("/verify/rubbish").status_code == 422
    assert stranger.get("/verify").status_code == 200


def test_who_hands_in_the_receipt_sees_what_it_holds(stranger: Person, jws: str) -> None:
    form = stranger.hidden("/verify")
    answer = stranger.post("/verify", form | {"receipt": (BytesIO(jws.encode()), "receipt.jws")})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200 and "genuine" in text and "Grace Hall" in text


def test_each_changed_character_of_a_handed_in_receipt_is_seen(stranger: Person, jws: str) -> None:
    form = stranger.hidden("/verify")
    for place in range(0, len(jws), len(jws) // 12):
        changed = jws[:place] + ("A" if jws[place] != "A" else "B") + jws[place + 1 :]
        text = stranger.post("/verify", form | {"jws": changed}).get_data(as_text=True)
        assert "No such receipt" in text and "Grace" not in text
    assert stranger.post("/verify", form | {"jws": "é" * 20}).status_code == 422
    assert stranger.post("/verify", form).status_code == 422


def test_the_certificate_is_published(stranger: Person) -> None:
    answer = stranger.get("/.well-known/receipt-certificate.pem")
    assert (
        answer.get_data().startswith(b"-----BEGIN CERTIFICATE-----") and b"PRIVATE" not in answer.get_data()
    )


def test_every_way_has_its_level() -> None:
    assert set(LEVELS) == set(AckWay)
