"""worker, beat, simulator: the processes behind the pages."""

from __future__ import annotations

import signal
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from outage_notify.cli.common import runtime
from outage_notify.cli.output import say
from outage_notify.clock import OutsideClock
from outage_notify.domain.errors import NotPermitted
from outage_notify.log_lines import hear_others
from outage_notify.store import publication


@click.command()
@click.option("--beat", "with_beat", is_flag=True, help="Ring the bells from this process too.")
@click.option(
    "--threads", type=click.IntRange(1, 64), default=4, show_default=True, help="Tasks at the same time."
)
@click.option("--loglevel", default="WARNING", show_default=True, help="Celery's own messages.")
def worker(with_beat: bool, threads: int, loglevel: str) -> int:
    """Run a worker until it is ended; SIGTERM lets it finish what it has begun.

    With the embedded broker one worker with --beat is enough, and `serve` starts it.
    """
    from outage_notify.worker.celery_app import run_worker

    hear_others()
    with runtime() as rt:
        rt.settings.require("base_url", "timezone", "signing_key_file")
        return run_worker(rt, beat=with_beat, threads=threads, loglevel=loglevel)


@click.command()
@click.option("--loglevel", default="WARNING", show_default=True, help="Celery's own messages.")
def beat(loglevel: str) -> int:
    """Ring the bells (production: one process of this kind, beside the workers)."""
    from outage_notify.worker.celery_app import run_beat

    hear_others()
    with runtime() as rt:
        run_beat(rt, loglevel)
    return 0


@click.command(hidden=True)
@click.option(
    "--state-dir", type=click.Path(path_type=Path, file_okay=False), help="Default: STATE_DIR/simulator."
)
def simulator(state_dir: Path | None) -> int:
    """Run the provider simulator (SMS, calls, mail) by the shared clock, until it is ended."""
    from channels.simulator import Simulator

    hear_others()
    with runtime() as rt:
        settings = rt.settings
        if not settings.simulator:
            raise NotPermitted("The simulator runs in simulator mode only.", "Set OUTAGE_NOTIFY_SIMULATOR=1.")

        def read() -> datetime:
            # Asked several times for each message: a bare statement costs a tenth of a session.
            standing = publication.standing(rt.database)
            return rt.clock.at(standing.instant, standing.turned)

        folder = state_dir or Path(settings.state_dir) / "simulator"
        folder.mkdir(parents=True, exist_ok=True)
        http, smtp = urlsplit(settings.twilio_api_base), urlsplit(settings.smtp_url)
        provider = Simulator(
            http.port or 80,
            smtp.port or 25,
            folder,
            settings.twilio_account_sid,
            settings.twilio_auth_token,
            now=OutsideClock(read, rt.database.faults),
            webhook_inbound_url=f"{settings.base_url}/webhooks/twilio/inbound",
            webhook_call_url=f"{settings.base_url}/webhooks/twilio/inbound-call",
            host=http.hostname or "127.0.0.1",
        )
        endings = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, endings)
        provider.start()
        say(f"Simulator: {provider.url} and {provider.smtp_url}")
        signal.sigwait(endings)
        provider.stop()
    return 0
