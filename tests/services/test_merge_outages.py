"""一停多用: another outage's work is taken into a plan; it goes only where nobody was told of it."""

from __future__ import annotations

import pytest

from outage_notify.domain.errors import Conflict, InvalidInput, NotFound
from outage_notify.domain.outage import OutageState
from outage_notify.services import desk_views, merge_outages, plan_outage, preview_plan, run_outage
from outage_notify.services.outage_views import outage_view
from tests.factories.world import World

BOTH = ("line:5", "line:2")


def state(city: World, reference: str) -> OutageState:
    return desk_views.version_of(city.rt, reference).state


def test_an_outage_of_which_nobody_was_told_goes_into_the_plan(city: World) -> None:
    city.customer()
    draft = plan_outage.plan(city.rt, "petra", city.request(days=12))
    approved = city.approved(days=14)
    looked = merge_outages.look_at(city.rt, [draft, approved, draft])
    assert [(one.reference, one.quiet, one.told) for one in looked] == [(draft, True, 0), (approved, True, 0)]
    new = merge_outages.merge(city.rt, "petra", city.request(work=BOTH), [draft, approved])
    assert (state(city, draft), state(city, approved)) == (OutageState.CANCELLED,) * 2
    assert all(one.state == "WITHDRAWN" for one in city.deliveries()) and not city.reached()
    view = outage_view(city.rt, new)
    assert (
        view["state"] == "DRAFT"
        and desk_views.version_of(city.rt, draft).cancel_reason == f"merged into {new}"
    )
    events = [one.what for one in desk_views.outage(city.rt, new).events]
    assert events.count("merged") == 2
    # Nothing of the two stands in the way of what took them in.
    assert not preview_plan.preview_plan(city.rt, city.request(work=BOTH), new).findings


def test_an_outage_that_was_told_stands_and_says_what_cancelling_would_tell(city: World) -> None:
    city.customer()
    city.customer()
    told = city.approved()
    assert city.first_wave() == 2
    (looked,) = merge_outages.look_at(city.rt, [told])
    assert (looked.quiet, looked.told, looked.cancelling) == (False, 2, 2)
    new = merge_outages.merge(city.rt, "petra", city.request(days=11, work=BOTH), [told])
    assert state(city, told) is OutageState.APPROVED and state(city, new) is OutageState.DRAFT
    assert run_outage.cancel(city.rt, "petra", told, f"merged into {new}") == looked.cancelling


def test_a_draft_takes_in_others_and_all_of_it_happens_or_nothing(city: World) -> None:
    city.customer()
    other = plan_outage.plan(city.rt, "petra", city.request(days=12))
    mine = plan_outage.plan(city.rt, "petra", city.request(work=("line:5",)))
    version = desk_views.version_of(city.rt, mine).version
    # The other's work has to be in the plan: it must not be lost.
    with pytest.raises(Conflict, match="line:2"):
        merge_outages.merge(city.rt, "petra", city.request(work=("line:5",)), [other], mine, version)
    assert state(city, other) is OutageState.DRAFT
    assert desk_views.version_of(city.rt, mine).version == version
    with pytest.raises(InvalidInput, match="itself"):
        merge_outages.merge(city.rt, "petra", city.request(work=BOTH), [mine], mine, version)
    merge_outages.merge(city.rt, "petra", city.request(work=BOTH), [other], mine, version)
    assert state(city, other) is OutageState.CANCELLED
    with pytest.raises(InvalidInput, match="CANCELLED"):
        merge_outages.look_at(city.rt, [other])
    with pytest.raises(NotFound):
        merge_outages.look_at(city.rt, ["PO-2020-0001"])
