"""The catalogues are complete, compiled and in step with the sources."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from channels.catalogues import FOLDERS, compile_mo, extract, po_path, translations
from channels.model import Language

PLACEHOLDER = re.compile(r"%\((\w+)\)([sd])")
# Facts that one language says and the other need not: parts of a date, and how a rest is counted.
FREE = {"weekday", "day", "month", "month_name", "year", "ordinal", "more", "total", "hotline"}


def messages(language: Language) -> Iterator[Message]:
    with po_path(language).open("rb") as source:
        yield from (message for message in read_po(source, locale=FOLDERS[language]) if message.id)


@pytest.mark.parametrize("language", list(Language))
def test_every_sentence_of_the_sources_is_translated(language: Language) -> None:
    wanted = {message.id for message in extract() if message.id}
    translated = {message.id for message in messages(language) if message.string and not message.fuzzy}
    assert len(wanted) > 100
    assert wanted - translated == set(), "run `python -m channels.catalogues` and translate"
    assert translated - wanted == set(), "run `python -m channels.catalogues`"


@pytest.mark.parametrize("language", list(Language))
def test_the_compiled_catalogue_is_the_written_one(language: Language) -> None:
    assert po_path(language).with_suffix(".mo").read_bytes() == compile_mo(language)
    translate = translations(language).gettext
    assert all(translate(message.id) == message.string for message in messages(language))


def test_a_translation_says_the_same_facts() -> None:
    for message in messages(Language.ZH):
        assert not isinstance(message.string, tuple)
        here, there = set(PLACEHOLDER.findall(message.id)), set(PLACEHOLDER.findall(message.string))
        assert {one for one in here ^ there if one[0] not in FREE} == set(), message.id
        assert message.string.count("%") == len(PLACEHOLDER.findall(message.string)), message.string


def test_chinese_is_chinese() -> None:
    bare = [
        m.id for m in messages(Language.ZH) if not re.search(r"[\u3000-\u9fff\uff00-\uffef]", str(m.string))
    ]
    assert set(bare) <= {"%(date)s %(time)s", "%(date)s, %(time)s", "%(date)s at %(time)s"}
