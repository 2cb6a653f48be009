"""reconcile: what the worker does each minute, once and by hand, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from outage_notify.cli.common import json_option, runtime
from outage_notify.cli.output import emit, show, table

NAMED = 50  # people that the report names; JSON has all

DONE = {
    "released": "claims of workers that died before the call: free again",
    "doubted": "calls of workers that died: in doubt until the provider is asked",
    "found": "were in doubt, and the provider has them",
    "resent": "were in doubt, the provider was asked twice and has nothing: sent again",
    "reports": "reports of providers that were stored and not applied",
    "stepped": "messages by the next channel after one that failed",
    "hurried": "messages by the next channel because the time runs out",
    "expired": "were not sent and are of no use any more: withdrawn",
    "completed": "told of a change, now that it is known what they had been told",
    "escalated": "steps towards key customers who have not answered",
}
FOUND = {
    "outages": "approved outages",
    "people": "customers whom they affect",
    "overdue": "messages that should have been sent by now",
    "in_doubt": "messages in doubt",
}
OUTAGES = ("outage", "revision", "told", "on_the_way", "waiting", "not_reached", "by_hand", "untold")


@click.command()
@click.option(
    "--report",
    is_flag=True,
    help="Also what was done, how far each approved outage is told, and who is untold.",
)
@json_option
def reconcile(report: bool, as_json: bool) -> int:
    """Settle doubts, step ladders, escalate, audit: once, by hand. The worker does the same each minute.

    Exit status 1 if the audit does not hold.
    """
    from outage_notify.services.reconcile import reconcile as run
    from outage_notify.services.told_so_far import told_so_far

    with runtime() as rt:
        rt.settings.require("timezone")
        found = run(rt)
        answer = found.as_dict()
        if report:
            answer["outages"] = told_so_far(rt, found.audit["untold"])
    if as_json:
        emit(answer)
    else:
        if report:
            _tell(answer)
        untold, twice = len(found.audit["untold"]), len(found.audit["twice"])
        show(f"The audit {'holds' if found.holds else 'DOES NOT HOLD'}: untold {untold}, told twice {twice}.")
    return 0 if found.holds else 1


def _tell(answer: Mapping[str, Any]) -> None:
    audit = answer["audit"]
    show("Done by this run:")
    _counts(answer, DONE)
    show("Found by the audit:")
    _counts(audit, FOUND)
    if answer["outages"]:
        show("")
        titles = [name.replace("_", " ") for name in OUTAGES]
        table(titles, ([one[name] for name in OUTAGES] for one in answer["outages"]), right=titles[1:])
        show("")
    _named(
        "UNTOLD",
        [
            f"{one['notice']} notice of {one['outage']}; why: "
            f"outage-notify explain --outage {one['outage']} --customer {one['customer']}"
            for one in audit["untold"]
        ],
    )
    _named(
        "TOLD TWICE",
        [
            f"delivery {one['delivery']} of {one['outage']}: its provider has it twice"
            for one in audit["twice"]
        ],
    )


def _counts(values: Mapping[str, Any], words: Mapping[str, str]) -> None:
    for name, meaning in words.items():
        show(f"  {values[name]:>9,}  {meaning}")


def _named(what: str, lines: Sequence[str]) -> None:
    for line in lines[:NAMED]:
        show(f"{what}: {line}")
    if len(lines) > NAMED:
        show(f"{what}: and {len(lines) - NAMED:,} more; --json names all.")
