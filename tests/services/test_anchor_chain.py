"""The daily head of the chain, from the first signature to an auditor's check of an export."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, update

from channels.chain_heads import Authorities
from channels.signing import Break, verify_export
from outage_notify.cli import cli
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.services import acknowledge, receipts
from outage_notify.services.acknowledge import Answer
from outage_notify.services.anchor_chain import anchor_due, listing
from outage_notify.services.runtime import Runtime
from outage_notify.settings import Settings
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store.acknowledgement_tables import AnswerScan, SignedReceipt
from outage_notify.store.database import Database
from tests.factories.people import NOW, TIMEZONE, add_customer, add_outage
from tests.factories.runtimes import StandingClock
from tests.fakes.simulation import Simulation, simulation
from tests.servers.timestamp_authority import TimestampAuthority

AUDITOR = "auditor@example.org"


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Simulation]:
    with simulation(tmp_path / "simulator") as running:
        yield running


@pytest.fixture
def rt(
    migrated_url: str, tmp_path: Path, timestamp_authority: TimestampAuthority, mailbox: Simulation
) -> Iterator[Runtime]:
    environ = {
        "SIMULATOR": "1",
        "STATE_DIR": str(tmp_path),
        "DATABASE_URL": migrated_url,
        "TIMEZONE": TIMEZONE,
        "SMTP_URL": mailbox.simulator.smtp_url,
        "TIMESTAMP_URL": timestamp_authority.url,
        "TIMESTAMP_AUTHORITY_FILE": str(timestamp_authority.roots),
        "CHAIN_MAIL_TO": AUDITOR,
    }
    settings = Settings.load({f"OUTAGE_NOTIFY_{name}": value for name, value in environ.items()})
    runtime = Runtime(settings, Database(settings.database_url), StandingClock(NOW))
    yield runtime
    runtime.database.close()


def turn(rt: Runtime, **later: float) -> None:
    assert isinstance(rt.clock, StandingClock)
    rt.clock.instant += timedelta(**later)


def sign(rt: Runtime, number: int, scan: bytes = b"") -> None:
    way = AckWay.PAPER if scan else AckWay.LINK
    with rt.database.write() as session:
        now = rt.now(session)
        customers = [add_customer(session, channels=(), backup=False) for _ in range(number)]
        outage = add_outage(session, customers)
        acknowledge.request_for(session, rt, outage, outage.standing, [one.id for one in customers], now)
        for ack in acks.of_revision(session, outage.id, 1):
            given = Answer(AckState.ACKNOWLEDGED, way, "Anna Brandt", "director", scan=scan)
            acknowledge.answer_in(session, rt, ack, given, now)


def exported(rt: Runtime) -> list[str]:
    out = io.StringIO()
    receipts.export(rt, out)
    return out.getvalue().splitlines(keepends=True)


def test_each_day_with_a_signature_has_one_head_stamped_and_mailed_once(
    rt: Runtime, timestamp_authority: TimestampAuthority, mailbox: Simulation
) -> None:
    before = timestamp_authority.asked
    assert anchor_due(rt) == 0 and listing(rt) == []  # nothing was signed yet
    sign(rt, 3)
    assert anchor_due(rt) == 2
    sign(rt, 1)
    for _ in range(3):
        assert anchor_due(rt) == 0
    turn(rt, days=1)
    anchor_due(rt)
    turn(rt, days=1)
    assert anchor_due(rt) == 0  # nothing was signed since
    assert [one.receipts for one in listing(rt)] == [3, 4]
    assert all(one.stamp and one.mailed_to == AUDITOR for one in listing(rt))
    assert timestamp_authority.asked - before == 2
    mails = [one for one in mailbox.ledger() if one["to"] == AUDITOR]
    assert len(mails) == 2


def test_a_refused_stamp_is_asked_for_again_an_hour_later(
    rt: Runtime, timestamp_authority: TimestampAuthority
) -> None:
    sign(rt, 1)
    timestamp_authority.answer = (503, b"")
    assert anchor_due(rt) == 1  # the mail alone
    asked = timestamp_authority.asked
    turn(rt, minutes=30)
    anchor_due(rt)
    assert timestamp_authority.asked == asked
    timestamp_authority.answer = None
    turn(rt, minutes=31)
    assert anchor_due(rt) == 1
    assert listing(rt)[0].stamp


def test_an_auditor_sees_that_the_past_was_rewritten(
    rt: Runtime, timestamp_authority: TimestampAuthority, tmp_path: Path
) -> None:
    sign(rt, 4)
    anchor_due(rt)
    sign(rt, 1)
    file = tmp_path / "receipts.txt"
    file.write_text("".join(exported(rt)), encoding="utf-8")
    words = ["receipts", "verify", str(file), "--authority", str(timestamp_authority.roots)]
    said = CliRunner().invoke(cli, words, standalone_mode=False)
    assert said.return_value == 0 and "Receipts 1 to 4 stood on" in said.output, said.output
    shown = CliRunner().invoke(cli, [*words, "--json"], standalone_mode=False)
    assert [one["count"] for one in json.loads(shown.output)["stamped"]] == [4]
    mailed = f"4:{listing(rt)[0].sha256}"
    wrong = f"4:{'0' * 64}"
    assert CliRunner().invoke(cli, [*words, "--head", mailed], standalone_mode=False).return_value == 0
    assert CliRunner().invoke(cli, [*words, "--head", wrong], standalone_mode=False).return_value == 1


def test_a_chain_that_does_not_bear_its_heads_is_found_in_the_database_and_in_the_export(
    rt: Runtime, timestamp_authority: TimestampAuthority
) -> None:
    sign(rt, 3)
    anchor_due(rt)
    report = receipts.verify_database(rt)
    assert (report.ok, report.heads, [one.count for one in report.stamped]) == (True, 1, [3]), str(report)
    with rt.database.write() as session:  # the newest two are taken out, and one is signed in their place
        session.execute(delete(SignedReceipt).where(SignedReceipt.sequence > 1))
    sign(rt, 2)
    report = receipts.verify_database(rt)
    assert (report.ok, report.broken_at) == (False, 3)
    trusted = Authorities.load(timestamp_authority.roots)
    report = verify_export(exported(rt), None, trusted)
    assert (report.ok, report.broken_at, report.reason) == (False, 3, Break.CHANGED)


def test_another_scan_beside_a_receipt_is_found(rt: Runtime) -> None:
    sign(rt, 1, b"%PDF-1.4 slip")
    assert receipts.verify_database(rt).ok
    for change in (
        update(AnswerScan).values(content=b"%PDF-1.4 other"),
        update(AnswerScan).values(content=b"%PDF-1.4 slip", sha256="0" * 64),
        delete(AnswerScan),
    ):
        with rt.database.write() as session:
            session.execute(change)
        report = receipts.verify_database(rt)
        assert (report.ok, report.broken_at) == (False, 1) and "scan of the slip" in report.detail
