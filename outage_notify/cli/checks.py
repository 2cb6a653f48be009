"""doctor and send-test: is this installation able to tell anybody anything?"""

from __future__ import annotations

import click

from outage_notify.cli.common import json_option, runtime
from outage_notify.cli.output import emit, say, show, table


@click.command()
@json_option
def doctor(as_json: bool) -> int:
    """Check database, broker, providers, key, fonts, clocks and settings; say what is missing.

    Changes nothing. Exit status 1 if anything is not in order.
    """
    from outage_notify.services.doctor import examine

    # The database may be the very thing that is out of order: nothing is migrated here.
    with runtime(migrated=False) as rt:
        findings = examine(rt)
    healthy = all(one.ok for one in findings.values())
    if as_json:
        emit({name: one.as_dict() for name, one in findings.items()})
    else:
        rows = [
            [name, "ok" if one.ok else "MISSING", f"{one.detail} {one.remedy}".strip()]
            for name, one in findings.items()
        ]
        table(["what", "state", "found"], rows)
        show("Everything is in order." if healthy else "Something is missing; see above.")
    return 0 if healthy else 1


@click.command("send-test")
@click.argument("channel", type=click.Choice(["sms", "voice", "email"]))
@click.argument("address")
@click.option("--language", type=click.Choice(["en", "zh-CN"]), default="en", show_default=True)
@json_option
def send_test(channel: str, address: str, language: str, as_json: bool) -> int:
    """Send one message to ADDRESS through the configured channel, and say what came back.

    Exit status 1 if the provider did not take it.
    """
    from channels.model import Channel, Language, OutcomeKind
    from outage_notify.services.send_test import send_test as send

    with runtime(migrated=False) as rt:
        result = send(rt, Channel(channel), address, Language(language))
    taken = result.outcome.kind is OutcomeKind.ACCEPTED
    if as_json:
        emit(result.as_dict())
    else:
        show(f"{result.sender}: {result.outcome.kind.value}")
        for label, value in (
            ("id at the provider", result.outcome.provider_id),
            ("code", result.outcome.code),
            ("reason", result.outcome.fault.value),
            ("detail", result.outcome.detail),
            ("state now", result.status),
        ):
            if value:
                show(f"  {label}: {value}")
    if not taken:
        say("The message was not taken; `outage-notify doctor` checks the settings.")
    return 0 if taken else 1
