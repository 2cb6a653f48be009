"""What docs/policies.md says of the built-in policies is what their files say."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import yaml

from outage_notify.domain.audience import Tier
from outage_notify.domain.outage import OutageKind
from outage_notify.policies import available, holiday_set, load_policy
from tests.house.documents import marked, rows
from tests.house.files import ROOT

PAGE = ROOT / "docs" / "policies.md"
FOLDER = ROOT / "outage_notify" / "policies"


def rules_table() -> str:
    """The table of all rules, written from the files."""
    head = (
        "| rule | to | work | notice | lead | basis | article | grade |\n|---|---|---|---|---|---|---|---|\n"
    )
    lines = []
    for name in available():
        for rule in load_policy(name).rules:
            extras = [word for word, on in (("in writing", rule.written),) if on]
            extras += [f"signature {rule.acknowledgement}"] if rule.acknowledgement else []
            lead = "; ".join([str(rule.lead), *extras])
            kinds = ", ".join(kind.value for kind in OutageKind if kind in rule.work)
            cells = (f"`{rule.id}`", rule.applies_to, kinds, rule.notice, lead, rule.basis, rule.article)
            lines.append("| " + " | ".join([*map(str, cells), rule.grade or "-"]) + " |\n")
    return head + "".join(lines)


def test_the_table_of_rules_is_that_of_the_files() -> None:
    assert marked(PAGE, "rules") == rules_table(), f"write this into {PAGE.name}:\n{rules_table()}"


@pytest.mark.parametrize("row", rows(marked(PAGE, "examples")), ids=lambda row: f"{row[0]} {row[2]} {row[4]}")
def test_worked_examples_come_out(row: list[str]) -> None:
    name, zone, start, tier, notice, deadline, sent = row
    tz, policy = ZoneInfo(zone), load_policy(name)
    begins = datetime.fromisoformat(start).replace(tzinfo=tz)
    holidays = holiday_set(policy, [begins.year - 1, begins.year, begins.year + 1])
    duties = policy.duties(OutageKind.PLANNED, begins, tz, tier=Tier(tier), holidays=holidays)
    duty = next(one for one in duties if one.notice == notice)
    due = policy.due_at(duty.notice, duty.deadline, begins - timedelta(days=60), tz)
    assert [f"{one.astimezone(tz):%Y-%m-%d %H:%M}" for one in (duty.deadline, due)] == [deadline, sent]


def keys_of(value: object) -> set[str]:
    """Every key of nested data."""
    if isinstance(value, dict):
        return set(value) | {key for one in value.values() for key in keys_of(one)}
    if isinstance(value, list):
        return {key for one in value for key in keys_of(one)}
    return set()


def test_every_key_of_the_files_is_explained() -> None:
    used = {key for path in FOLDER.glob("*.yaml") for key in keys_of(yaml.safe_load(path.read_text("utf-8")))}
    text = PAGE.read_text(encoding="utf-8")
    assert {key for key in used if f"`{key}" not in text} == set()
    assert "lead" in used
