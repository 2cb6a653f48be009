"""Words of the utility's own: which may stand, and that a text says them and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import texts
from channels.catalogues import extract
from channels.document import letter_text
from channels.model import Language, NoticeFacts
from channels.own_words import OwnWords, Sentences, shown
from channels.render import KINDS, render_email, render_notice_text, render_sms, render_voice
from channels.texts import CHANNELS, WordsRefused, checked
from tests.factories.notices import BOTH, ENGLISH, LINK, of_kind

WINDOW = "Planned power outage on %(when)s at %(places)s."
PREPARE = "Please prepare in good time."
OF_TEXTS = {"sms.txt", "voice.txt", "lead.txt", "email.txt", "email.html"}


def own(facts: NoticeFacts, channel: str, **words: str) -> NoticeFacts:
    """The facts with words of its own for the sentences named by their first letters."""
    every = texts.sentences(channel, facts.kind)
    found = {next(one for one in every if one.startswith(start)): said for start, said in words.items()}
    name = (channel, facts.kind, facts.language.value)
    return replace(facts, words=OwnWords(1, {name: Sentences(found)}))


def test_every_sentence_of_the_templates_belongs_to_a_text() -> None:
    heard = {one for channel in CHANNELS for kind in KINDS for one in texts.sentences(channel, kind)}
    written = {
        message.id
        for message in extract()
        for file, _ in message.locations
        if file.rpartition("/")[2] in OF_TEXTS
    }
    assert len(written) > 40
    assert written - heard == {"%(label)s: %(value)s"}


@pytest.mark.parametrize("language", list(Language))
def test_the_delivered_words_may_stand_as_they_are(language: Language) -> None:
    for channel in CHANNELS:
        for kind in KINDS:
            for one in texts.sentences(channel, kind):
                words = shown(texts.delivered(one, language))
                assert checked(one, language, words) == words.strip()
            texts.check_length(channel, kind, language, OwnWords())


@pytest.mark.parametrize("facts", BOTH, ids=["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_with_the_delivered_words_as_its_own_is_the_delivered_text(
    facts: NoticeFacts, kind: str
) -> None:
    plain = replace(of_kind(facts, kind), is_key=True, sign_url=LINK, notice_url=LINK, law="§ 17")
    for channel, said in (
        ("sms", lambda one: render_sms(one).text),
        ("voice", lambda one: render_voice(one).__repr__()),
        ("email", lambda one: render_email(one).__repr__()),
        ("letter", letter_text),
    ):
        words = {one: shown(texts.delivered(one, facts.language)) for one in texts.sentences(channel, kind)}
        name = (channel, kind, facts.language.value)
        worded = replace(plain, words=OwnWords(1, {name: Sentences(words)}))
        assert said(worded) == said(plain)


def test_own_words_are_said_in_their_text_alone() -> None:
    mine = own(
        ENGLISH, "sms", Planned="Power is off {when}: {places}. Sorry, {utility}! 100% sure.", Please=""
    )
    text = render_sms(mine).text
    assert (
        "Power is off Mon 17 Aug 08:00-16:30: Mill Lane 3 and School Road 1. Sorry, Oberrhein Grid! 100% sure."
        in text
    )
    assert "Please prepare" not in text
    for other in (
        render_voice(mine).text,
        render_email(mine).text,
        render_sms(replace(mine, kind="REMINDER")).text,
    ):
        assert "Sorry" not in other


def test_what_is_signed_is_worded_by_nobody() -> None:
    words = {
        (channel, kind, Language.EN.value): Sentences(
            {one: f"Ours. {shown(one)}" for one in texts.sentences(channel, kind)}
        )
        for channel in CHANNELS
        for kind in KINDS
    }
    mine = replace(ENGLISH, words=OwnWords(1, words))
    assert "Ours." in render_sms(mine).text and "Ours." in letter_text(mine)
    assert render_notice_text(mine) == render_notice_text(ENGLISH)


def test_a_wave_is_told_in_the_words_of_each() -> None:
    """Texts are kept for all of a wave: a change of words is another wave, another text's change is none."""
    before = render_sms(ENGLISH).text
    changed = own(ENGLISH, "sms", Planned="Off {when} at {places}.")
    assert "Off Mon" in render_sms(changed).text
    assert render_sms(replace(changed, short_ref="QQQQQQ")).text == render_sms(changed).text.replace(
        "K7F3Q2", "QQQQQQ"
    )
    assert render_sms(ENGLISH).text == before == render_sms(own(ENGLISH, "voice", Please="")).text


