"""Phone numbers: as people write them, from ranges for fiction, and what is refused."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import phone_numbers
from channels.phone_numbers import PhoneNumberError, is_fictional, mask, normalise


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("+44 7700 900123", "", "+447700900123"),
        ("07700 900123", "GB", "+447700900123"),
        ("07700 900123", "gb", "+447700900123"),
        ("(020) 7946-0123", "GB", "+442079460123"),
        ("0044 7700 900123", "DE", "+447700900123"),
        ("tel:+44-7700-900123", "", "+447700900123"),
        ("+447700900123", "", "+447700900123"),  # full-width, as Chinese keyboards write
        ("+1 202 555 0143", "", "+12025550143"),
        ("+1 555 555 0143", "", "+15555550143"),
        ("+61 491 570 156", "", "+61491570156"),
        ("+61 491 577 999", "", "+61491577999"),
        ("030 23125 000", "DE", "+493023125000"),
        ("06 39 98 12 34", "FR", "+33639981234"),
        ("  +353 20 912 3456  ", "", "+353209123456"),
    ],
)
def test_numbers_as_written(text: str, region: str, e164: str) -> None:
    assert normalise(text, region) == e164
    assert normalise(e164) == e164
    assert is_fictional(e164)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("", ""),
        ("   ", "GB"),
        ("07700 900123", ""),
        ("hello", "GB"),
        ("+44 7700 900123 ext. 7", ""),
        ("+44 7700 900123, +44 7700 900124", ""),
        ("+44 7700 9001234567890123", ""),
        ("+999 123456789", ""),
        ("+1 000 000 0000", ""),
        ("+44", ""),
        ("123", "GB"),
        ("+86 1", ""),
        ("+44 909 879 0123", ""),
        ("1-800-FLOWERS", "US"),
        ("+1;drop", ""),
        ("1" * 200, "US"),
        ("nan", "GB"),
        ("4.47700900123e+11", "GB"),
    ],
)
def test_rubbish_is_refused_with_a_remedy_and_without_the_number(text: str, region: str) -> None:
    with pytest.raises(PhoneNumberError) as refused:
        normalise(text, region)
    assert refused.value.message and refused.value.remedy
    digits = "".join(filter(str.isdigit, text))
    assert len(digits) < 5 or digits not in str(refused.value).replace("447700900123", "")


@given(st.text(max_size=50), st.sampled_from(["", "GB", "CN", "US", "DE", "ZZ", "x"]))
def test_any_text_is_e164_or_refused(text: str, region: str) -> None:
    try:
        e164 = normalise(text, region)
    except PhoneNumberError:
        return
    assert e164[0] == "+" and e164[1:].isascii() and e164[1:].isdigit() and 8 <= len(e164) <= 16
    assert normalise(e164) == e164


@given(
    st.sampled_from(["GB", "DE", "FR", "US", "AU", "CN", "IE", "IT", "JP"]),
    st.sampled_from([phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.NATIONAL]),
    st.sampled_from([phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE]),
)
def test_every_way_of_writing_a_valid_number_gives_the_same(region: str, style: int, kind: int) -> None:
    example = phonenumbers.example_number_for_type(region, kind)
    assert example is not None
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    assert normalise(phonenumbers.format_number(example, style), region) == e164


@given(st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True))
def test_a_mask_shows_four_digits_at_most(number: str) -> None:
    masked = mask(number)
    assert len(masked) == len(number)
    assert sum(one.isdigit() for one in masked) <= 4
    assert masked.endswith(number[-2:])


def test_masks() -> None:
    assert mask("+447700900123") == "+44********23"
    assert mask("07700 900123") == "*********23"
    assert mask("110") == "***"
    assert mask("") == ""


def _outcome(text: str) -> str:
    try:
        return normalise(text)
    except PhoneNumberError as error:
        return str(error)


@pytest.mark.parametrize("digit", ["0", "1", "8"])
def test_a_number_in_full_takes_a_short_way_to_the_same_end(digit: str) -> None:
    """`tel:` before it makes it go the long way; one more or another digit makes it one of other rules."""
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        for region in regions:
            for kind in (0, 1, 3, 4):
                example = phonenumbers.example_number_for_type(region, kind)
                if example is None:
                    continue
                plain, at = f"+{code}{example.national_number}", len(str(code)) + 1
                for text in (plain, plain[:at] + digit + plain[at:], plain[:at] + digit + plain[at + 1 :]):
                    assert _outcome(text) == _outcome(f"tel:{text}"), text


def test_the_expression_of_a_country_takes_nothing_that_the_library_refuses_or_calls_costly() -> None:
    chance = random.Random(7)
    taken = 0
    for _ in range(6_000):
        code = chance.choice((86, 353, 49, 33, 81, 65, 852, 44, 39))
        own = str(chance.randrange(10**6, 10 ** chance.randint(7, 11)))
        if not phone_numbers._usual(code).match(own):
            continue
        number = phonenumbers.PhoneNumber(country_code=code, national_number=int(own))
        assert phonenumbers.is_valid_number(number), (code, own)
        assert phonenumbers.number_type(number) not in phone_numbers.COSTLY, (code, own)
        # Countries that share a code take the long way.
        assert code not in (44, 39)
        taken += 1
    assert taken > 50
