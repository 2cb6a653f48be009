"""resolve: who loses supply, by tier. Needs nothing but the database."""

from __future__ import annotations

from typing import Any

import click

from outage_notify.cli.common import json_option, runtime, switching_options
from outage_notify.cli.output import emit, show, table

SHOWN = 40  # ids in a line of text; JSON has them all


@click.command()
@switching_options
@click.option(
    "--why",
    multiple=True,
    metavar="load:ID",
    help="Also say what fed this load before, where it was cut, and what feeds it now. May be repeated.",
)
@click.option(
    "--with",
    "beside",
    multiple=True,
    metavar="REFERENCE",
    help="Trace together with this open outage, such as PO-2026-0417. May be repeated.",
)
@click.option("--suggest", is_flag=True, help="Also suggest the smallest isolation and the ties to close.")
@click.option("--allow-loops", is_flag=True, help="With --suggest: a tie may join what is fed already.")
@json_option
def resolve(
    work: tuple[str, ...],
    out: tuple[str, ...],
    close: tuple[str, ...],
    close_ties: bool,
    why: tuple[str, ...],
    beside: tuple[str, ...],
    suggest: bool,
    allow_loops: bool,
    as_json: bool,
) -> int:
    """Trace the network as it will be switched: which loads and customers lose supply?

    An element is kind:id, such as line:12, trafo:3, switch:9, bus:4, load:7, or feeder:NAME.
    """
    from outage_notify.services.resolve_audience import Switching
    from outage_notify.services.switching_advice import advised

    if not (work or out or why or beside):
        raise click.UsageError("Name what will be worked on (--work) or is out (--out).")
    if allow_loops and not suggest:
        raise click.UsageError("--allow-loops says how to --suggest; add --suggest.")
    with runtime() as rt:
        answer = advised(
            rt,
            Switching(work, out, close, close_ties),
            why=why,
            suggest_ties=suggest,
            allow_loops=allow_loops,
            beside=beside,
        )
    if as_json:
        emit(answer)
    else:
        if "lost" in answer:
            _show(answer)
        _show_advice(answer)
    return 0


def _show_advice(answer: dict[str, Any]) -> None:
    if found := answer.get("with"):
        together = [
            f"{one['service_point']} ({one['tier']}, {one['impact']})" for one in found["only_together"]
        ]
        show(f"hit harder together with {', '.join(found['outages'])} ({len(together)}): {_few(together)}")
        if found["not_closable"]:
            show(f"ties of theirs that must stay open: {_few(found['not_closable'])}")
    if found := answer.get("suggested"):
        show(f"suggested isolation ({len(found['isolation'])}): {_few(found['isolation'])}")
        for one in found["ties"]:
            over = "".join(
                f"; overloads {it['element']}: {it['load_mva']} of {it['rating_mva']} MVA"
                for it in one["overloads"]
            )
            bought = f"{one['customers']} customers on {one['loads']} loads, weight {one['weight']}"
            show(f"suggested tie {', '.join(one['close'])} keeps {bought}{over}")
        show(f"then lost ({len(found['lost'])}): {_few(found['lost'])}")
        if found["loops_left_out"]:
            show(f"left out, since they close a loop: {_few(found['loops_left_out'])}")
    for one in answer.get("why", ()):
        show(f"{one['load']} on {one['phases']}: {one['state']}")
        for label, key in (("fed before by", "before"), ("cut at", "cut"), ("fed now by", "now")):
            show(f"  {label}: {' > '.join(one[key]) or '-'}")


def _few(ids: list[str]) -> str:
    more = f", ... ({len(ids) - SHOWN} more)" if len(ids) > SHOWN else ""
    return (", ".join(ids[:SHOWN]) + more) or "-"


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
        show(f"{label} ({len(ids)}): {_few(ids)}")