def test_own_words_are_no_html_and_no_format() -> None:
    evil = "<script>x</script> %(reason)s %s {utility} &amp; {when} {places}"
    mine = own(ENGLISH, "email", Planned=evil)
    html, text = render_email(mine).html, render_email(mine).text
    assert (
        "<script>" not in html
        and "&lt;script&gt;x&lt;/script&gt; %(reason)s %s Oberrhein Grid &amp;amp;" in html
    )
    assert "<script>x</script> %(reason)s %s Oberrhein Grid &amp; Mon" in text


@pytest.mark.parametrize(
    ("sentence", "words", "said"),
    [
        (WINDOW, "Off on {when}.", "{places} is missing"),
        (WINDOW, "Off at {places}.", "{when} is missing"),
        (WINDOW, "Off {when} {places} {wehn}", "no fact {wehn}"),
        (WINDOW, "Off {when} {places} {when.__class__}", "no fact {when.__class__}"),
        (WINDOW, "Off {when} {places} {}", "no fact {}"),
        (WINDOW, "Off {when} {places} }", "A brace stands alone"),
        (WINDOW, "Off {when} {{places}}", "A brace stands alone"),
        (WINDOW, "  ", "can't be left out"),
        (WINDOW, "{when} {places}" + "x" * 400, "415 characters"),
        ("Reason: %(reason)s.", "Because.", "{reason} is missing"),
        ("Ref %(reference)s %(short_ref)s", "Ref {reference}", "{short_ref} is missing"),
        ("Details: %(url)s", "Details: {url}.", "runs into what follows"),
        ("Life support: have backup power ready. Need help? Call us now.", "", "can't be left out"),
    ],
)
def test_words_that_cannot_stand_are_refused(sentence: str, words: str, said: str) -> None:
    with pytest.raises(WordsRefused) as refused:
        checked(sentence, Language.EN, words)
    assert said in refused.value.message and refused.value.remedy


def test_a_link_at_the_end_of_a_chinese_sentence_would_run_into_the_next() -> None:
    assert checked("Details: %(url)s", Language.EN, "See {url}") == "See {url}"
    with pytest.raises(WordsRefused):
        checked("Details: %(url)s", Language.ZH, "详情见{url}")
    assert checked("Details: %(url)s", Language.ZH, "详情见{url} 。")


def test_an_sms_must_still_be_one_that_a_provider_takes() -> None:
    words = {one: f"{shown(one)} {'x' * 200}" for one in texts.sentences("sms", "CHANGED")}
    with pytest.raises(WordsRefused, match="1600"):
        texts.check_length(
            "sms", "CHANGED", Language.EN, OwnWords(1, {("sms", "CHANGED", "en"): Sentences(words)})
        )


def test_examples_tell_the_addressees_apart_and_name_what_costs() -> None:
    told = texts.examples("sms", replace(ENGLISH, notice_url=LINK))
    assert [one.case for one in told] == ["home", "key", "life_support", "reduced", "momentary"]
    assert all(one.encoding == "GSM-7" and one.costly == "" for one in told)
    dear = texts.examples("sms", own(ENGLISH, "sms", Please="Please prepare “now”…"))[0]
    assert dear.encoding == "UCS-2" and dear.costly == "“”…"
    assert [one.case for one in texts.examples("sms", of_kind(ENGLISH, "CANCELLED"))] == ["home"]


@given(st.text(max_size=60))
def test_whatever_is_typed_is_refused_or_said_on_one_line(words: str) -> None:
    try:
        tidy = checked(PREPARE, Language.EN, words)
    except WordsRefused:
        return
    text = render_sms(own(ENGLISH, "sms", Please=tidy)).text
    said = tidy.replace("{utility}", ENGLISH.utility).replace("{reference}", ENGLISH.reference)
    assert said in text and len(text.splitlines()) == 1 and "\x02" not in text
