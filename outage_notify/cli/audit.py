"""audit verify, audit export, audit list: the log of who did what, and whether it is whole."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from outage_notify.cli.common import json_option, runtime
from outage_notify.cli.output import emit, show, table
from outage_notify.domain.errors import InvalidInput


@click.group()
def audit() -> None:
    """The log of who did what."""


@audit.command()
@click.option("--head", metavar="N:SHA256", help="A head that was noted earlier and must still be there.")
@json_option
def verify(head: str | None, as_json: bool) -> int:
    """Walk the chain over all events. Exit status 1 if a link does not hold."""
    from outage_notify.services import audit_trail

    noted = None
    if head is not None:
        found = re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", head.strip())
        if found is None:
            raise InvalidInput(
                f"{head[:40]!r} is no head.", "Write it as `audit verify` printed it: N:SHA256."
            )
        noted = (int(found[1]), found[2])
    with runtime() as rt:
        audit_trail.seal(rt)
        report = audit_trail.verify(rt, noted)
    if as_json:
        emit(
            {
                "ok": report.ok,
                "links": report.links,
                "head": f"{report.links}:{report.head}",
                "unsealed": report.unsealed,
                "broken_at": report.broken_at,
                "reason": report.reason,
            }
        )
    else:
        show(str(report))
    return 0 if report.ok else 1


@audit.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def export(file: Path) -> int:
    """Write every event with its link to FILE, a line of JSON each. An existing file is not overwritten."""
    from outage_notify.services import audit_trail

    try:
        with runtime() as rt, file.open("x", encoding="utf-8", newline="\n") as stream:
            audit_trail.seal(rt)
            count = audit_trail.export(rt, stream)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}.", "Name another file.") from None
    show(f"{count} events in {file}")
    return 0


@audit.command("list")
@click.option("--actor", default="", help="Only what this user did.")
@click.option("--what", default="", help="Only events of this word.")
@click.option("--outage", default="", metavar="REF", help="Only about this outage.")
@json_option
def list_all(actor: str, what: str, outage: str, as_json: bool) -> int:
    """The newest hundred entries."""
    from outage_notify.services import audit_trail
    from outage_notify.store.trail_queries import Wanted

    with runtime() as rt:
        found, _ = audit_trail.page(rt, Wanted(actor, what, outage))
    if as_json:
        emit(
            [
                audit_trail.canonical(one.event) | {"outage": one.reference, "customer": one.customer_id}
                for one in found
            ]
        )
        return 0
    rows = [
        [f"{one.event.at:%Y-%m-%d %H:%M:%S}", one.event.actor, one.event.what, one.reference, one.customer_id]
        for one in found
    ]
    table(["when (UTC)", "who", "what", "outage", "customer"], rows)
    return 0
