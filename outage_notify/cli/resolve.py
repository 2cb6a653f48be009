"""resolve: who loses supply, by tier. Needs nothing but the database."""

from __future__ import annotations

from typing import Any

import click

from outage_notify.cli.common import json_option, runtime, switching_options
from outage_notify.cli.output import emit, show, table

SHOWN = 40  # ids in a line of text; JSON has them all


@click.command()
@switching_options
@json_option
def resolve(
    work: tuple[str, ...], out: tuple[str, ...], close: tuple[str, ...], close_ties: bool, as_json: bool
) -> int:
    """Trace the network as it will be switched: which loads and customers lose supply?

    An element is kind:id, such as line:12, trafo:3, switch:9, bus:4, load:7, or feeder:NAME.
    """
    from outage_notify.services.resolve_audience import resolve_json

    if not (work or out):
        raise click.UsageError("Name what will be worked on (--work) or is out (--out).")
    with runtime() as rt:
        answer = resolve_json(rt, work, out, close, close_ties)
    if as_json:
        emit(answer)
    else:
        _show(answer)
    return 0


def _show(answer: dict[str, Any]) -> None:
    counts = answer["by_tier"]
    columns = ["outage", "reduced", "momentary", "customers"]
    rows = [[tier, *(found[column] for column in columns)] for tier, found in counts.items()]
    rows.append(["all", *(sum(found[column] for found in counts.values()) for column in columns)])
    table(["tier", *columns], rows, right=columns)
    show("")
    for label, ids in (
        ("opened", answer["isolation"]["opened"]),
        ("closed", answer["isolation"]["closed"]),
        ("lost", answer["lost"]),
        ("lost on some phases", answer["partial"]),
        ("keep another feed", answer["reduced"]),
        ("short break", answer["momentary"]),
    ):
        shown = ", ".join(ids[:SHOWN]) + (f", ... ({len(ids) - SHOWN} more)" if len(ids) > SHOWN else "")
        show(f"{label} ({len(ids)}): {shown or '-'}")
