"""Celery's settings, and how a worker and a beat are run.

Embedded: one process that is worker and beat, with Celery's in-memory broker between
the two. (Celery's filesystem broker was tried: its reader can meet a half-written file and
ends the worker.) In production: Redis or RabbitMQ by URL, any number of workers, one beat (two
do no harm). A ring that is lost is followed by the next one, and a worker that hears none looks by itself (`bells`).
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from celery import Celery
from celery.signals import worker_shutting_down

from outage_notify.services.runtime import Runtime
from outage_notify.worker import schedule, tasks
from outage_notify.worker.bells import Bells


def create_celery(rt: Runtime, bells: Bells | None = None) -> Celery:
    """The application with tasks and schedule, for this runtime."""
    settings = rt.settings
    app = Celery("outage_notify", set_as_current=False)
    options: dict[str, Any] = {
        "broker_url": settings.broker_url or "memory://localhost//",
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": "outage_notify",
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        # Our lines go to standard error: sent back into logging from there, a worker would wait for itself for ever.
        "worker_redirect_stdouts": False,
        "worker_send_task_events": False,
        "worker_enable_remote_control": False,
        "broker_connection_retry_on_startup": True,
        # Celery gives up after a hundred tries, some 45 minutes: then every worker would be gone.
        "broker_connection_max_retries": None,
        "task_acks_late": False,
        "timezone": "UTC",
        "beat_schedule": schedule.beat_table(settings),
        "beat_max_loop_interval": min(5.0, settings.tick_seconds),
        "beat_schedule_filename": str(_folder(settings.state_dir) / f"beat-{os.getpid()}"),
    }
    if settings.embedded_broker:
        options["broker_transport_options"] = {"polling_interval": min(0.5, settings.tick_seconds / 2)}
    app.conf.update(options)
    tasks.register(app, bells or tasks.bells_of(rt, []))
    return app


def run_worker(rt: Runtime, *, beat: bool = False, threads: int = 4, loglevel: str = "WARNING") -> int:
    """Run a worker until it is told to end (SIGTERM: finishes what it has begun). Returns its exit status.

    The pool is of threads: the work is waiting for providers and database. With `beat` the
    same process rings the bells itself.
    """
    stop: list[bool] = []

    def asked_to_stop(**details: Any) -> None:
        stop.append(True)

    def end_before_start(number: int, frame: FrameType | None) -> None:
        stop.append(True)
        raise SystemExit(0)

    worker_shutting_down.connect(asked_to_stop, weak=False)
    # Until Celery has set handlers of its own: what a watch has begun by then is finished too.
    signal.signal(signal.SIGTERM, end_before_start)
    bells = tasks.bells_of(rt, stop)
    app = create_celery(rt, bells)
    if beat:
        threading.Thread(target=_beat_loop, args=(app, stop), daemon=True, name="beat").start()
    argv = [
        "--quiet",
        "worker",
        "--pool=threads",
        f"--concurrency={threads}",
        f"--loglevel={loglevel}",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
        f"--hostname=outage-notify-{os.getpid()}@%h",
    ]
    watches = bells.keep_watch(stop)
    try:
        app.worker_main(argv)
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        stop.append(True)
        for watch in watches:
            watch.join()
    return 0


def run_beat(rt: Runtime, loglevel: str = "WARNING") -> None:
    """Ring the bells until told to end."""
    create_celery(rt).Beat(loglevel=loglevel, quiet=True).run()


def _beat_loop(app: Celery, stop: list[bool]) -> None:
    """Rings from within the worker process. No schedule file: a bell missed while down needs no making up."""
    from celery.beat import Scheduler

    scheduler = Scheduler(app, lazy=False)
    pause = threading.Event()
    while not stop:
        pause.wait(min(scheduler.tick(), scheduler.max_interval))


def _folder(state_dir: str) -> Path:
    folder = Path(state_dir)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
