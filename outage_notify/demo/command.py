"""`outage-notify demo` on the command line."""

from __future__ import annotations

import click


@click.command()
@click.option(
    "--stay/--no-serve",
    "stay",
    default=True,
    help="Leave web server and worker running at the end (default), or exit.",
)
@click.option("--inject-double", is_flag=True, hidden=True, help="Tell somebody twice behind its back.")
def demo(stay: bool, inject_double: bool) -> int:
    """Play the whole life of a planned outage on a sample network, simulated from end to end.

    Needs no server, sends nothing to anybody and refuses a database that holds data of its own.
    Exit status 1 if anybody was left untold or told twice.
    """
    from outage_notify.demo.run import run_demo
    from outage_notify.settings import Settings

    return run_demo(Settings.load(), stay=stay, inject_double=inject_double)
