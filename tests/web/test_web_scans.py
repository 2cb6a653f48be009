"""The scan of a paper slip: taken at the desk, kept beside its receipt, which names its hash."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO

import pytest
from sqlalchemy import select

from channels.signing import verify_receipt
from outage_notify.services import acknowledge
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store.acknowledgement_tables import SignedReceipt
from tests.factories.people import NOW, add_customer, add_outage
from tests.web.conftest import Person

SLIP = b"\xff\xd8\xff\xe0" + b"slip" * 200_000
FORM = {"state": "ACKNOWLEDGED", "way": "paper", "signer_name": "Grace Hall", "slip_date": "2026-03-01"}


@pytest.fixture
def ack(rt: Runtime) -> int:
    with rt.database.write() as session:
        customer, other = add_customer(session, customer_id="K77"), add_customer(session, customer_id="K78")
        outage = add_outage(session, [customer, other])
        acknowledge.request_for(session, rt, outage, outage.standing, [customer.id], NOW)
        return acks.of_revision(session, outage.id, 1)[0].id


def enter(person: Person, ack: int, scan: bytes, **more: str) -> int:
    form = person.hidden("/desk/customers/K77") | FORM | more | {"scan": (BytesIO(scan), "../slip.jpg")}
    return person.post(f"/desk/acknowledgements/{ack}/answer", form).status_code


def receipts(rt: Runtime) -> list[str]:
    with rt.database.read() as session:
        return list(session.scalars(select(SignedReceipt.jws)))


def test_the_receipt_names_the_scan_that_is_kept(
    planner: Person, stranger: Person, rt: Runtime, ack: int
) -> None:
    assert enter(planner, ack, SLIP) == 303
    (jws,) = receipts(rt)
    details = verify_receipt(jws, rt.signing_key.public_jwks).details
    assert details["scan_sha256"] == sha256(SLIP).hexdigest()
    assert details["level"] == "handwritten"
    page = planner.get("/desk/customers/K77").get_data(as_text=True)
    address = "/desk/customers/K77/scans/1"
    assert address in page
    scan = planner.get(address)
    assert (scan.mimetype, scan.get_data()) == ("image/jpeg", SLIP)
    assert scan.headers["Content-Disposition"].startswith("attachment")
    assert stranger.get(address).status_code == 302
    assert planner.get("/desk/customers/K78/scans/1").status_code == 404


@pytest.mark.parametrize(
    ("scan", "status"),
    [(b"MZ program", 303), (SLIP[:4] + b"x" * 6_300_000, 303), (b"\x89PNG" * 2_000_000, 413)],
)
def test_what_is_no_scan_or_too_large_records_nothing(
    planner: Person, rt: Runtime, ack: int, scan: bytes, status: int
) -> None:
    assert enter(planner, ack, scan) == status
    assert receipts(rt) == []


def test_an_answer_without_a_scan_stays_possible(planner: Person, rt: Runtime, ack: int) -> None:
    form = planner.hidden("/desk/customers/K77") | FORM
    assert planner.post(f"/desk/acknowledgements/{ack}/answer", form).status_code == 303
    (jws,) = receipts(rt)
    assert "scan_sha256" not in verify_receipt(jws, rt.signing_key.public_jwks).details
