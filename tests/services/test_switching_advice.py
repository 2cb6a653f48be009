"""Why, what to close, and what two works do together: over the database, with customers."""

from __future__ import annotations

import pytest

from outage_notify.domain.audience import Tier
from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services import run_outage
from outage_notify.services.resolve_audience import Switching
from outage_notify.services.switching_advice import TIER_WEIGHT, advised
from tests.factories.world import World


def test_two_harmless_works_together_cut_both_feeds_of_a_hospital(city: World) -> None:
    hospital = city.customer("load:2", tier=Tier.FIRST)
    city.add_point(hospital, "load:5", "S0")
    home = city.customer("load:2")
    other = city.approved()  # line:2, which feeds load:2
    mine = Switching(out=("line:5",))
    alone = advised(city.rt, mine)
    assert alone["by_tier"]["FIRST"] == {"outage": 0, "reduced": 1, "momentary": 0, "customers": 1}
    both = advised(city.rt, mine, beside=[other])
    assert both["by_tier"]["FIRST"] == {"outage": 2, "reduced": 0, "momentary": 0, "customers": 1}
    assert both["by_tier"]["LOW_VOLTAGE"]["outage"] == 1
    together = both["with"]
    assert [(one["element"], one["tier"], one["impact"]) for one in together["only_together"]] == [
        ("load:2", "FIRST", "OUTAGE"),
        ("load:5", "FIRST", "OUTAGE"),
    ]
    assert (together["outages"], together["lost_only_together"]) == ([other], [])
    assert set(both["lost"]) == {"load:2", "load:5", "load:6"}
    assert advised(city.rt, Switching(), beside=[other])["with"]["only_together"] == []
    assert home


def test_a_tie_of_the_other_work_that_ends_in_mine_stays_open(city: World) -> None:
    """Their tie feeds load:2 from line:6; my work is on line:6, so together load:2 is dark."""
    city.customer("load:2", tier=Tier.SECOND)
    other = city.approved(work=("line:1",), close=("switch:9",))
    both = advised(city.rt, Switching(work=("line:6",)), beside=[other])
    assert both["with"]["not_closable"] == ["switch:9"]
    assert {"load:1", "load:2"} == set(both["with"]["lost_only_together"])
    assert [one["impact"] for one in both["with"]["only_together"]] == ["OUTAGE"]
    with pytest.raises(InvalidInput, match="inside a work zone"):
        advised(city.rt, Switching(work=("line:6",), close=("switch:9",)), beside=[other])


def test_only_an_open_outage_can_stand_beside(city: World) -> None:
    reference = city.approved()
    run_outage.cancel(city.rt, "petra", reference, "rain")
    with pytest.raises(InvalidInput, match="CANCELLED"):
        advised(city.rt, Switching(work=("line:1",)), beside=[reference])
    with pytest.raises(NotFound):
        advised(city.rt, Switching(work=("line:1",)), beside=["PO-1999-0001"])


def test_a_suggestion_says_what_each_tie_buys(city: World) -> None:
    city.customer("load:2", tier=Tier.SECOND)
    city.customer("load:2", places=("1 A Street", "2 A Street"))
    found = advised(city.rt, Switching(work=("line:1",)), suggest_ties=True, why=["load:2"])
    assert found["lost"] == ["load:1", "load:2"]
    suggested = found["suggested"]
    assert suggested["isolation"] == ["switch:1", "switch:2"]
    assert (suggested["close"], suggested["lost"], suggested["loops_left_out"]) == (["switch:9"], [], [])
    (tie,) = suggested["ties"]
    assert (tie["loads"], tie["service_points"], tie["customers"]) == (2, 3, 2)
    assert tie["weight"] == TIER_WEIGHT[Tier.SECOND] + TIER_WEIGHT[Tier.LOW_VOLTAGE]
    assert (tie["by_tier"]["SECOND"], tie["by_tier"]["LOW_VOLTAGE"], tie["overloads"]) == (1, 1, [])
    (why,) = found["why"]
    assert why["now"] and "switch:9" in why["now"] and why["before"][0] == "ext_grid:0"


def test_why_alone_shows_the_normal_chain(city: World) -> None:
    (why,) = advised(city.rt, Switching(), why=["load:1"])["why"]
    assert (why["state"], why["cut"]) == ("supplied", [])
    assert why["before"] == why["now"]
    with pytest.raises(InvalidInput, match="not a load"):
        advised(city.rt, Switching(), why=["line:1"])
    with pytest.raises(InvalidInput, match="Nothing is worked on"):
        advised(city.rt, Switching())
