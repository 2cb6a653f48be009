"""outage: the life of a planned outage, one command for each step. Every step names who takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from outage_notify.cli.common import by_option, json_option, reason_texts, runtime, switching_options
from outage_notify.cli.groups import LazyGroup
from outage_notify.cli.output import emit, say, show
from outage_notify.domain.outage import OutageKind

if TYPE_CHECKING:
    from outage_notify.services.plan_outage import PlanRequest
    from outage_notify.services.runtime import Runtime

F = TypeVar("F", bound=Callable[..., Any])

QUESTIONS = {
    "show": "outage_notify.cli.outage_questions:show_outage",
    "list": "outage_notify.cli.outage_questions:list_outages",
    "preflight": "outage_notify.cli.outage_questions:preflight",
    "paper": "outage_notify.cli.announcements:paper",
    "announce": "outage_notify.cli.announcements:announce",
    "announcements": "outage_notify.cli.announcements:announcements",
    "plan-notice": "outage_notify.cli.announcements:plan_notice",
}


class OutageGroup(LazyGroup):
    """The steps below, and the questions of another file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands, *self.commands_at]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self.commands.get(cmd_name) or super().get_command(ctx, cmd_name)


@click.group(cls=OutageGroup, commands_at=QUESTIONS)
def outage() -> None:
    """Plan, approve, change, run and look at outages."""


def request_options(required: bool) -> Callable[[F], F]:
    """What describes an outage. Where not required, what is left out stays as it was."""
    note = "" if required else " Left out: as before."

    def decorate(command: F) -> F:
        options = [
            click.option(
                "--kind",
                type=click.Choice([kind.value for kind in OutageKind]),
                default="planned" if required else None,
                show_default=required,
                help="What kind of work." + note,
            ),
            click.option(
                "--start",
                required=required,
                metavar="TIME",
                help='Local time, such as "2026-12-01 08:00".' + note,
            ),
            click.option("--end", required=required, metavar="TIME", help="Local time." + note),
            click.option(
                "--reason",
                "reasons",
                multiple=True,
                required=required,
                metavar="[LANG=]TEXT",
                help='Why, for customers; "zh-CN=..." and "en=...", may be repeated.' + note,
            ),
            click.option("--area", default="" if required else None, help="Area in words." + note),
            click.option("--line", default="" if required else None, help="Line or station in words." + note),
        ]
        for option in reversed(options):
            command = option(command)
        return switching_options(command)

    return decorate


def _instant(rt: Runtime, text: str, field: str) -> Any:
    from outage_notify.domain.window import local_instant

    return local_instant(text, rt.zone, field=field)


def _request(rt: Runtime, given: dict[str, Any], before: PlanRequest | None = None) -> PlanRequest:
    """What was typed, over what stood before."""
    from outage_notify.services.plan_outage import PlanRequest

    def choose(name: str, typed: Any) -> Any:
        return getattr(before, name) if before is not None and typed in (None, (), {}) else typed

    switching = any((given["work"], given["out"], given["close"], given["close_ties"]))
    start, end = given["start"], given["end"]
    return PlanRequest(
        kind=choose("kind", OutageKind(given["kind"]) if given["kind"] else None),
        start=choose("start", _instant(rt, start, "start") if start else None),
        end=choose("end", _instant(rt, end, "end") if end else None),
        reason=choose("reason", reason_texts(given["reasons"])),
        area=choose("area", given["area"]),
        line=choose("line", given["line"]),
        # The switching is one thought: naming a part of it anew replaces all of it.
        work=given["work"] if switching or before is None else before.work,
        out=given["out"] if switching or before is None else before.out,
        close=given["close"] if switching or before is None else before.close,
        close_ties=given["close_ties"] if switching or before is None else before.close_ties,
    )


def _before(rt: Runtime, reference: str) -> PlanRequest:
    """The request of the newest revision, so that a change need only name what changes."""
    from outage_notify.services.plan_outage import PlanRequest
    from outage_notify.store.outage_queries import outage_by_reference

    with rt.database.read() as session:
        found = outage_by_reference(session, reference)
        newest = found.newest
        switching = newest.switching
        return PlanRequest(
            kind=found.kind,
            start=newest.start,
            end=newest.end,
            reason=newest.reason,
            area=newest.area,
            line=newest.line,
            work=tuple(switching.get("work", ())),
            out=tuple(switching.get("out", ())),
            close=tuple(switching.get("close", ())),
            close_ties=bool(switching.get("close_ties", False)),
        )


def _answer(rt: Runtime, reference: str, as_json: bool, text: str) -> int:
    """After a step: the outage as it is now (JSON), or one line."""
    if as_json:
        from outage_notify.services.outage_views import outage_view

        emit(outage_view(rt, reference))
    else:
        show(text)
    return 0


@outage.command()
@request_options(required=True)
@by_option
@json_option
def plan(by: str, as_json: bool, **given: Any) -> int:
    """Enter a new outage as a draft, and print its reference."""
    from outage_notify.services.plan_outage import plan as step

    with runtime() as rt:
        reference = step(rt, by, _request(rt, given))
        return _answer(rt, reference, as_json, reference)


