"""The page of numbers: what it shows is what stands in its tables, charts are pictures of them, CSV comes out."""

from __future__ import annotations

import csv
import io
import re

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from outage_notify.services.runtime import Runtime
from outage_notify.web import charts
from outage_notify.web.charts import Bar
from outage_notify.web.desk_numbers import percent
from tests.factories import town
from tests.web.conftest import Person


def test_the_page_shows_the_period_and_its_csv(rt: Runtime, planner: Person) -> None:
    town.approved(rt)
    page = planner.get("/desk/numbers?from=2026-03-01&to=2026-03-31").get_data(as_text=True)
    assert page.count('<svg class="chart"') == 3 and page.count("aria-hidden") >= 3
    assert "style=" not in page and "2026-03" in page
    answer = planner.get("/desk/numbers.csv?from=2026-03-01&to=2026-03-31")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert ["months", "2026-03 outages", "1", "outages"] in rows
    empty = planner.get("/desk/numbers?from=2025-01-01&to=2025-02-28").get_data(as_text=True)
    assert "Nobody in this period." in empty


def test_a_period_that_is_none_is_said_on_the_page(planner: Person) -> None:
    for query in ("from=2026-03-31&to=2026-03-01", "from=yesterday", "from=1900-01-01&to=2026-01-01"):
        answer = planner.get(f"/desk/numbers?{query}")
        assert answer.status_code == 422 and 'role="alert"' in answer.get_data(as_text=True)
        assert planner.get(f"/desk/numbers.csv?{query}").status_code == 422


@given(
    st.lists(
        st.tuples(st.text(max_size=9), st.lists(st.integers(0, 10**6), min_size=1, max_size=3)), max_size=6
    ),
    st.none() | st.floats(0, 1),
)
def test_bars_stay_within_the_picture_and_text_is_escaped(
    drawn: list[tuple[str, list[int]]], goal: float | None
) -> None:
    bars = [Bar(label, [("done", amount) for amount in parts], "<b>") for label, parts in drawn]
    for picture in (charts.shares(bars, goal), charts.columns([(a, float(sum(b)), a) for a, b in drawn])):
        assert isinstance(picture, Markup) and "<b>" not in picture
        for x, width in re.findall(r'x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', picture):
            assert float(x) + float(width) <= charts.WIDTH + 0.2


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_what_is_not_whole_never_reads_a_hundred(part: int, more: int) -> None:
    text = percent(part, part + more)
    assert (text == "100 %") == (more == 0 and part > 0)
