"""letters: written notices, from the printer to the letter box."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from outage_notify.cli.common import by_option, json_option, runtime
from outage_notify.cli.output import emit, say, show, table
from outage_notify.domain.errors import InvalidInput

day = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def letters() -> None:
    """Written notices: print what waits, enter when it was posted and delivered."""


@letters.command("list")
@json_option
def list_pending(as_json: bool) -> int:
    """Show the letters that wait."""
    from outage_notify.services import print_letters

    with runtime() as rt:
        rows = print_letters.pending(rt)
    return _show_rows(rows, as_json, "No letter waits.")


@letters.command()
@click.argument("reference")
@json_option
def batches(reference: str, as_json: bool) -> int:
    """Show the printed batches of outage REFERENCE with their dates."""
    from outage_notify.services import print_letters

    with runtime() as rt:
        rows = [dataclasses.asdict(one) for one in print_letters.batches(rt, reference)]
    return _show_rows(rows, as_json, "Nothing was printed.")


def _show_rows(rows: list[dict[str, Any]], as_json: bool, nothing: str) -> int:
    if as_json:
        emit(rows)
    elif not rows:
        show(nothing)
    else:
        columns = list(rows[0])
        titles = [column.replace("_", " ") for column in columns]
        table(titles, ([row[one] for one in columns] for row in rows))
    return 0


@letters.command("print")
@click.argument("reference")
@click.option(
    "--to", "file", type=click.Path(path_type=Path, dir_okay=False), required=True, help="PDF to write."
)
@by_option
@json_option
def print_batch(reference: str, file: Path, by: str, as_json: bool) -> int:
    """Put all letters of outage REFERENCE that wait into one PDF: a batch."""
    from outage_notify.services import print_letters

    _require_free(file)
    with runtime() as rt:
        batch, pdf = print_letters.print_batch(rt, by, reference)
    file.write_bytes(pdf)
    if as_json:
        emit({"batch": batch, "file": str(file)})
    else:
        show(f"Batch {batch}: {file}")
        say(f"When it is posted: outage-notify letters posted {batch} --by {by}")
    return 0


def _require_free(file: Path) -> None:
    """Asked before a batch is made, so that its PDF has a place to go."""
    if file.exists():
        raise InvalidInput(f"{file} exists; it is not overwritten.", "Name another file.")
    if not file.absolute().parent.is_dir():
        raise InvalidInput(f"There is no folder {file.parent}.", "Name another file.")


@letters.command()
@click.argument("batch", type=int)
@click.option(
    "--to", "file", type=click.Path(path_type=Path, dir_okay=False), required=True, help="PDF to write."
)
def reprint(batch: int, file: Path) -> int:
    """Write the PDF of BATCH again, as it was printed."""
    from outage_notify.services import print_letters

    _require_free(file)
    with runtime() as rt:
        pdf = print_letters.reprint(rt, batch)
    file.write_bytes(pdf)
    show(str(file))
    return 0


@letters.command()
@click.argument("batch", type=int)
@click.argument("letter")
@by_option
def returned(batch: int, letter: str, by: str) -> int:
    """Enter that one LETTER of BATCH came back; its reference is at its foot."""
    from outage_notify.services import print_letters

    with runtime() as rt:
        print_letters.mark_returned(rt, by, batch, letter)
    show(f"Letter {letter}: returned; the next channel takes over.")
    return 0


def _entry(batch: int, on: datetime | None, by: str, what: str) -> int:
    from outage_notify.services import print_letters

    with runtime() as rt:
        with rt.database.read() as session:
            when: date = on.date() if on else rt.now(session).astimezone(rt.zone).date()
        mark = print_letters.mark_posted if what == "posted" else print_letters.mark_delivered
        count = mark(rt, by, batch, when)
    show(f"Batch {batch}: {count} letters {what} on {when.isoformat()}.")
    return 0


@letters.command()
@click.argument("batch", type=int)
@click.option("--on", type=day, help="Date, such as 2026-12-01; by default today.")
@by_option
def posted(batch: int, on: datetime | None, by: str) -> int:
    """Enter that BATCH was posted."""
    return _entry(batch, on, by, "posted")


@letters.command()
@click.argument("batch", type=int)
@click.option("--on", type=day, help="Date, such as 2026-12-01; by default today.")
@by_option
def delivered(batch: int, on: datetime | None, by: str) -> int:
    """Enter that BATCH was delivered."""
    return _entry(batch, on, by, "delivered")
