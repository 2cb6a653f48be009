"""The policy files: the built-in ones hold what they must, a faulty one is named with its key."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from outage_notify.domain.audience import Impact
from outage_notify.domain.errors import SettingsError
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind
from outage_notify.policies import available, holiday_set, load_policy
from outage_notify.policies.reader import read_policy

BUILT_IN = Path(__file__).parents[2] / "outage_notify" / "policies"


def test_what_is_built_in() -> None:
    assert available() == ("au", "cn", "gb", "ie", "it")


@pytest.mark.parametrize("name", available())
def test_every_rule_cites_an_article_that_was_checked(name: str) -> None:
    policy = load_policy(name)
    assert policy.id == name
    assert set(policy.names) == {"zh-CN", "en"}
    assert set(policy.impacts) == set(Impact)
    owed = [rule for rule in policy.rules if rule.duty]
    assert owed
    for rule in owed:
        assert rule.article and rule.grade in {"A", "B"} and rule.verified
    assert len(policy.rules_for(OutageKind.PLANNED, [])) >= 2


@pytest.mark.parametrize("name", available())
def test_public_holidays_are_known(name: str) -> None:
    found = holiday_set(load_policy(name), [2026, 2027])
    assert {date(2026, 1, 1), date(2027, 1, 1)} <= found


def _cn(**changes: object) -> str:
    data = yaml.safe_load((BUILT_IN / "cn.yaml").read_text(encoding="utf-8"))
    data.update(changes)
    return yaml.safe_dump(
        {key: value for key, value in data.items() if value is not None}, allow_unicode=True
    )


RULE = {
    "id": "x.day",
    "applies_to": "all",
    "work": ["planned"],
    "notice": "DAY_AHEAD",
    "lead": {"value": 24, "unit": "hour"},
    "article": "x",
    "duty": False,
}


def test_the_file_that_is_broken_below_is_whole_before() -> None:
    assert read_policy(_cn(), "mine.yaml") == load_policy("cn")
    assert read_policy(_cn(rules=[RULE]), "mine.yaml").rules[0].notice is NoticeKind.DAY_AHEAD


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"colour": "red"}, "mine.yaml, colour: is not a key"),
        ({"rules": None}, "mine.yaml, rules: is missing"),
        ({"rules": [RULE | {"colour": 1}]}, r"rules\[1\]\.colour: is not a key"),
        ({"rules": [RULE | {"lead": {"value": 24}}]}, r"rules\[1\]\.lead\.unit: is missing"),
        (
            {"rules": [RULE | {"lead": {"value": "24", "unit": "hour"}}]},
            r"lead\.value: must be a whole number",
        ),
        (
            {"rules": [RULE | {"lead": {"value": 0, "unit": "hour"}}]},
            r"rules\[1\]\.lead: a lead is at least 1",
        ),
        (
            {"rules": [RULE | {"lead": {"value": 1, "unit": "week"}}]},
            "'week' is not one of hour, calendar_day",
        ),
        ({"rules": [RULE | {"notice": "STARTED"}]}, "must be SEVEN_DAY or DAY_AHEAD"),
        ({"rules": [RULE | {"duty": True}]}, r"rules\[1\]\.grade: is missing"),
        ({"rules": [RULE | {"duty": True, "grade": "D"}]}, "'D' is not one of A, B, C"),
        ({"rules": [RULE | {"duty": "yes"}]}, r"rules\[1\]\.duty: must be true or false"),
        ({"rules": [RULE | {"work": []}]}, r"rules\[1\]\.work: must not be empty"),
        ({"rules": [RULE | {"work": ["plannd"]}]}, "'plannd' is not one of planned"),
        ({"rules": [RULE | {"acknowledgement": "maybe"}]}, r"rules\[1\]\.acknowledgement"),
        ({"rules": [RULE | {"basis": "rumour"}]}, r"rules\[1\]\.basis"),
        ({"rules": [RULE, RULE]}, "two rules have the id x.day"),
        ({"rules": [RULE | {"applies_to": "key"}]}, "no rule sends DAY_AHEAD to all"),
        ({"rules": ["seven days"]}, r"rules\[1\]: a mapping of keys"),
        ({"impacts": {"OUTAGE": "all"}}, "impacts.REDUCED_REDUNDANCY: is missing"),
        (
            {"impacts": {"OUTAGE": "some", "REDUCED_REDUNDANCY": "key", "MOMENTARY": "key"}},
            "impacts.OUTAGE: 'some'",
        ),
        ({"margins": {"SEVEN_DAY": 24, "DAY_AHEAD": "2h"}}, "margins.SEVEN_DAY: 24 is not a duration"),
        ({"margins": {"SEVEN_DAY": "", "DAY_AHEAD": "2h"}}, "margins.SEVEN_DAY: '' is not a duration"),
        (
            {"quiet_hours": {"begin": 1260, "end": "08:00"}},
            'begin: 1260 is not a time of day. Write it in quotes: "21:00"',
        ),
        ({"quiet_hours": {"begin": "21:00", "end": "08:00", "slack": "12h"}}, "quiet_hours: slack must be"),
        ({"ladders": []}, "the last ladder must apply to all"),
        (
            {"ladders": [{"applies_to": "all", "rungs": [{"channels": ["pigeon"]}]}]},
            r"rungs\[1\]\.channels: 'pigeon'",
        ),
        ({"ladders": [{"applies_to": "all", "rungs": []}]}, r"ladders\[1\]\.rungs: must not be empty"),
        ({"escalation": {"steps": [{"action": "call", "after": "1h"}]}}, r"steps\[1\]\.channels: is missing"),
        ({"exception": {"permitted": True}}, "exception.article: is missing"),
        ({"names": {"en": "x"}}, "names.zh-CN: is missing"),
        ({"names": {"en": "x", "zh-CN": True}}, "names.zh-CN: must be text"),
    ],
)
def test_a_fault_names_file_and_key(changes: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        read_policy(_cn(**changes), "mine.yaml")
    assert str(caught.value).startswith("mine.yaml, ")


def test_a_key_given_twice_is_refused_with_its_line() -> None:
    with pytest.raises(SettingsError, match=r"mine\.yaml, line 3: .* the key id is given twice"):
        read_policy("id: a\nnames: {}\nid: b\n", "mine.yaml")


@pytest.mark.parametrize(
    "text", ["", "- 1", "seven days", "a: [", "!!python/object:os.system {}", "{[1]: 2}", "\x00"]
)
def test_what_is_no_policy_at_all_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^mine\.yaml"):
        read_policy(text, "mine.yaml")


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "shanghai.yaml"
    path.write_text(_cn(id="shanghai"), encoding="utf-8-sig")
    assert load_policy(str(path)).id == "shanghai"

    path.write_text(_cn(country="XX"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"shanghai\.yaml, country: no public holidays"):
        load_policy(str(path))

    path.write_bytes("id: 停电".encode("gb18030"))
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_policy(str(path))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("atlantis", "one of au, cn, gb, ie, it"),
        ("", "There is no policy ''"),
        ("au:QQ", "subdivision: 'QQ' is not known in AU"),
        ("/nowhere/mine.yaml", "cannot be read"),
    ],
)
def test_a_policy_that_is_not_there(name: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load_policy(name)
