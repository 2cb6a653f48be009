"""The table of Twilio's errors, its ranges, and signatures."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.model import FaultClass
from channels.twilio_errors import KNOWN, RANGES, classify, classify_http
from channels.twilio_signature import sign, verify

BAD = [13224, 21211, 21214, 21217, 21604, 21612, 21614, 21635, 30005, 30006]
OPTED_OUT = [21610, 30004]
OURS = [
    *(10001, 13227, 20003, 20005, 20008, 20404, 21205, 21210, 21212, 21213, 21215, 21219, 21408),
    *(21602, 21603, 21606, 21608, 21609, 21617, 30002, 30007, 30010, 30032, 30034),
]
TRANSIENT = [20429, 21611, 30001, 30003, 30008, 30017, 30022, 30036]
EXPECTED = {
    **dict.fromkeys(BAD, FaultClass.BAD_ADDRESS),
    **dict.fromkeys(OPTED_OUT, FaultClass.OPTED_OUT),
    **dict.fromkeys(OURS, FaultClass.CONFIGURATION),
    **dict.fromkeys(TRANSIENT, FaultClass.TRANSIENT),
}


def test_the_table_is_the_one_that_was_agreed() -> None:
    assert {code: row.fault for code, row in KNOWN.items()} == EXPECTED


@pytest.mark.parametrize(("code", "fault"), EXPECTED.items())
def test_known_codes(code: int, fault: FaultClass) -> None:
    assert classify(code).fault is fault
    assert classify(str(code)) == classify(code)
    assert classify(code).meaning


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (10_500, FaultClass.CONFIGURATION),
        (11_200, FaultClass.CONFIGURATION),
        (12_100, FaultClass.CONFIGURATION),
        (20_001, FaultClass.CONFIGURATION),
        (20_500, FaultClass.TRANSIENT),
        (21_705, FaultClass.CONFIGURATION),
        (30_009, FaultClass.TRANSIENT),
        (30_035, FaultClass.CONFIGURATION),
        (30_410, FaultClass.TRANSIENT),
        (30_888, FaultClass.CONFIGURATION),
        (21_699, FaultClass.UNKNOWN),
        (63_016, FaultClass.UNKNOWN),
        (0, FaultClass.UNKNOWN),
        (None, FaultClass.UNKNOWN),
        ("", FaultClass.UNKNOWN),
        ("soup", FaultClass.UNKNOWN),
    ],
)
def test_unknown_codes_fall_to_their_range(code: int | str | None, fault: FaultClass) -> None:
    assert classify(code).fault is fault


def test_ranges_do_not_overlap() -> None:
    for (_, last, _, _), (first, _, _, _) in pairwise(RANGES):
        assert last < first


@given(st.integers() | st.text())
def test_every_code_has_a_class_and_a_meaning(code: int | str) -> None:
    row = classify(code)
    assert row.fault is not FaultClass.NONE and row.meaning


def test_a_refusal_without_a_code_goes_by_its_status() -> None:
    # The client puts the status where a code is missing.
    assert classify_http(403, 403).fault is FaultClass.CONFIGURATION
    assert classify_http(404, None).fault is FaultClass.CONFIGURATION
    assert classify_http(400, 400).fault is FaultClass.UNKNOWN
    assert classify_http(400, 21211).fault is FaultClass.BAD_ADDRESS


FORMS = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=4)


@given(FORMS, FORMS)
def test_a_signature_holds_for_its_form_and_no_other(form: dict[str, str], other: dict[str, str]) -> None:
    url = "https://power.example.com/status?d=abc"
    seal = sign("token", url, form)
    assert verify("token", url, form, seal)
    assert not verify("token", url + "d", form, seal)
    assert not verify("tokem", url, form, seal)
    flat = ["".join(f"{name}{value}" for name, value in sorted(one.items())) for one in (form, other)]
    assert verify("token", url, other, seal) == (flat[0] == flat[1])


def test_nothing_is_never_a_signature() -> None:
    assert not verify("", "https://a/", {}, sign("", "https://a/", {}))
    assert not verify("token", "https://a/", {}, "")
    assert not verify("token", "https://a/", {}, "ünlikely")


def test_a_port_in_the_url_may_be_there_or_not() -> None:
    seal = sign("token", "https://power.example.com:443/s", {"a": "1"})
    assert verify("token", "https://power.example.com/s", {"a": "1"}, seal)
