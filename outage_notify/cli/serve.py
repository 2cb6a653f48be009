"""serve: the web server, and with the embedded broker all that belongs to it, in one command."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import click

from outage_notify.cli.children import Children
from outage_notify.cli.common import runtime
from outage_notify.cli.output import say
from outage_notify.domain.errors import InvalidInput
from outage_notify.settings import SIMULATOR_HTTP, Settings

NEEDED = ("base_url", "timezone", "utility", "signing_key_file")
FOR_SENDING = ("twilio_account_sid", "twilio_auth_token", "twilio_from", "smtp_url", "mail_from")


def bind_options(command: Any) -> Any:
    options = [
        click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at."),
        click.option(
            "--port",
            type=click.IntRange(1, 65535),
            help="Default: 8000; in simulator mode that of OUTAGE_NOTIFY_BASE_URL.",
        ),
        click.option(
            "--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Web processes."
        ),
        click.option(
            "--threads", type=click.IntRange(1, 256), default=16, show_default=True, help="Per process."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@bind_options
def serve(host: str, port: int | None, processes: int, threads: int) -> int:
    """Start the web server; with the embedded broker also the worker, in simulator mode also the simulator.

    Brings the database up to date first. SIGTERM or Ctrl-C ends everything in order.
    """
    with runtime() as rt:
        settings = rt.settings
        settings.require(*NEEDED)
        # Asked for now, so that a wrong key or policy is said here and not by a child.
        _ = rt.signing_key, rt.policy
    at = port or _port(settings)
    if _somebody_listens(host, at):
        raise InvalidInput(
            f"Port {at} is taken.", "End the program that listens there, or give another --port."
        )
    _warn(settings, at)
    children = Children()
    try:
        if _needs_simulator(settings):
            children.start("simulator", ["simulator"])
        web_arguments = [
            "--host",
            host,
            "--port",
            str(at),
            "--processes",
            str(processes),
            "--threads",
            str(threads),
        ]
        children.start("web", ["web", *web_arguments])
        if settings.embedded_broker:
            children.start("worker", ["worker", "--beat"])
        say(f"Serving {settings.base_url} (at {host}:{at}). Ctrl-C ends it.")
        return children.watch()
    finally:
        children.end()


@click.command(hidden=True)
@bind_options
def web(host: str, port: int | None, processes: int, threads: int) -> int:
    """Run the web server alone."""
    from gunicorn.app.base import BaseApplication

    from outage_notify.app import create_web

    with runtime() as rt:
        rt.settings.require(*NEEDED)
        at = port or _port(rt.settings)

    class Server(BaseApplication):
        """Gunicorn without its own command line; the application is made in each process after the fork."""

        def load_config(self) -> None:
            for name, value in {
                "bind": f"{host}:{at}",
                "workers": processes,
                "worker_class": "gthread",
                "threads": threads,
                "proc_name": "outage-notify",
                "loglevel": "warning",
                "graceful_timeout": 15,
                "control_socket_disable": True,
            }.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            return create_web()

    Server().run()
    return 0


def _port(settings: Settings) -> int:
    if settings.simulator:
        # Nothing stands between the customers of a simulation and us.
        return urlsplit(settings.base_url).port or 80
    return 8000


def _somebody_listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host if host != "0.0.0.0" else "127.0.0.1", port), timeout=1):  # noqa: S104
            return True
    except OSError:
        return False


def _needs_simulator(settings: Settings) -> bool:
    if not settings.simulator or settings.twilio_api_base != SIMULATOR_HTTP:
        return False
    place = urlsplit(SIMULATOR_HTTP)
    return not _somebody_listens(place.hostname or "", place.port or 80)


def _warn(settings: Settings, port: int) -> None:
    """What will not work, before anybody waits for it."""
    if not settings.embedded_broker:
        say("The broker is not the embedded one: start `outage-notify worker` and `outage-notify beat` too.")
    if settings.simulator:
        if (urlsplit(settings.base_url).port or 80) != port:
            say(
                f"Links and callbacks lead to {settings.base_url}, not to port {port}: set OUTAGE_NOTIFY_BASE_URL."
            )
        return
    missing = [f"OUTAGE_NOTIFY_{name.upper()}" for name in FOR_SENDING if not getattr(settings, name)]
    if missing:
        say(
            f"Not everything can be sent, these are not set: {', '.join(missing)}. `outage-notify doctor` says more."
        )
