"""Who keeps some phases and loses others is told of an outage, as are those who lose all."""

from __future__ import annotations

from pathlib import Path

from outage_notify.services.import_customers import import_customers
from outage_notify.services.import_network import import_network
from outage_notify.services.resolve_audience import Switching, foresee
from outage_notify.services.switching_advice import advised
from tests.factories.customer_files import customer_row, write_customers
from tests.factories.phased_files import csv_set
from tests.factories.runtimes import make_runtime


def test_customers_on_some_phases_are_told_of_an_outage(database_url: str, tmp_path: Path) -> None:
    rt = make_runtime(database_url, tmp_path)
    (tmp_path / "net").mkdir()
    import_network(rt, csv_set(tmp_path / "net")[0])
    rows = [customer_row(one, element=f"load:{one}", tier="GENERAL") for one in (3, 4, 5)]
    import_customers(rt, write_customers(tmp_path / "c.csv", rows))
    switching = Switching(out=("trafo:2",))
    answer = advised(rt, switching, why=("load:3",))
    assert (answer["lost"], answer["partial"]) == (["load:4"], ["load:3"])
    assert answer["by_tier"]["GENERAL"] == {"outage": 2, "reduced": 0, "momentary": 0, "customers": 2}
    assert {one["phases"]: (one["state"], bool(one["now"])) for one in answer["why"]} == {
        "A": ("partial", True),
        "B": ("partial", False),
        "C": ("partial", True),
    }
    with rt.database.read() as session:
        seen = foresee(session, rt, switching)
        assert seen.by_tier == answer["by_tier"]
        assert sorted(one.feed.element for one in seen.affected) == ["load:3", "load:4"]
