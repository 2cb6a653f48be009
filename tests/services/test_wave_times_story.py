"""Approval makes waves begin early enough, and refuses what can't be told in time."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from outage_notify.domain.errors import NotPermitted
from outage_notify.domain.notice import NoticeKind
from outage_notify.services import approve_outage
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
