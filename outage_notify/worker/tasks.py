"""The tasks. Each calls one service by its bell; none has arguments, none returns anything."""

from __future__ import annotations

from celery import Celery

from outage_notify.services.anchor_chain import anchor_due
from outage_notify.services.audit_trail import seal
from outage_notify.services.long_work import work_due
from outage_notify.services.numbers import count_coverage
from outage_notify.services.publish_documents import publish
from outage_notify.services.push_events import push_due
from outage_notify.services.reconcile import reconcile
from outage_notify.services.runtime import Runtime
from outage_notify.services.send_batch import send_due
from outage_notify.services.tell_followers import follow_due
from outage_notify.worker import schedule
from outage_notify.worker.bells import Bell, Bells


def bells_of(rt: Runtime, stop: list[bool]) -> Bells:
    """What is to be done, and how often. `stop` is filled when the worker is asked to end."""
    work = {
        "send": lambda: send_due(rt, stop),
        "reconcile": lambda: reconcile(rt),
        "publish": lambda: publish(rt),
        "follow": lambda: follow_due(rt),
        "push": lambda: push_due(rt),
        "anchor": lambda: anchor_due(rt),
        "jobs": lambda: work_due(rt),
        "seal": lambda: seal(rt),
        "count": lambda: count_coverage(rt),
    }
    return Bells(Bell(name, seconds, work[name]) for name, seconds in schedule.periods(rt.settings).items())


def register(app: Celery, bells: Bells) -> None:
    """Give `app` its tasks."""

    @app.task(name="outage_notify.send", ignore_result=True)
    def ring_send() -> None:
        bells.ring("send")

    @app.task(name="outage_notify.reconcile", ignore_result=True)
    def ring_reconcile() -> None:
        bells.ring("reconcile")

    @app.task(name="outage_notify.follow", ignore_result=True)
    def ring_follow() -> None:
        bells.ring("follow")

    @app.task(name="outage_notify.push", ignore_result=True)
    def ring_push() -> None:
        bells.ring("push")

    @app.task(name="outage_notify.publish", ignore_result=True)
    def ring_publish() -> None:
        bells.ring("publish")

    @app.task(name="outage_notify.anchor", ignore_result=True)
    def ring_anchor() -> None:
        bells.ring("anchor")

    @app.task(name="outage_notify.jobs", ignore_result=True)
    def ring_jobs() -> None:
        bells.ring("jobs")

    @app.task(name="outage_notify.seal", ignore_result=True)
    def ring_seal() -> None:
        bells.ring("seal")

    @app.task(name="outage_notify.count", ignore_result=True)
    def ring_count() -> None:
        bells.ring("count")
