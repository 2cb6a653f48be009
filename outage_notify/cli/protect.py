"""protect: dates on which supply is kept (保电); a plan that touches one has to be answered for."""

from __future__ import annotations

from datetime import datetime

import click

from outage_notify.cli.common import by_option, json_option, runtime
from outage_notify.cli.output import emit, show, table

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def protect() -> None:
    """Protected dates, such as examinations and festivals."""


@protect.command()
@click.argument("first", type=DAY)
@click.argument("last", type=DAY, required=False)
@click.option("--name", required=True, help="What is protected.")
@by_option
@json_option
def add(first: datetime, last: datetime | None, name: str, by: str, as_json: bool) -> int:
    """Protect the days from FIRST to LAST (or FIRST alone), written as 2026-06-07."""
    from outage_notify.services import protected_dates

    with runtime() as rt:
        number = protected_dates.add(rt, by, first.date(), (last or first).date(), name)
    if as_json:
        emit({"id": number})
    else:
        show(f"Protected as number {number}.")
    return 0


@protect.command("list")
@json_option
def list_all(as_json: bool) -> int:
    """Show the protected dates that are not over."""
    from outage_notify.services import protected_dates

    with runtime() as rt:
        found = protected_dates.listing(rt)
    if as_json:
        emit(found)
    else:
        columns = ["id", "first", "last", "name", "added_by"]
        table(columns, ([str(one[name]) for name in columns] for one in found))
    return 0


@protect.command()
@click.argument("number", type=int)
@by_option
def remove(number: int, by: str) -> int:
    """Take a protected date out of force."""
    from outage_notify.services import protected_dates

    with runtime() as rt:
        protected_dates.remove(rt, by, number)
    show(f"{number} is released.")
    return 0
