"""webhook: addresses that are pushed what becomes public."""

from __future__ import annotations

import click

from outage_notify.cli.common import json_option, runtime
from outage_notify.cli.output import emit, say, show, table

BY = click.option("--by", default="system", metavar="USER", help="Who does this, for the record.")


@click.group()
def webhook() -> None:
    """Addresses that are pushed what becomes public: cities, telecoms, home automation."""


@webhook.command()
@click.argument("url")
@click.option("--name", required=True, help="Who is behind the address.")
@BY
def add(url: str, name: str, by: str) -> int:
    """Push to URL from now on, and print the secret that signs, once."""
    from outage_notify.services import webhooks

    with runtime() as rt:
        made = webhooks.add(rt, by, name, url)
    show(made.secret)
    say(f"Webhook {made.id}. Hand the secret to its owner; it is not shown again.")
    return 0


@webhook.command("list")
@json_option
def list_all(as_json: bool) -> int:
    """Show all webhooks and how many pushes wait, were given up, were taken."""
    from outage_notify.services import webhooks

    with runtime() as rt:
        found = webhooks.listing(rt)
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "url": one.url,
            "stopped": one.stopped_why if one.stopped_at else "",
            "waiting": one.counts.waiting,
            "given_up": one.counts.dead,
            "taken": one.counts.done,
        }
        for one in found
    ]
    if as_json:
        emit(rows)
    else:
        head = ["id", "name", "url", "stopped", "waiting", "given_up", "taken"]
        table(head, [[str(value) for value in row.values()] for row in rows])
    return 0


@webhook.command()
@click.argument("number", type=int)
@click.option("--after", type=int, help="Everything after this event; without it, what was given up.")
@BY
def replay(number: int, after: int | None, by: str) -> int:
    """Push again."""
    from outage_notify.services import webhooks

    with runtime() as rt:
        show(f"{webhooks.replay(rt, by, number, after)} pushes are made again.")
    return 0


@webhook.command()
@click.argument("number", type=int)
@BY
def remove(number: int, by: str) -> int:
    """Push no more, and forget the webhook."""
    from outage_notify.services import webhooks

    with runtime() as rt:
        webhooks.remove(rt, by, number)
    show("Removed.")
    return 0
