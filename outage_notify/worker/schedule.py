"""How often each bell rings, as data. A bell that is missed or rung twice harms nothing."""

from __future__ import annotations

from typing import Any

from outage_notify.settings import Settings


def beat_table(settings: Settings) -> dict[str, dict[str, Any]]:
    """Celery's beat schedule. A ring expires before the next one, so that none pile up in a queue."""
    bells = {
        "send": ("outage_notify.send", settings.tick_seconds),
        "reconcile": ("outage_notify.reconcile", settings.reconcile_seconds),
        "publish": ("outage_notify.publish", settings.tick_seconds),
        "anchor": ("outage_notify.anchor", settings.reconcile_seconds * 5),
    }
    return {
        name: {"task": task, "schedule": seconds, "options": {"expires": seconds * 2}}
        for name, (task, seconds) in bells.items()
    }
