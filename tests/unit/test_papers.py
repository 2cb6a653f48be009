"""The papers of an outage: the same facts in text and PDF, in both languages, without poles or people."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from channels.document import sheet_pdf
from channels.model import Language
from channels.papers import PUBLIC, Paper, PaperFacts, Stage, make, sheet_text

SHANGHAI = ZoneInfo("Asia/Shanghai")
FACTS = PaperFacts(
    language=Language.ZH,
    stage=Stage.PLANNED,
    reference="PO-2026-0417",
    revision=1,
    utility="南江供电公司",
    reason="更换老化电缆",
    start=datetime(2026, 8, 17, 8, 0, tzinfo=SHANGHAI),
    end=datetime(2026, 8, 17, 16, 30, tzinfo=SHANGHAI),
    area="滨河新区",
    streets=("滨河路", "学校路"),
    more_places=True,
    customers=210,
    hotline="95598",
    page_url="https://grid.example/outages/PO-2026-0417",
    dated=datetime(2026, 8, 3, 9, 0, tzinfo=SHANGHAI),
    line="10kV滨河线 12号杆",
    work=("line:7 (滨河线)",),
    opened=("switch:285",),
    tiers={"SPECIAL": 1, "FIRST": 0, "LOW_VOLTAGE": 209},
    key_customers=1,
    deadlines=(("第二十八条", datetime(2026, 8, 10, 8, 0, tzinfo=SHANGHAI)),),
    people=(("planned", "li.na"), ("approved", "wang.wei")),
)
ENGLISH = replace(FACTS, language=Language.EN, utility="Oberrhein Grid", reason="cable replacement")


def pdf_text(facts: PaperFacts, paper: Paper) -> tuple[str, int]:
    reader = PdfReader(io.BytesIO(sheet_pdf(make(paper, facts))))
    return "".join(page.extract_text() for page in reader.pages), len(reader.pages)


def squeezed(text: str) -> str:
    """Without spaces: a PDF keeps letters and their order, and breaks lines where it likes."""
    return "".join(text.split())


@pytest.mark.parametrize("facts", [FACTS, ENGLISH], ids=["zh", "en"])
@pytest.mark.parametrize("paper", Paper)
def test_text_and_pdf_say_the_same(facts: PaperFacts, paper: Paper) -> None:
    sheet = make(paper, facts)
    text, pages = pdf_text(facts, paper)
    assert pages == 1
    shown = squeezed(text)
    for part in [sheet.title, *sheet.lead, *sheet.points]:
        assert squeezed(part) in shown
    rows = sheet.rows[1:] if paper is Paper.POSTER else sheet.rows
    for label, value in rows:
        assert squeezed(label) in shown and squeezed(value) in shown
    for _, value in sheet.rows:
        assert value in sheet_text(sheet)
    assert sheet_pdf(sheet) == sheet_pdf(make(paper, facts))


@pytest.mark.parametrize("paper", sorted({*PUBLIC, Paper.HOTLINE}))
@pytest.mark.parametrize("facts", [FACTS, ENGLISH], ids=["zh", "en"])
def test_who_reads_a_public_paper_finds_places_and_no_element(facts: PaperFacts, paper: Paper) -> None:
    text = sheet_text(make(paper, facts))
    assert "滨河新区" in text and "滨河路" in text
    for internal in ("杆", "line:7", "switch:285", "li.na", "wang.wei"):
        assert internal not in text


def test_the_plan_notice_tells_stations_what_is_switched_and_by_when_customers_are_told() -> None:
    text = sheet_text(make(Paper.PLAN, FACTS))
    for part in ("switch:285", "line:7 (滨河线)", "第二十八条", "特级 1 户", "低压 209 户", "wang.wei"):
        assert part in text
    assert "一级" not in text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("paper", Paper)
def test_a_changed_and_a_cancelled_outage_have_words_of_their_own(language: Language, paper: Paper) -> None:
    planned = replace(FACTS, language=language)
    old = FACTS.start - timedelta(days=2)
    changed = replace(planned, stage=Stage.CHANGED, old_start=old, old_end=old + timedelta(hours=1))
    cancelled = replace(planned, stage=Stage.CANCELLED)
    texts = [sheet_text(make(paper, one)) for one in (planned, changed, cancelled)]
    assert len({one.splitlines()[0] for one in texts}) == 3
    assert ("15" in texts[1]) and texts[1] != texts[0]
    off = {Language.ZH: "取消", Language.EN: "not take place"}[language]
    assert off in texts[2] and off not in texts[0]


def test_small_numbers_are_not_told_and_unnamed_streets_are_owned_up_to() -> None:
    text = sheet_text(make(Paper.MEDIA, replace(ENGLISH, customers=None, streets=(), more_places=True)))
    assert "fewer than 10" in text and "single houses" in text


def test_a_poster_stays_one_page_with_forty_streets() -> None:
    streets = tuple(f"Long name of a street number {chr(97 + at % 26)}{at}" for at in range(40))
    _, pages = pdf_text(replace(ENGLISH, streets=streets), Paper.POSTER)
    assert pages == 1


@given(st.text(max_size=80), st.sampled_from(sorted(Paper)))
def test_nothing_typed_breaks_out_of_its_line(typed: str, paper: Paper) -> None:
    facts = replace(ENGLISH, area=typed, reason=typed, streets=(typed,))
    plain = sheet_text(make(paper, replace(ENGLISH, area="x", reason="x", streets=("x",))))
    assert len(sheet_text(make(paper, facts)).splitlines()) <= len(plain.splitlines())


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        make(Paper.MEDIA, replace(FACTS, start=FACTS.start.replace(tzinfo=None)))
