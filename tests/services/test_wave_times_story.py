"""Approval makes waves begin early enough, and refuses what can't be told in time."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from channels.model import Channel
from outage_notify.cli import main
from outage_notify.domain.errors import NotPermitted
from outage_notify.domain.notice import NoticeKind
from outage_notify.services import approve_outage, plan_outage, run_outage
from outage_notify.services.runtime import Runtime
from outage_notify.settings import Settings
from outage_notify.store import migrate
from outage_notify.store.delivery_tables import Delivery, Notice
from tests.factories import crowd


def runtime(url: str, folder: Path, per_second: float) -> Runtime:
    environ = {
        "SIMULATOR": "1",
        "STATE_DIR": str(folder),
        "DATABASE_URL": url,
        "TIMEZONE": crowd.ZONE.key,
        "SMS_PER_SECOND": str(per_second),
    }
    made = Runtime.build(Settings.load({f"OUTAGE_NOTIFY_{name}": value for name, value in environ.items()}))
    migrate.ensure(made.database)
    return made


def test_a_long_wave_begins_before_its_usual_time(database_url: str, tmp_path: Path) -> None:
    """2,000 texts at one in fifty seconds take 28 h, more than the day that is usually left for them."""
    rt = runtime(database_url, tmp_path, 0.02)
    crowd.fill(rt, 2000)
    reference, day = crowd.submitted(rt, days=20)
    approve_outage.approve(rt, "anton", reference)
    with rt.database.read() as session:
        rows = select(func.max(Delivery.due_at), Notice.deadline).join(
            Notice, Delivery.notice_ref == Notice.id
        )
        due, deadline = session.execute(
            rows.where(Notice.kind == NoticeKind.SEVEN_DAY).group_by(Notice.deadline)
        ).one()
    assert day < due
    # Texts wake nobody: of each day thirteen hours count, so that it takes at least two nights more.
    assert (deadline - due).total_seconds() / 3600 > 28 + 2 * 9
    rt.database.close()


def test_what_can_not_be_told_in_time_is_refused_with_the_arithmetic(
    database_url: str, tmp_path: Path
) -> None:
    rt = runtime(database_url, tmp_path, 0.002)
    crowd.fill(rt, 500)
    reference, _ = crowd.submitted(rt)
    with pytest.raises(NotPermitted, match=r"500 messages by sms at 0\.002 per second take 69\.4 h"):
        approve_outage.approve(rt, "anton", reference)
    with rt.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
    # Whoever answers for it may.
    assert approve_outage.approve(rt, "anton", reference, accept_exception=True) == 1000
    rt.database.close()


def test_the_preflight_says_of_each_wave_how_long_it_takes_and_whether_it_ends_in_time(
    database_url: str, tmp_path: Path
) -> None:
    rt = runtime(database_url, tmp_path, 0.002)
    crowd.fill(rt, 500)
    reference, _ = crowd.submitted(rt)
    waves = approve_outage.preflight(rt, reference).wave_plans
    assert [(one.notice, one.channel, one.count, one.late) for one in waves] == [
        (NoticeKind.SEVEN_DAY, Channel.SMS, 500, True),
        (NoticeKind.DAY_AHEAD, Channel.SMS, 500, False),
    ]
    first, second = waves
    assert "500 messages by sms at 0.002 per second take 69.4 h" in first.sentence
    assert "too late. At least" in first.sentence and "sending begins by" in second.sentence
    # The rate that it names is the one at which approval would no longer refuse.
    rt.database.close()
    faster = runtime(database_url, tmp_path, first.needed_per_second * 1.05)
    assert not any(one.late for one in approve_outage.preflight(faster, reference).wave_plans)
    assert approve_outage.approve(faster, "anton", reference) == 1000
    faster.database.close()


def test_the_start_that_it_names_leaves_time_enough(database_url: str, tmp_path: Path) -> None:
    rt = runtime(database_url, tmp_path, 0.002)
    crowd.fill(rt, 500)
    reference, _ = crowd.submitted(rt)
    first, _ = approve_outage.preflight(rt, reference).wave_plans
    assert f"a start of the work at {first.start_from:%Y-%m-%d %H:%M} or later" in first.sentence
    with pytest.raises(NotPermitted, match=f"at {first.start_from:%Y-%m-%d %H:%M} or later"):
        approve_outage.approve(rt, "anton", reference)
    for hours, late in ((-1, True), (1, False)):
        run_outage.cancel(rt, "petra", reference, "another day")
        start = first.start_from + timedelta(hours=hours)
        reference = plan_outage.plan(rt, "petra", crowd.request(start))
        plan_outage.submit(rt, "petra", reference)
        assert approve_outage.preflight(rt, reference).wave_plans[0].late is late
    assert approve_outage.approve(rt, "anton", reference) == 1000
    rt.database.close()


def test_whoever_asks_by_command_or_by_machine_is_told_the_same(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rt = runtime(database_url, tmp_path, 0.002)
    crowd.fill(rt, 500)
    reference, _ = crowd.submitted(rt)
    for name, value in rt.settings.as_environment().items():
        monkeypatch.setenv(name, value)
    assert main(["outage", "preflight", reference]) == 1
    assert "500 messages by sms at 0.002 per second take 69.4 h" in capsys.readouterr().out
    main(["outage", "preflight", reference, "--json"])
    told = json.loads(capsys.readouterr().out)["wave_plans"]
    assert [one["late"] for one in told] == [True, False]
    rt.database.close()
