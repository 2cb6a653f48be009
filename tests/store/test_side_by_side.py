"""Two releases work on one database while an upgrade goes on: what a newer one adds must not stop the older one.

A migration therefore only expands. What takes something away (a contraction) says so in its docstring, and may
come one release after the code stopped using it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import literal, select, text

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.store import claims
from outage_notify.store.database import Database
from outage_notify.store.delivery_tables import Delivery
from tests.factories.people import NOW, add_customer, add_delivery, add_notice, add_outage

VERSIONS = sorted((Path(__file__).parents[2] / "migrations" / "versions").glob("0*.py"))
# The releases before this one had nobody who could have run them side by side.
FIRST_HELD_TO_IT = "0016"
TAKES_AWAY = {"drop_table", "drop_column", "rename_table", "drop_constraint"}
MARK = "Contracts:"


def faults(source: str) -> list[str]:
    """What in a migration's `upgrade` an older release could stumble over."""
    tree = ast.parse(source)
    contracts = MARK in (ast.get_docstring(tree) or "")
    upgrade = next(one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "upgrade")
    found = []
    for call in (one for one in ast.walk(upgrade) if isinstance(one, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        given = {one.arg: one.value for one in call.keywords}
        if name in TAKES_AWAY and not contracts:
            found.append(f"{name} without '{MARK}' in the docstring")
        if name == "alter_column" and {"new_column_name", "type_"} & set(given) and not contracts:
            found.append(f"alter_column renames or retypes without '{MARK}' in the docstring")
        strict = isinstance(given.get("nullable"), ast.Constant) and given["nullable"].value is False
        if name == "alter_column" and strict and "server_default" not in given and not contracts:
            found.append("alter_column forbids NULL, which an older release may write")
        if name == "add_column":
            column = next((one for one in ast.walk(call) if _is_column(one)), None)
            words = {one.arg: one.value for one in column.keywords} if isinstance(column, ast.Call) else {}
            required = isinstance(words.get("nullable"), ast.Constant) and words["nullable"].value is False
            if required and "server_default" not in words:
                found.append("add_column of a column that an older release does not fill")
    return found


def _is_column(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "Column"


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_migration_only_expands_or_says_that_it_contracts(path: Path) -> None:
    if path.stem[:4] >= FIRST_HELD_TO_IT:
        assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('op.drop_table("x")', "drop_table"),
        ('op.alter_column("x", "a", new_column_name="b")', "renames"),
        ('op.alter_column("x", "a", nullable=False)', "NULL"),
        ('op.add_column("x", sa.Column("a", sa.String(3), nullable=False))', "does not fill"),
    ],
)
def test_what_would_stop_an_older_release_is_found(line: str, word: str) -> None:
    source = f'"""Text."""\n\ndef upgrade() -> None:\n    {line}\n'
    assert any(word in one for one in faults(source))
    assert "drop" not in word or faults(source.replace("Text.", f"{MARK} nothing reads it.")) == []


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    found = Database(migrated_url)
    yield found
    found.close()


def test_rows_of_a_kind_that_a_newer_release_knows_are_left_to_it(database: Database) -> None:
    """A channel and a state from tomorrow stand in the outbox: this worker sends its own and touches no other."""
    with database.write() as session:
        customer = add_customer(session)
        notice = add_notice(session, add_outage(session, [customer]))
        ours, theirs, odd = (
            add_delivery(session, notice, [customer], address=f"+4930231250{number:02d}").id
            for number in range(3)
        )
    with database.write() as session:
        session.execute(text("UPDATE deliveries SET channel = 'satellite' WHERE id = :id"), {"id": theirs})
        session.execute(text("UPDATE deliveries SET state = 'RESTING' WHERE id = :id"), {"id": odd})
    lease = timedelta(minutes=1)
    for _ in range(2):
        with database.write() as session:
            held = claims.claim(session, Channel.SMS, "w", NOW, lease, 10)
            begun = claims.begin_many(session, held, "w", "twilio-sms", NOW, lease)
            claims.accepted_many(session, {one: "SM1" for one in held if one.delivery in begun}, NOW, None)
            claims.release_expired(session, NOW + lease)
            claims.doubt_expired(session, NOW + lease, NOW)
            claims.expire(session, NOW)
    with database.read() as session:
        rows = dict(session.execute(text("SELECT id, channel || ' ' || state FROM deliveries")).all())
        assert rows == {ours: "sms ACCEPTED", theirs: "satellite READY", odd: "sms RESTING"}
        assert session.get_one(Delivery, ours).state is DeliveryState.ACCEPTED


def test_an_older_release_writes_rows_without_the_newest_columns(database: Database) -> None:
    """As its INSERT would look: it does not know `sender` and `words`."""
    with database.write() as session:
        customer = add_customer(session)
        notice = add_notice(session, add_outage(session, [customer]))
        row = add_delivery(session, notice, [customer], address="+493023125001").id
    table = Delivery.__table__
    known = [one for one in table.columns if one.name not in {"sender", "words"}]
    new = {"id": row + 1, "short_ref": "OLD", "address": "+493023125002"}
    copied = [literal(new[one.name]) if one.name in new else one for one in known]
    with database.write() as session:
        rows = select(*copied).where(table.c.id == row)
        session.execute(table.insert().from_select([one.name for one in known], rows, include_defaults=False))
    with database.read() as session:
        assert session.get_one(Delivery, row + 1).sender == ""
