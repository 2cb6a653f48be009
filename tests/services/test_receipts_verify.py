"""Receipts outside and inside: the export proves itself, and no row can be changed unseen."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from channels.signing import Break, SigningKey, new_key, verify_export, verify_export_file
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.errors import OutageNotifyError
from outage_notify.services import acknowledge, receipts
from outage_notify.services.acknowledge import Answer
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store.acknowledgement_tables import Acknowledgement, SignedReceipt
from tests.factories.people import NOW, add_customer, add_outage
from tests.factories.runtimes import make_runtime

SIGNED = Answer(AckState.ACKNOWLEDGED, AckWay.LINK, "Anna Brandt", "director")


@pytest.fixture
def rt(migrated_url: str, tmp_path: Path) -> Iterator[Runtime]:
    runtime = make_runtime(migrated_url, tmp_path)
    yield runtime
    runtime.database.close()


def sign(rt: Runtime, number: int) -> list[int]:
    """So many key customers of a new outage sign; their acknowledgements."""
    with rt.database.write() as session:
        customers = [add_customer(session, channels=(), backup=False) for _ in range(number)]
        outage = add_outage(session, customers)
        acknowledge.request_for(session, rt, outage, outage.standing, [one.id for one in customers], NOW)
        asked = acks.of_revision(session, outage.id, 1)
        for second, ack in enumerate(asked):
            acknowledge.answer_in(session, rt, ack, SIGNED, NOW + timedelta(seconds=second))
        return [ack.id for ack in asked]


def exported(rt: Runtime) -> str:
    out = io.StringIO()
    receipts.export(rt, out)
    return out.getvalue()


def test_an_export_verifies_without_the_database(rt: Runtime, tmp_path: Path) -> None:
    sign(rt, 5)
    file = tmp_path / "receipts.jsonl"
    with file.open("w", encoding="utf-8", newline="\n") as out:
        assert receipts.export(rt, out) == 5
    rt.database.close()
    for trusted in (None, rt.signing_key.public_jwks):
        report = verify_export_file(file, trusted)
        assert (report.ok, report.count, report.covers_end) == (True, 5, True), str(report)
        assert report.keys == (rt.signing_key.kid,)
    strange = SigningKey.parse(new_key()).public_jwks
    assert verify_export_file(file, strange).reason is Break.UNKNOWN_KEY


def test_an_export_of_nothing_verifies_as_nothing(rt: Runtime) -> None:
    report = verify_export(exported(rt).splitlines(keepends=True))
    assert (report.ok, report.count) == (True, 0)
    assert receipts.verify_database(rt).ok


def test_a_changed_export_names_the_receipt(rt: Runtime) -> None:
    sign(rt, 4)
    lines = exported(rt).splitlines(keepends=True)
    cut = verify_export(lines[:-1])
    assert (cut.ok, cut.broken_at, cut.reason) == (False, 4, Break.TRUNCATED)
    removed = verify_export([*lines[:2], *lines[3:]])
    assert (removed.ok, removed.broken_at, removed.reason) == (False, 2, Break.REMOVED)


def test_a_sound_database_verifies(rt: Runtime) -> None:
    sign(rt, 3)
    report = receipts.verify_database(rt)
    assert (report.ok, report.count) == (True, 3), str(report)


def test_a_settled_objection_is_no_fault(rt: Runtime) -> None:
    with rt.database.write() as session:
        customer = add_customer(session)
        outage = add_outage(session, [customer])
        acknowledge.request_for(session, rt, outage, outage.standing, [customer.id], NOW)
        (ack,) = acks.of_revision(session, outage.id, 1)
        objection = Answer(AckState.OBJECTED, AckWay.LINK, "Anna Brandt", wished="a Sunday")
        acknowledge.answer_in(session, rt, ack, objection, NOW)
        acknowledge.answer_in(session, rt, ack, SIGNED, NOW + timedelta(hours=1))
        acknowledge.supersede(session, outage, 2, NOW)
    report = receipts.verify_database(rt)
    assert (report.ok, report.count) == (True, 2), str(report)


def change_ack(**values: object) -> Callable[[Session, int], None]:
    def change(session: Session, ack: int) -> None:
        session.execute(update(Acknowledgement).where(Acknowledgement.id == ack).values(**values))

    return change


def change_receipt(**values: object) -> Callable[[Session, int], None]:
    def change(session: Session, ack: int) -> None:
        mine = SignedReceipt.acknowledgement_ref == ack
        session.execute(update(SignedReceipt).where(mine).values(**values))

    return change


def forge(session: Session, ack: int) -> None:
    receipt = acks.last_receipt(session, ack)
    assert receipt is not None
    head, body, signature = receipt.jws.split(".")
    receipt.jws = ".".join((head, body[:-8] + ("A" * 8), signature))


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (change_ack(text="You will have supply all day."), "another text"),
        (change_ack(text_sha256="0" * 64), "hash of the text"),
        (change_ack(state=AckState.REFUSED), "another answer"),
        (change_ack(signer_name="Bernd Anders"), "another signer"),
        (change_ack(way=AckWay.PAPER), "another way"),
        (change_ack(revision=7), "another revision"),
        (change_receipt(signed_at=NOW - timedelta(days=1)), "another time"),
        (change_receipt(sha256="1" * 64), "another hash"),
        (forge, "signature does not fit"),
    ],
)
def test_a_change_made_by_hand_is_found_at_its_place(
    rt: Runtime, tamper: Callable[[Session, int], None], said: str
) -> None:
    asked = sign(rt, 3)
    with rt.database.write() as session:
        tamper(session, asked[1])
    report = receipts.verify_database(rt)
    assert (report.ok, report.broken_at, report.reason) == (False, 2, Break.CHANGED)
    assert said in report.detail


def test_a_receipt_taken_from_the_middle_or_the_end_is_missed(rt: Runtime) -> None:
    asked = sign(rt, 3)
    with rt.database.write() as session:
        session.execute(delete(SignedReceipt).where(SignedReceipt.acknowledgement_ref == asked[2]))
    report = receipts.verify_database(rt)
    assert (report.broken_at, report.reason) == (3, Break.TRUNCATED)
    assert str(asked[2]) in report.detail
    with rt.database.write() as session:
        session.execute(delete(SignedReceipt).where(SignedReceipt.acknowledgement_ref == asked[0]))
    report = receipts.verify_database(rt)
    assert (report.broken_at, report.reason) == (1, Break.REMOVED)


def test_an_answer_that_was_never_signed_is_found(rt: Runtime) -> None:
    sign(rt, 1)
    with rt.database.write() as session:
        customer = add_customer(session)
        outage = add_outage(session, [customer])
        acknowledge.request_for(session, rt, outage, outage.standing, [customer.id], NOW)
        (ack,) = acks.of_revision(session, outage.id, 1)
        ack.state, ack.answered_at = AckState.ACKNOWLEDGED, NOW
    assert receipts.verify_database(rt).reason is Break.TRUNCATED


def test_a_rotated_key_keeps_the_chain_and_a_lost_one_is_named(rt: Runtime) -> None:
    sign(rt, 2)
    file = Path(rt.settings.signing_key_file)
    old, new = json.loads(file.read_text()), json.loads(new_key())
    rotated = Runtime(rt.settings, rt.database, rt.clock)
    file.write_text(json.dumps({"keys": [new, {name: old[name] for name in ("kty", "crv", "x", "kid")}]}))
    sign(rotated, 2)
    report = receipts.verify_database(rotated)
    assert (report.ok, report.count) == (True, 4), str(report)
    assert verify_export(exported(rotated).splitlines(keepends=True)).count == 4
    file.write_text(json.dumps(new))
    forgetful = Runtime(rt.settings, rt.database, rt.clock)
    assert receipts.verify_database(forgetful).ok
    with pytest.raises(OutageNotifyError, match=str(old["kid"])):
        exported(forgetful)
