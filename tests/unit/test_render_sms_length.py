"""SMS length against what the standard says, character by character."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.plain import clip, gsm_friendly, one_line
from channels.sms_length import BASIC, EXTENSION, GSM7, UCS2, not_gsm7, sms_length

basic = st.text(st.sampled_from(sorted(BASIC)), max_size=700)
extended = st.text(st.sampled_from(sorted(BASIC | EXTENSION)), max_size=400)
bmp = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs",)), max_size=300)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (GSM7, 1)),
        ("a" * 160, (GSM7, 1)),
        ("a" * 161, (GSM7, 2)),
        ("a" * 306, (GSM7, 2)),
        ("a" * 307, (GSM7, 3)),
        ("€" * 80, (GSM7, 1)),
        ("€" * 81, (GSM7, 2)),
        # 152 + a pair does not fit 153: the pair moves on whole.
        ("a" * 152 + "€" + "a" * 151, (GSM7, 2)),
        ("a" * 152 + "€" + "a" * 152, (GSM7, 3)),
        ("停" * 70, (UCS2, 1)),
        ("停" * 71, (UCS2, 2)),
        ("停" * 134, (UCS2, 2)),
        ("停" * 135, (UCS2, 3)),
        ("😀" * 35, (UCS2, 1)),
        ("😀" * 36, (UCS2, 2)),
        ("😀" * 67, (UCS2, 3)),
        ("8–9", (UCS2, 1)),
    ],
)
def test_known_lengths(text: str, expected: tuple[str, int]) -> None:
    assert sms_length(text) == expected


def test_the_alphabet_has_the_size_of_the_standard() -> None:
    assert len(BASIC) == 127  # 128 positions, one of which is the escape to the extension table
    assert len(EXTENSION) == 10


@given(basic)
def test_plain_text_is_cut_at_153(text: str) -> None:
    assert sms_length(text) == (GSM7, 1 if len(text) <= 160 else math.ceil(len(text) / 153))


@given(bmp.filter(not_gsm7))
def test_other_text_is_cut_at_67(text: str) -> None:
    assert sms_length(text) == (UCS2, 1 if len(text) <= 70 else math.ceil(len(text) / 67))


@given(extended, extended)
def test_more_text_never_takes_fewer_segments(one: str, two: str) -> None:
    assert sms_length(one + two)[1] >= sms_length(one)[1]


@given(st.text())
def test_a_cleaned_value_stays_on_its_line_and_cleaning_twice_changes_nothing(value: str) -> None:
    for tidy in (one_line, gsm_friendly):
        cleaned = tidy(value)
        assert tidy(cleaned) == cleaned
        assert len(cleaned.splitlines()) <= 1 and cleaned == cleaned.strip()
        assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in cleaned)


def test_typography_goes_but_letters_stay() -> None:
    assert gsm_friendly("“Mill–Lane’s” 8…9\u00a0h") == '"Mill-Lane\'s" 8...9 h'
    assert not not_gsm7(gsm_friendly("Cafe\u0301 Zoë — Straße 5".replace("ë", "e")))
    assert gsm_friendly("Łódź 停电") == "Łódź 停电"
    assert one_line("a\u202eb\u200bc\r\nd") == "abc d"


@given(st.text(), st.integers(4, 40))
def test_clipping_keeps_the_limit(value: str, limit: int) -> None:
    assert len(clip(value, limit)) <= limit
    assert clip(value, limit) == value or clip(value, limit).endswith("...")
