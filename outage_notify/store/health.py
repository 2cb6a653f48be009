"""What `doctor` asks a database: does it answer, and is it set up as the product needs it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, text

from outage_notify.store.database import Database

LEAST_POSTGRES = 14
LEAST_SQLITE = (3, 38)


@dataclass
class DatabaseFacts:
    name: str
    faults: list[str] = field(default_factory=list)
    remedy: str = ""


def examine(database: Database) -> DatabaseFacts:
    """Raises SQLAlchemy's errors if the database cannot be reached."""
    with database.engine.connect() as connection:
        return _sqlite(database, connection) if database.is_sqlite else _postgres(connection)


def _sqlite(database: Database, connection: Connection) -> DatabaseFacts:
    version: str = connection.execute(text("SELECT sqlite_version()")).scalar_one()
    facts = DatabaseFacts(f"SQLite {version}")
    if tuple(int(part) for part in version.split(".")[:2]) < LEAST_SQLITE:
        facts.faults.append(f"SQLite {version} is too old.")
        facts.remedy = "Install a Python with SQLite 3.38 or newer, or use PostgreSQL."
    if connection.execute(text("PRAGMA journal_mode")).scalar_one() != "wal":
        facts.faults.append("It cannot keep a write-ahead log, so readers and writers block each other.")
        facts.remedy = "Put it on a local disk, not on a network share."
    path = Path(database.url.database or "")
    if not (writable(path) and writable(path.absolute().parent)):
        facts.faults.append(f"{path} or its folder cannot be written.")
        facts.remedy = "Give this user the right to write there."
    return facts


def _postgres(connection: Connection) -> DatabaseFacts:
    number = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    facts = DatabaseFacts(f"PostgreSQL {number // 10_000}.{number % 10_000}")
    if number // 10_000 < LEAST_POSTGRES:
        facts.faults.append(f"PostgreSQL {number // 10_000} is too old.")
        facts.remedy = f"Use PostgreSQL {LEAST_POSTGRES} or newer."
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        facts.faults.append(f"Its encoding is {encoding}, which cannot hold every name.")
        facts.remedy = "Create the database with ENCODING 'UTF8'."
    return facts


def writable(place: Path) -> bool:
    return os.access(place, os.W_OK)