@outage.command()
@click.argument("reference")
@request_options(required=False)
@by_option
@json_option
def edit(reference: str, by: str, as_json: bool, **given: Any) -> int:
    """Change a draft."""
    from outage_notify.services.plan_outage import edit as step

    with runtime() as rt:
        step(rt, by, reference, _request(rt, given, _before(rt, reference)))
        return _answer(rt, reference, as_json, f"{reference}: changed.")


@outage.command()
@click.argument("reference")
@request_options(required=False)
@by_option
@json_option
def revise(reference: str, by: str, as_json: bool, **given: Any) -> int:
    """Draft a new revision of an approved outage; the standing one stands until this is approved."""
    from outage_notify.services.plan_outage import revise as step

    with runtime() as rt:
        number = step(rt, by, reference, _request(rt, given, _before(rt, reference)))
        return _answer(rt, reference, as_json, f"{reference}: revision {number} is drafted.")


@outage.command()
@click.argument("reference")
@click.option(
    "--exception-reason",
    default="",
    help="Why the law's lead cannot be kept or a check should be let through, where that is permitted.",
)
@by_option
@json_option
def submit(reference: str, exception_reason: str, by: str, as_json: bool) -> int:
    """Hand the draft to another person for approval."""
    from outage_notify.services.plan_outage import submit as step

    with runtime() as rt:
        step(rt, by, reference, exception_reason)
        return _answer(rt, reference, as_json, f"{reference}: submitted.")


@outage.command()
@click.argument("reference")
@click.option(
    "--accept-exception", is_flag=True, help="Accept the exception from the law's lead that was asked for."
)
@click.option(
    "--override-reason", default="", help="Why you let the checks through that the planner asked for."
)
@by_option
@json_option
def approve(reference: str, accept_exception: bool, override_reason: str, by: str, as_json: bool) -> int:
    """Approve what another person submitted; from here on customers are told.

    Duties that no channel at hand meets (writing, where only a telephone is known) are named.
    """
    from outage_notify.services.approve_outage import approve as step
    from outage_notify.services.approve_outage import preflight

    with runtime() as rt:
        ahead = preflight(rt, reference)
        step(rt, by, reference, accept_exception, override_reason=override_reason)
        for duty in ahead.unmet_duties:
            say(f"Not met by the channels at hand: {duty}.")
        if ahead.missing_contacts:
            say(f"Without telephone and e-mail: {ahead.missing_contacts}; see `outage-notify letters list`.")
        return _answer(rt, reference, as_json, f"{reference}: approved.")


@outage.command("send-back")
@click.argument("reference")
@click.option("--reason", required=True, help="What the planner should change.")
@by_option
@json_option
def send_back(reference: str, reason: str, by: str, as_json: bool) -> int:
    """Return what was submitted to the planner."""
    from outage_notify.services.plan_outage import send_back as step

    with runtime() as rt:
        step(rt, by, reference, reason)
        return _answer(rt, reference, as_json, f"{reference}: sent back.")


@outage.command()
@click.argument("reference")
@click.option("--reason", required=True, help="Why, for the record and for customers.")
@by_option
@json_option
def cancel(reference: str, reason: str, by: str, as_json: bool) -> int:
    """Cancel; whoever was told is told."""
    from outage_notify.services.run_outage import cancel as step

    with runtime() as rt:
        step(rt, by, reference, reason)
        return _answer(rt, reference, as_json, f"{reference}: cancelled.")


@outage.command()
@click.argument("reference")
@click.option("--reason", required=True, help="Why it may start although key customers have not signed.")
@by_option
@json_option
def go(reference: str, reason: str, by: str, as_json: bool) -> int:
    """Decide that it may start without all signatures; another person starts it."""
    from outage_notify.services.start_gate import decide as step

    with runtime() as rt:
        missing = step(rt, by, reference, reason)
        return _answer(rt, reference, as_json, f"{reference}: may start, {missing} not signed.")


@outage.command()
@click.argument("reference")
@by_option
@json_option
def start(reference: str, by: str, as_json: bool) -> int:
    """The work has begun and supply is off."""
    from outage_notify.services.run_outage import start as step

    with runtime() as rt:
        step(rt, by, reference)
        return _answer(rt, reference, as_json, f"{reference}: started.")


@outage.command()
@click.argument("reference")
@click.option("--until", required=True, metavar="TIME", help="Local time at which supply is expected back.")
@by_option
@json_option
def overrun(reference: str, until: str, by: str, as_json: bool) -> int:
    """The work takes longer; say until when."""
    from outage_notify.services.run_outage import overrun as step

    with runtime() as rt:
        step(rt, by, reference, _instant(rt, until, "until"))
        return _answer(rt, reference, as_json, f"{reference}: overruns.")


@outage.command()
@click.argument("reference")
@by_option
@json_option
def complete(reference: str, by: str, as_json: bool) -> int:
    """The work is done and supply is back."""
    from outage_notify.services.run_outage import complete as step

    with runtime() as rt:
        step(rt, by, reference)
        return _answer(rt, reference, as_json, f"{reference}: completed.")
