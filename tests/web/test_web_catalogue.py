"""The pages speak Chinese wherever they speak English."""

from __future__ import annotations

import re

from outage_notify.web import catalogues

PLACEHOLDER = re.compile(r"%\(\w+\)s")


def test_every_sentence_is_translated_and_none_is_left_over() -> None:
    wanted = {(message.context, message.id) for message in catalogues.extract() if message.id}
    written = [one for one in catalogues.written() if one.id and not one.fuzzy]
    there = {(one.context, one.id) for one in written if catalogues.complete(one.string)}
    assert len(wanted) > 200
    assert wanted - there == set(), "run `python -m outage_notify.web.catalogues` and translate"
    assert there - wanted == set(), "run `python -m outage_notify.web.catalogues`"


def test_the_compiled_catalogue_is_the_written_one() -> None:
    assert catalogues.MO.read_bytes() == catalogues.compiled()


def test_a_translation_says_the_same_facts_in_chinese() -> None:
    for message in catalogues.written():
        if not message.id:
            continue
        original = message.id[-1] if isinstance(message.id, tuple) else message.id
        translated = message.string[0] if isinstance(message.string, tuple | list) else message.string
        assert set(PLACEHOLDER.findall(original)) == set(PLACEHOLDER.findall(translated)), original
        assert re.search(r"[\u4e00-\u9fff]", translated), original
        # Two branches that add sentences beside each other can be merged into one entry.
        assert not re.search(r"(?:\b[a-z]{2,} ){3}[a-z]{2,}", translated), original
