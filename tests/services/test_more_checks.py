"""Checks before approval that look beyond one outage: the cap of a year, plans on file, waves that end too late."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from outage_notify.domain.audience import Tier
from outage_notify.domain.checks import CheckKind, Weight
from outage_notify.domain.customer_plan import CustomerPlan
from outage_notify.domain.errors import Blocked
from outage_notify.domain.outage import OutageKind
from outage_notify.policies import load_policy
from outage_notify.services import customer_plans, plan_outage
from outage_notify.services.preview_plan import preview_plan
from tests.factories.world import World, world


def weights(city: World, **more: object) -> dict[CheckKind, Weight]:
    found = preview_plan(city.rt, city.request(**more))  # type: ignore[arg-type]
    return {one.kind: one.weight for one in found.findings}


def test_the_fourth_outage_of_a_year_is_one_too_many(city: World) -> None:
    city.customer()
    # From the first of February on, so that a whole year's outages lie in one year whenever this runs.
    first = (date(city.monday.year + 1, 2, 1) - city.monday.date()).days
    for number in range(3):
        city.approved(days=first + 35 * number)
    fourth = first + 105
    # Nobody has read the article of the built-in policy, so it advises.
    assert weights(city, days=fourth)[CheckKind.YEARLY] is Weight.ADVICE
    assert CheckKind.YEARLY not in weights(city, days=fourth, kind=OutageKind.HAZARD_REMOVAL)
    assert CheckKind.YEARLY not in weights(city, days=fourth, work=("line:5",))
    limits = replace(city.rt.policy.limits, yearly_verified=True, yearly_article="Art. 1")
    city.rt.__dict__["policy"] = replace(city.rt.policy, limits=limits)
    assert weights(city, days=fourth)[CheckKind.YEARLY] is Weight.OVERRIDE
    reference = plan_outage.plan(city.rt, "petra", city.request(days=fourth))
    with pytest.raises(Blocked, match=r"more often than 3 in \d+ \(Art. 1\)"):
        plan_outage.submit(city.rt, "petra", reference)


def test_a_key_customer_without_an_emergency_plan_is_named(city: World) -> None:
    hospital = city.customer(tier=Tier.FIRST, name="St Anne")
    city.customer()
    found = [one for one in preview_plan(city.rt, city.request()).findings if one.kind is CheckKind.NO_PLAN]
    assert [(one.names, one.weight) for one in found] == [(("St Anne",), Weight.ADVICE)]
    limits = replace(city.rt.policy.limits, plan_required=True)
    city.rt.__dict__["policy"] = replace(city.rt.policy, limits=limits)
    assert weights(city)[CheckKind.NO_PLAN] is Weight.OVERRIDE
    customer_plans.save(city.rt, "petra", hospital, CustomerPlan(notes=("call first",)))
    assert CheckKind.NO_PLAN not in weights(city)


def test_a_wave_that_ends_too_late_is_known_before_anything_is_stored(
    _migrated_sqlite: Path, tmp_path: Path
) -> None:
    shutil.copy(_migrated_sqlite, tmp_path / "slow.db")
    with world(f"sqlite:///{tmp_path / 'slow.db'}", tmp_path, SMS_PER_SECOND="0.0001") as slow:
        slow.customer(voice=None, email=None)
        # One text takes almost three hours, the deadline is in little more than one.
        assert weights(slow, days=7.05)[CheckKind.LATE_WAVE] is Weight.ADVICE
        found = preview_plan(slow.rt, slow.request(days=7.05)).window
        assert any(one.begin_past and not one.past for one in found.deadlines)
        assert CheckKind.LATE_WAVE not in weights(slow, days=9)


@pytest.mark.parametrize("change", ["yearly: 0", "yearly: many", "yearly_grade: D"])
def test_a_yearly_cap_that_can_not_be_read_is_refused(tmp_path: Path, change: str) -> None:
    text = (Path(plan_outage.__file__).parents[1] / "policies" / "cn.yaml").read_text(encoding="utf-8")
    name = change.partition(":")[0]
    kept = [f"  {change}" if line.strip().startswith(f"{name}:") else line for line in text.splitlines()]
    file = tmp_path / "own.yaml"
    file.write_text("\n".join(kept), encoding="utf-8")
    with pytest.raises(Exception, match=name):
        load_policy(str(file))
