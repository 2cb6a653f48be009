"""token: secrets with which machines use the JSON interface."""

from __future__ import annotations

import click

from outage_notify.cli.common import json_option, runtime
from outage_notify.cli.output import emit, say, show, table


@click.group()
def token() -> None:
    """Tokens of machines that file outages through the JSON interface."""


@token.command()
@click.option("--user", "username", required=True, help="As whom the machine acts; it has this user's roles.")
@click.option("--name", required=True, help="Which machine it is.")
@click.option("--days", default=365, show_default=True, help="How long it holds; 0: until it is revoked.")
@click.option("--by", default="system", metavar="USER", help="Who does this, for the record.")
def new(username: str, name: str, days: int, by: str) -> int:
    """Make a token and print its secret, once. Its user must have a role that changes something."""
    from outage_notify.services.machine_access import new_token

    with runtime() as rt:
        show(new_token(rt, by, username, name, days))
    say("Keep it where the machine reads it; it is not shown again.")
    return 0


@token.command("list")
@json_option
def list_all(as_json: bool) -> int:
    """Show all tokens, whose they are and until when they hold; no secret is among it."""
    from outage_notify.services.machine_access import listing

    with runtime() as rt:
        found = listing(rt)
    day = "%Y-%m-%d"
    rows = [
        {
            "name": one.name,
            "user": one.user.username,
            "made": one.created_at.strftime(day),
            "by": one.created_by,
            "until": one.expires_at.strftime(day) if one.expires_at else "",
            "revoked": one.revoked_at.strftime(day) if one.revoked_at else "",
        }
        for one in found
    ]
    if as_json:
        emit(rows)
    else:
        table(["name", "user", "made", "by", "until", "revoked"], [list(row.values()) for row in rows])
    return 0


@token.command()
@click.option("--by", default="system", metavar="USER", help="Who does this, for the record.")
def revoke(by: str) -> int:
    """Put a token out of use; its secret is asked for, so that no list of commands holds it."""
    from outage_notify.services.machine_access import revoke as step

    secret = click.prompt("Secret", hide_input=True, err=True)
    with runtime() as rt:
        step(rt, by, secret)
    show("Revoked.")
    return 0
