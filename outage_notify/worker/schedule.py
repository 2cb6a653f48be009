"""How often each bell rings, as data. A bell that is missed or rung twice harms nothing."""

from __future__ import annotations

from typing import Any

from outage_notify.settings import Settings


def periods(settings: Settings) -> dict[str, float]:
    """Seconds between two rings of each bell."""
    return {
        "send": settings.tick_seconds,
        "reconcile": settings.reconcile_seconds,
        "publish": settings.tick_seconds,
        "follow": settings.tick_seconds,
        "push": settings.tick_seconds,
        "anchor": settings.reconcile_seconds * 5,
        "jobs": settings.tick_seconds,
        "seal": settings.reconcile_seconds,
        "count": settings.reconcile_seconds * 5,
    }


def beat_table(settings: Settings) -> dict[str, dict[str, Any]]:
    """Celery's beat schedule.

    Without `expires`: Celery compares that moment, set by beat's clock, with the worker's own clock. A
    few seconds between the two would make every ring look late and silence them all. Rings that
    have piled up are let go by `Bells` instead.
    """
    return {
        name: {"task": f"outage_notify.{name}", "schedule": seconds}
        for name, seconds in periods(settings).items()
    }
