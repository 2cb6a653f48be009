"""What people type breaks out of no text: not of a line, not of HTML, not of a length."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.model import NoticeFacts, PlaceLine
from channels.render import KINDS, render_email, render_notice_text, render_sms, render_subject, render_voice
from tests.factories.notices import BOTH, ENGLISH, LINK, of_kind

hostile = st.text(max_size=60) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "a\r\nBcc: x@example.com",
        "{{ 7*7 }}",
        "%(when)s %d %",
        "\x00\u202e",
        "\U0001f600",
    ]
)


@given(hostile, hostile, hostile, hostile, st.sampled_from(BOTH), st.sampled_from(KINDS))
def test_typed_values_break_out_of_nothing(
    name: str, reason: str, place: str, manager: str, facts: NoticeFacts, kind: str
) -> None:
    facts = replace(
        of_kind(facts, kind),
        customer_name=name,
        reason=reason,
        places=(PlaceLine(place),),
        grid_manager=manager,
        utility=name,
    )
    assert len(render_sms(facts).text.splitlines()) == 1
    assert len(render_subject(facts).splitlines()) == 1
    page = Tags()
    page.feed(render_email(facts).html)
    assert "script" not in page.seen and page.seen <= Tags.expected
    render_voice(facts)
    render_notice_text(facts)


@given(st.text(min_size=300, max_size=600), st.sampled_from(BOTH), st.sampled_from(KINDS))
def test_an_sms_never_outgrows_what_a_provider_takes(long: str, facts: NoticeFacts, kind: str) -> None:
    places = tuple(
        PlaceLine(f"{number}{long}", impact) for number in range(5) for impact in ("OUTAGE", "MOMENTARY")
    )
    facts = replace(of_kind(facts, kind), reason=long, places=places, utility=long, hotline=long)
    facts = replace(
        facts, grid_manager=long, grid_manager_phone=long, is_key=True, life_support=True, sign_url=LINK
    )
    sms = render_sms(facts)
    assert len(render_voice(facts).text) <= 1500
    assert len(sms.text) <= 1600 and "PO-2026-0417 K7F3Q2" in sms.text


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", 'https://a"onclick="x', "http://[x", "/a"]
)
def test_a_link_that_is_no_web_address_is_left_out(link: str) -> None:
    html = render_email(replace(ENGLISH, is_key=True, sign_url=link, notice_url=link, feed_url=link)).html
    assert "href" not in html


def test_the_html_loads_nothing_from_elsewhere() -> None:
    html = render_email(replace(ENGLISH, is_key=True, sign_url=LINK)).html
    page = Tags()
    page.feed(html)
    assert (
        not page.seen & {"img", "link", "script", "iframe"} and "url(" not in html and "@import" not in html
    )


class Tags(HTMLParser):
    expected = frozenset(
        [
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "div",
            "table",
            "tr",
            "td",
            "th",
            "p",
            "h1",
            "h2",
            "ul",
            "li",
            "a",
            "span",
            "br",
        ]
    )

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
