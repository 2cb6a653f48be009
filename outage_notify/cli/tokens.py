"""token: secrets with which machines use the JSON interface."""

from __future__ import annotations

import click

from outage_notify.cli.common import runtime
from outage_notify.cli.output import say, show


@click.group()
def token() -> None:
    """Tokens of machines that file outages through the JSON interface."""


@token.command()
@click.option("--user", "username", required=True, help="As whom the machine acts; it has this user's roles.")
@click.option("--name", required=True, help="Which machine it is.")
@click.option("--by", default="system", metavar="USER", help="Who does this, for the record.")
def new(username: str, name: str, by: str) -> int:
    """Make a token and print its secret, once."""
    from outage_notify.services.machine_access import new_token

    with runtime() as rt:
        show(new_token(rt, by, username, name))
    say("Keep it where the machine reads it; it is not shown again.")
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
