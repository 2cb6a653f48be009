"""One text for a whole wave says to each what a text made for this one alone would say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import render
from channels.model import Language, NoticeFacts, PlaceLine
from channels.render import KINDS, render_sms
from channels.wave_text import Own, wave_text
from tests.factories.notices import BOTH, ENGLISH, LINK, of_kind

names = st.text(max_size=70) | st.sampled_from(["\x020\x03", "%(when)s", "1", "{{ 1 }}", "", "Mill Lane"])
impacts = st.sampled_from(["OUTAGE", "REDUCED_REDUNDANCY", "MOMENTARY"])
links = st.sampled_from(["", LINK, "https://example.com/n/2", "javascript:x", "http://[x"])


@st.composite
def facts(draw: st.DrawFn) -> NoticeFacts:
    found = of_kind(draw(st.sampled_from(BOTH)), draw(st.sampled_from(KINDS)))
    return replace(
        found,
        places=tuple(draw(st.lists(st.builds(PlaceLine, names, impacts), max_size=6))),
        area=draw(names),
        short_ref=draw(names),
        notice_url=draw(links),
        sign_url=draw(links),
        grid_manager=draw(names),
        grid_manager_phone=draw(names),
        hotline=draw(st.sampled_from(["", "95598"])),
        is_key=draw(st.booleans()),
        life_support=draw(st.booleans()),
    )


@given(facts(), names)
def test_filled_in_it_is_what_rendering_alone_gives(one: NoticeFacts, manager: str) -> None:
    manager = render.one_line(manager)
    alone = render.sms_of_wave(one, render.own_in_sms(one, manager))
    assert wave_text(one, manager, render.sms_of_wave, render.own_in_sms) == alone


@given(facts(), facts())
def test_no_text_holds_what_is_another_persons(one: NoticeFacts, other: NoticeFacts) -> None:
    mine = replace(one, places=(PlaceLine("Alder House"),), short_ref="AAAA")
    theirs = replace(one, places=(PlaceLine("Birch House"),), short_ref="BBBB")
    for wave in (mine, theirs, replace(other, places=(PlaceLine("Birch House"),)), mine):
        text = render_sms(wave).text
    assert "Alder House" in text and "AAAA" in text
    assert "Birch House" not in text and "BBBB" not in text


def test_a_wave_is_rendered_once_and_each_other_one_by_itself() -> None:
    rendered: list[Own] = []

    def rendering(facts: NoticeFacts, own: Own) -> str:
        rendered.append(own)
        return f"{own.places[0]} {own.short_ref}"

    def text(number: int, **other: object) -> str:
        one = replace(ENGLISH, places=(PlaceLine(f"{number} Mill Lane"),), short_ref=f"R{number}", **other)
        return wave_text(one, "", rendering, render.own_in_sms)

    assert [text(number) for number in range(50)] == [f"{number} Mill Lane R{number}" for number in range(50)]
    assert len(rendered) == 1
    for other in ({"kind": "CANCELLED"}, {"reason": "new poles"}, {"is_key": True}, {"notice_url": LINK}):
        text(1, **other)
    assert len(rendered) == 5


@pytest.mark.parametrize("language", list(Language))
def test_one_instant_on_two_clocks_is_two_texts(language: Language) -> None:
    start = datetime(2026, 4, 17, 1, 0, tzinfo=UTC)
    times = set()
    for zone in ("Asia/Shanghai", "Europe/London", "Asia/Kathmandu"):
        local = start.astimezone(ZoneInfo(zone))
        one = replace(ENGLISH, language=language, start=local, end=local + timedelta(hours=4))
        times.add(render_sms(one).text)
    assert len(times) == 3


def test_an_hour_that_comes_twice_is_two_texts() -> None:
    zone = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=zone)
    texts = {
        render_sms(replace(ENGLISH, start=at, end=at + timedelta(hours=9))).text
        for at in (first, first.replace(fold=1))
    }
    assert len(texts) == 2
