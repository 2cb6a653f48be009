"""Identifiers as arrays: in natural order, and found again, whatever they look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.identifiers import Identifiers, sort_ids
from geo.model import natural_key

WORDS = st.text(st.sampled_from("P10A-_ ٣站"), min_size=1, max_size=6)
NUMBERED = st.tuples(
    st.sampled_from(["P", "A1-", "", "站", "x٣"]), st.sets(st.integers(0, 2000), min_size=1)
).map(lambda one: [f"{one[0]}{number}" for number in sorted(one[1], key=hash)])


@given(st.sampled_from(["load", "trafo3w"]), st.one_of(NUMBERED, st.sets(WORDS, min_size=1).map(list)))
def test_all_stand_in_natural_order_and_are_found_one_by_one_and_together(kind: str, ids: list[str]) -> None:
    table, order = sort_ids(kind, ids)
    wanted = sorted((f"{kind}:{one}" for one in ids), key=natural_key)
    assert [f"{kind}:{ids[place]}" for place in order] == wanted
    found = Identifiers({kind: table, "bus": sort_ids("bus", ["1", "2"])[0]})
    assert list(found.names(range(found.start[kind], found.start[kind] + len(ids)))) == wanted
    assert [found.number(one) for one in wanted] == found.numbers(wanted).tolist()
    names = ["bus:2", *wanted, "bus:3", f"{kind}:", "", kind]
    assert found.numbers(names).tolist() == [-1 if (it := found.number(one)) is None else it for one in names]
    assert found.numbers([]).tolist() == []


@pytest.mark.parametrize(
    "ids", [["P01", "P1"], ["P1", "P"], ["P1", "Q2"], ["P-1", "P1"], ["P1_0", "P2"], ["P9" * 12, "P1"]]
)
def test_what_is_not_one_text_with_a_number_behind_it_stands_in_natural_order_too(ids: list[str]) -> None:
    _, order = sort_ids("load", ids)
    assert [ids[place] for place in order] == sorted(ids, key=lambda one: natural_key(f"load:{one}"))
