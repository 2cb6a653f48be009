"""What each text says, in both languages, for every kind of notice and every impact."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from channels.model import Language, NoticeFacts, PlaceLine
from channels.render import (
    ANNOUNCING,
    KINDS,
    render_email,
    render_notice_text,
    render_sms,
    render_subject,
    render_voice,
    text_sha256,
)
from channels.sms_length import sms_length
from tests.factories.notices import BERLIN, BOTH, CHINESE, ENGLISH, LINK, of_kind

everybody = pytest.mark.parametrize("facts", BOTH, ids=["en", "zh"])


@everybody
@pytest.mark.parametrize("kind", KINDS)
def test_every_text_names_reference_places_and_contacts(facts: NoticeFacts, kind: str) -> None:
    facts = of_kind(facts, kind)
    email = render_email(facts)
    for text in (render_sms(facts).text, email.text, email.html):
        for fact in ("PO-2026-0417", "K7F3Q2", facts.hotline, facts.grid_manager, facts.places[1].name):
            assert fact in text
        assert facts.utility in text and "%(" not in text
    voice = render_voice(facts)
    assert facts.places[0].name in voice.text and facts.grid_manager in voice.text
    assert "1" in voice.question and voice.thanks and voice.goodbye and ".." not in voice.text
    assert "PO-2026-0417" in render_subject(facts)


@everybody
@pytest.mark.parametrize("kind", KINDS)
def test_an_everyday_sms_is_short(facts: NoticeFacts, kind: str) -> None:
    sms = render_sms(of_kind(facts, kind))
    assert (sms.encoding, sms.segments) == sms_length(sms.text)
    assert sms.encoding == ("GSM-7" if facts.language is Language.EN else "UCS-2")
    assert sms.segments <= 2
    assert sms.text.startswith(
        "Oberrhein Grid:" if facts is ENGLISH or "Grid" in facts.utility else "【南江供电公司】"
    )


def test_the_window_is_told_as_people_say_it() -> None:
    assert "Mon 17 Aug 08:00-16:30" in render_sms(ENGLISH).text
    assert "8月17日（周一）08:00至16:30" in render_sms(CHINESE).text
    night = replace(ENGLISH, end=datetime(2026, 8, 18, 6, 0, tzinfo=BERLIN))
    assert "Mon 17 Aug 08:00 - Tue 18 Aug 06:00" in render_sms(night).text
    assert "Monday 17 August 2026, 08:00 to Tuesday 18 August 2026, 06:00" in render_email(night).text
    assert "Monday the 17th of August, from 8 a.m. to 4:30 p.m." in render_voice(ENGLISH).text
    assert "8月17日星期一上午8点到下午4点30分" in render_voice(CHINESE).text
    new_year = replace(
        ENGLISH,
        start=datetime(2026, 12, 31, 22, 0, tzinfo=BERLIN),
        end=datetime(2027, 1, 1, 6, 0, tzinfo=BERLIN),
    )
    assert "2026" in render_sms(new_year).text and "2027" in render_sms(new_year).text


def test_an_hour_that_comes_twice_is_told_with_its_offset() -> None:
    autumn = replace(
        ENGLISH,
        start=datetime(2026, 10, 25, 1, 0, tzinfo=BERLIN),
        end=datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
    )
    assert "01:00 (UTC+2)-02:30 (UTC+1)" in render_sms(autumn).text


@everybody
def test_each_impact_has_its_own_words(facts: NoticeFacts) -> None:
    texts = {
        impact: render_sms(replace(facts, places=(PlaceLine("A1", impact),))).text
        for impact in ("OUTAGE", "REDUCED_REDUNDANCY", "MOMENTARY")
    }
    one = "one of your supplies" if facts is ENGLISH else "其中一路电源"
    short = "short interruptions" if facts is ENGLISH else "短时停电"
    assert one in texts["REDUCED_REDUNDANCY"].lower() and one not in texts["OUTAGE"].lower()
    assert short in texts["MOMENTARY"].lower() and short not in texts["REDUCED_REDUNDANCY"].lower()
    mixed = render_sms(replace(facts, places=tuple(PlaceLine(f"P{i}", i) for i in texts))).text
    assert all(f"P{impact}" in mixed for impact in texts)


def test_many_places_are_counted_not_listed() -> None:
    many = tuple(PlaceLine(f"Meter {number}") for number in range(40))
    assert "Meter 0, Meter 1, Meter 2 and 37 more" in render_sms(replace(ENGLISH, places=many)).text
    assert "等40处" in render_sms(replace(CHINESE, places=many)).text
    assert "Meter 39" in render_email(replace(ENGLISH, places=many)).text


@everybody
def test_only_a_key_customer_with_a_link_is_asked_to_sign(facts: NoticeFacts) -> None:
    reply = "reply 1" if facts is ENGLISH else "回复1确认"
    key = replace(facts, is_key=True, sign_url=LINK)
    for kind in KINDS:
        asked = kind in ANNOUNCING
        sms, email = render_sms(of_kind(key, kind)), render_email(of_kind(key, kind))
        assert (reply in sms.text and LINK in sms.text) == asked
        assert (LINK in email.text) == (f'href="{LINK}"' in email.html) == asked
    assert reply not in render_sms(facts).text + render_sms(replace(key, sign_url="")).text
    assert LINK not in render_sms(replace(key, is_key=False)).text


@everybody
def test_life_support_has_its_own_advice(facts: NoticeFacts) -> None:
    word = "life" if facts is ENGLISH else "生命维持"
    alive = replace(facts, life_support=True)
    assert word in render_sms(alive).text.lower() and word not in render_sms(facts).text.lower()
    assert word in render_email(alive).text and word in render_voice(alive).text
    assert word not in render_sms(of_kind(alive, "RESTORED")).text.lower()


def test_changed_tells_old_and_new_and_overrun_the_new_end() -> None:
    changed = render_sms(of_kind(ENGLISH, "CHANGED")).text
    assert "Sun 16 Aug 08:00-16:30" in changed and "Mon 17 Aug 08:00-16:30" in changed
    assert "Mon 17 Aug 18:30" in render_sms(of_kind(ENGLISH, "OVERRUN")).text
    assert "not known yet" in render_sms(replace(ENGLISH, kind="OVERRUN")).text
    assert "待定" in render_sms(replace(CHINESE, kind="OVERRUN")).text
    moved_then_cancelled = replace(of_kind(ENGLISH, "CHANGED"), kind="CANCELLED")
    assert "Sun 16 Aug" in render_sms(moved_then_cancelled).text


def test_one_odd_letter_makes_an_sms_ucs2_and_typography_does_not() -> None:
    assert render_sms(replace(ENGLISH, reason="“cable” – joint’s repair…")).encoding == "GSM-7"
    assert render_sms(replace(ENGLISH, places=(PlaceLine("ul. Łąkowa 3"),))).encoding == "UCS-2"


@everybody
def test_the_signed_text_is_the_same_for_every_kind_and_channel(facts: NoticeFacts) -> None:
    text = render_notice_text(facts)
    for kind in KINDS:
        other = replace(of_kind(facts, kind), short_ref="OTHER", sign_url=LINK, feed_url=LINK)
        assert render_notice_text(other) == text
    assert text_sha256(text) == text_sha256(render_notice_text(facts))
    for change in (
        {"revision": 2},
        {"reason": "x"},
        {"end": facts.end + timedelta(minutes=1)},
        {"places": ()},
    ):
        assert text_sha256(render_notice_text(replace(facts, **change))) != text_sha256(text)  # type: ignore[arg-type]
    for fact in ("PO-2026-0417", facts.reason, facts.hotline, facts.customer_name, "2026"):
        assert fact in text


def test_the_signed_text_word_for_word() -> None:
    assert render_notice_text(CHINESE) == (
        "停电通知书\n通知编号：PO-2026-0417（第1版）\n供电企业：南江供电公司\n用电客户：王芳\n"
        "停电时间：2026年8月17日（星期一）08:00至16:30（北京时间）\n"
        "停电原因：10kV滨河线电缆更换\n服务热线：95598\n网格经理：李伟 0555 0199\n"
        "停电地点：\n- 滨河路3号：停电\n- 学校路1号：停电\n"
    )


def test_the_zone_is_named_as_its_people_call_it() -> None:
    assert "（北京时间）" in render_notice_text(CHINESE)
    assert "(local time, Europe/Berlin, UTC+2)" in render_notice_text(ENGLISH)


def test_what_has_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="kind"):
        render_sms(replace(ENGLISH, kind="GREETING"))
    with pytest.raises(ValueError, match="impact"):
        render_sms(replace(ENGLISH, places=(PlaceLine("A", "NONE"),)))
    with pytest.raises(ValueError, match="aware"):
        render_sms(replace(ENGLISH, start=ENGLISH.start.replace(tzinfo=None)))


def test_a_managers_chinese_name_does_not_double_an_english_text() -> None:
    told = render_sms(replace(ENGLISH, grid_manager="李伟"))
    assert told.encoding == "GSM-7"
    assert ENGLISH.grid_manager_phone in told.text
    assert "李伟" not in told.text
    chinese_place = replace(ENGLISH, grid_manager="李伟", places=(PlaceLine("滨河路3号"),))
    assert "李伟" in render_sms(chinese_place).text, "nothing is saved, so nothing is left out"
