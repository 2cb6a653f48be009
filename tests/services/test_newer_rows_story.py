"""A newer release has left rows that this one does not understand: it does its own work and leaves them alone."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from outage_notify.services.measure_engine import measure
from tests.factories.world import World


def test_a_worker_goes_on_beside_rows_of_a_newer_release(city: World) -> None:
    homes = [city.customer() for _ in range(4)]
    city.approved()
    channel, state = (city.deliveries(one)[0].id for one in homes[:2])
    with city.rt.database.write() as session:
        session.execute(text("UPDATE deliveries SET channel = 'satellite' WHERE id = :id"), {"id": channel})
        session.execute(text("UPDATE deliveries SET state = 'RESTING' WHERE id = :id"), {"id": state})
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    assert city.work() == 2
    found = city.reconcile()
    # The audit does not fall over them. What it does not understand it can't count as told: that is said.
    assert found.audit["people"] == 4
    assert [one["customer"] for one in found.audit["untold"]] == [homes[1]]
    shown = {one.name: one.values for one in measure(city.rt)}["outage_notify_deliveries"]
    assert shown[("channel", "satellite"), ("state", "READY")] == 1
    with city.rt.database.read() as session:
        statement = text("SELECT channel || ' ' || state FROM deliveries WHERE id IN (:a, :b)")
        left = set(session.scalars(statement, {"a": channel, "b": state}))
    assert left == {"satellite READY", "sms RESTING"}
