"""A runtime on a migrated database, with a clock that stands where the test put it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from outage_notify.clock import Clock
from outage_notify.services.runtime import Runtime
from outage_notify.settings import Settings
from outage_notify.store import migrate
from outage_notify.store.database import Database
from tests.factories.people import NOW, TIMEZONE


class StandingClock(Clock):
    """Stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        super().__init__(simulated=True)
        self.instant = now

    def now(self, session: Session) -> datetime:
        return self.instant

    def at(self, instant: datetime, turned: timedelta) -> datetime:
        return self.instant


def make_runtime(database_url: str, folder: Path, now: datetime = NOW, policy: str = "cn") -> Runtime:
    """Settings of simulator mode (its key and state lie in `folder`); migrates what is not yet migrated."""
    environ = {
        "OUTAGE_NOTIFY_SIMULATOR": "1",
        "OUTAGE_NOTIFY_STATE_DIR": str(folder),
        "OUTAGE_NOTIFY_DATABASE_URL": database_url,
        "OUTAGE_NOTIFY_TIMEZONE": TIMEZONE,
        "OUTAGE_NOTIFY_POLICY": policy,
    }
    settings = Settings.load(environ)
    database = Database(settings.database_url)
    migrate.ensure(database)
    return Runtime(settings, database, StandingClock(now))
