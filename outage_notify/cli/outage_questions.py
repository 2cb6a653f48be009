"""Questions about outages: list, show, preflight, and explain (why was she told, or not?)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from outage_notify.cli.common import json_option, runtime
from outage_notify.cli.output import emit, show, table
from outage_notify.domain.checks import Weight
from outage_notify.domain.outage import OutageState

LISTED = 8  # elements of a list that fit a line


@click.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in OutageState], case_sensitive=False),
    help="Only these; may be repeated.",
)
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=200, show_default=True, help="At most so many."
)
@json_option
def list_outages(states: tuple[str, ...], limit: int, as_json: bool) -> int:
    """Show outages, the newest first."""
    from outage_notify.services.outage_views import outage_list

    with runtime() as rt:
        found = outage_list(rt, [OutageState(state) for state in states], limit)
    if as_json:
        emit(found)
        return 0
    columns = ("reference", "state", "revision", "kind", "start", "end", "area", "line")
    shown = [name for name in columns if any(name in one for one in found)]
    table(shown or columns, ([one.get(name, "") for name in shown] for one in found))
    return 0


@click.command("show")
@click.argument("reference")
@json_option
def show_outage(reference: str, as_json: bool) -> int:
    """Show one outage with all that belongs to it."""
    from outage_notify.services.outage_views import outage_view

    with runtime() as rt:
        found = outage_view(rt, reference)
    if as_json:
        emit(found)
    else:
        _tree(found)
    return 0


@click.command()
@click.argument("reference")
@json_option
def preflight(reference: str, as_json: bool) -> int:
    """What an approver should know: lead, missing contacts, unmet duties, length of texts,
    and what else stands in the way.

    Exit status 1 if the law's lead or a duty is not met, a wave can't end before its deadline, or a check has
    to be answered for.
    """
    from outage_notify.services.announce import duty_dict
    from outage_notify.services.approve_outage import preflight as ask

    with runtime() as rt:
        seen = ask(rt, reference)
    found = dataclasses.asdict(seen)
    found["findings"] = [
        {"check": one.key, "weight": one.weight.value, "finding": one.sentence} for one in seen.findings
    ]
    found["wave_plans"] = [one.as_dict() if as_json else one.sentence for one in seen.wave_plans]
    found["announcements"] = [duty_dict(one) for one in seen.announcements]
    in_the_way = [one for one in seen.findings if one.weight is not Weight.ADVICE]
    late = [one for one in seen.wave_plans if one.late]
    clear = not (seen.lead_faults or seen.unmet_duties or in_the_way or late)
    if as_json:
        emit(json.loads(json.dumps(found, default=str)))
    else:
        _tree(found)
    return 0 if clear else 1


@click.command()
@click.option("--outage", "reference", required=True, metavar="REF", help="Reference of the outage.")
@click.option(
    "--customer", required=True, metavar="ID", help="The customer's id in the utility's own system."
)
@json_option
def explain(reference: str, customer: str, as_json: bool) -> int:
    """Why was this customer told, or not told, when and how: in order, with reasons."""
    from outage_notify.services.explain import explain as ask

    with runtime() as rt:
        steps = ask(rt, reference, customer)
    if as_json:
        emit(steps)
        return 0
    for step in steps:
        which = " ".join(str(step[name]) for name in ("notice", "channel", "delivery") if step.get(name))
        told = "; ".join(part for part in (which, str(step.get("why", ""))) if part)
        show(f"{step['at'] or 'not yet':<25}  {step['what']:<15}  {told}".rstrip())
    return 0


def _flat(value: Any) -> str:
    """One value on one line; long lists are cut, JSON has them whole."""
    if isinstance(value, list | tuple) and len(value) > LISTED:
        return f"{', '.join(map(str, value[:LISTED]))}, ... ({len(value)} in all)"
    return (
        json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)
    )


def _tree(value: Any, depth: int = 0) -> None:
    """Nested plain data as indented lines."""
    pad = "  " * depth
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(inner, Mapping | list | tuple) and inner:
                show(f"{pad}{name}:")
                _tree(inner, depth + 1)
            else:
                show(f"{pad}{name}: {'-' if inner in (None, '', [], (), {}) else inner}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            if isinstance(inner, Mapping):
                show(f"{pad}- " + "; ".join(f"{name}: {_flat(one)}" for name, one in inner.items()))
            else:
                show(f"{pad}- {inner}")
    else:
        show(f"{pad}{value}")
