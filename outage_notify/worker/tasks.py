"""The tasks. Each calls one service; none has arguments, none returns anything."""

from __future__ import annotations

from celery import Celery

from outage_notify.services.anchor_chain import anchor_due
from outage_notify.services.publish_documents import publish
from outage_notify.services.reconcile import reconcile
from outage_notify.services.runtime import Runtime
from outage_notify.services.send_batch import send_due


def register(app: Celery, rt: Runtime, stop: list[bool]) -> None:
    """Give `app` its tasks. `stop` is filled when the worker is asked to end."""

    @app.task(name="outage_notify.send", ignore_result=True)
    def ring_send() -> None:
        send_due(rt, stop)

    @app.task(name="outage_notify.reconcile", ignore_result=True)
    def ring_reconcile() -> None:
        reconcile(rt)

    @app.task(name="outage_notify.anchor", ignore_result=True)
    def ring_anchor() -> None:
        anchor_due(rt)

    @app.task(name="outage_notify.publish", ignore_result=True)
    def ring_publish() -> None:
        publish(rt)
