"""Advice by who is told: each kind of customer its own, the grave first, nothing when it is over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels import advice as advised
from channels.catalogues import translations
from channels.document import notice_pdf
from channels.model import Language, NoticeFacts, PlaceLine
from channels.render import render_email
from channels.say import Say
from tests.factories.notices import BOTH, ENGLISH, of_kind

# Kinds as imports write them, and a word of the advice that only they get.
KINDS = {
    "hospital": ("emergency generator", "发电机"),
    "Clinic": ("emergency generator", "发电机"),
    "nursing home": ("nurse call", "呼叫"),
    "care-home": ("nurse call", "呼叫"),
    "water": ("reservoirs", "水"),
    "water_works": ("reservoirs", "水"),
    "telecom": ("mobile generator", "通信"),
    "data_centre": ("mobile generator", "通信"),
    "bank": ("vault", "金库"),
    "school": ("lessons", "教学"),
    "kindergarten": ("lessons", "教学"),
    "supermarket": ("cold chains", "冷"),
    "railway": ("signalling", "信号"),
    "metro": ("signalling", "信号"),
    "factory": ("safe state", "安全"),
}


def advice(facts: NoticeFacts) -> tuple[str, ...]:
    return advised.advice(facts, Say(facts, "email"))


everybody = pytest.mark.parametrize("facts", BOTH, ids=["en", "zh"])


@everybody
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_gets_its_own_advice_in_mail_and_letter(facts: NoticeFacts, kind: str) -> None:
    word = KINDS[kind][facts.language is Language.ZH]
    told = replace(facts, customer_kind=kind)
    own = set(advice(told)) - set(advice(facts))
    assert len(own) == 1 and word in own.pop()
    assert set(advice(facts)) < set(advice(told))
    mail = render_email(told)
    assert word in mail.text and word in mail.html


@everybody
def test_an_unknown_kind_gets_what_everybody_gets(facts: NoticeFacts) -> None:
    assert advice(replace(facts, customer_kind="lighthouse")) == advice(facts) != ()


@everybody
def test_the_grave_comes_first(facts: NoticeFacts) -> None:
    told = advice(replace(facts, customer_kind="hospital", life_support=True))
    assert told[:2] == advice(replace(facts, life_support=True))[:2]
    assert advice(facts)[0] not in told[:3]


@everybody
@pytest.mark.parametrize("kind", ["CANCELLED", "RESTORED"])
def test_when_it_is_over_nothing_is_advised(facts: NoticeFacts, kind: str) -> None:
    assert advice(replace(of_kind(facts, kind), customer_kind="hospital", life_support=True)) == ()


@everybody
@pytest.mark.parametrize("kind", ["STARTED", "OVERRUN"])
def test_while_it_lasts_only_what_still_helps(facts: NoticeFacts, kind: str) -> None:
    told = advice(of_kind(replace(facts, customer_kind="hospital"), kind))
    assert told == advice(of_kind(facts, kind)) and len(told) == 1


@everybody
def test_one_of_two_supplies_is_told_of_its_own_risk_alone(facts: NoticeFacts) -> None:
    reduced = replace(facts, places=(PlaceLine("S1", "REDUCED_REDUNDANCY"),))
    assert set(advice(reduced)).isdisjoint(advice(facts))
    moment = replace(facts, places=(PlaceLine("S1", "MOMENTARY"),))
    assert set(advice(moment)).isdisjoint(advice(facts)) and set(advice(moment)).isdisjoint(advice(reduced))


def test_every_sentence_is_translated() -> None:
    chinese = translations(Language.ZH).gettext
    for kind in KINDS:
        told = advice(replace(ENGLISH, customer_kind=kind, life_support=True))
        assert [one for one in told if chinese(one) == one] == []


def test_the_letter_holds_it() -> None:
    assert notice_pdf(replace(ENGLISH, customer_kind="hospital")) != notice_pdf(ENGLISH)
