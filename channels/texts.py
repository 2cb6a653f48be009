"""Which texts there are to be worded anew, what each is made of, and which words may stand in them.

A text is one channel, kind of notice and language. Its sentences are found by rendering every case that the
templates tell apart, so that no list has to be kept beside them.

Promises: words that pass `checked` name every fact that the delivered sentence names and none that isn't there, on
one line, and end no link early. What a key customer signs (`render_notice_text`), the labelled facts of e-mail and
letter, and the slip of a letter are no part of these texts: the law asks for them. Leaves to
others: who may write, versions, storing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import product
from zoneinfo import ZoneInfo

from channels.advice import DISPENSABLE as _ADVICE
from channels.catalogues import translations
from channels.document import letter_text
from channels.model import Channel, Language, NoticeFacts, PlaceLine
from channels.own_words import PLACEHOLDER, OwnWords, Sentences, facts_in
from channels.plain import one_line
from channels.render import render_email, render_sms, render_voice
from channels.sms_length import not_gsm7
from channels.typed_values import IMPACTS, NAME, PHONE, REASON
from channels.typed_values import KINDS as KINDS

CHANNELS = tuple(one.value for one in Channel)
# Facts that every sentence may name beside its own.
EVERYWHERE = ("utility", "reference")
LONGEST = 400  # characters of one sentence
LONGEST_SMS = 1600  # characters that the provider takes in one message
# The labelled facts: joined by the texts, worded for the text that is signed.
_FIXED = frozenset({"%(label)s: %(value)s"})
_DISPENSABLE = _ADVICE | {
    "Please prepare in good time.",
    "Please check your backup.",
    "Please check that your remaining supply and your backup carry the whole load.",
    "Still no power? Check your fuses, then call us.",
    "If you still have no power, check your fuses and then call us.",
    "Reminder.",
    "The work takes longer than planned; we are sorry.",
}
_NO_BLANKS = {Language.ZH}  # languages whose sentences stand side by side


class WordsRefused(ValueError):
    """Words that can't stand: which sentence, why, and what helps."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.message, self.remedy = message, remedy


@dataclass(frozen=True)
class Example:
    """A text as one addressee would get it. `encoding` and `segments` are of an SMS, `costly` the
    characters that make an SMS in English UCS-2."""

    case: str
    text: str
    subject: str = ""
    encoding: str = ""
    segments: int = 0
    costly: str = ""


class _Heard(Sentences):
    """Notes what it is asked for, and answers with a mark by which the sentence is found in the text."""

    def __init__(self) -> None:
        super().__init__({})
        self._asked: list[str] = []

    def get(self, sentence: str) -> str | None:
        if sentence not in self._asked:
            self._asked.append(sentence)
        return f"\x01{self._asked.index(sentence)}\x01"

    def order_in(self, text: str) -> tuple[str, ...]:
        """In the order of the text; what stands in another form of it alone (HTML) comes last."""
        seen = [self._asked[int(at)] for at in _MARK.findall(text)]
        return tuple(dict.fromkeys((*seen, *self._asked)))


_MARK = re.compile("\x01([0-9]+)\x01")


@cache
def sentences(channel: str, kind: str) -> tuple[str, ...]:
    """The delivered sentences of a text, as ids of the catalogue, in the order in which they can follow each other."""
    order: list[str] = []
    for facts in _cases(kind):
        heard = _Heard()
        words = OwnWords(0, {(channel, kind, facts.language.value): heard})
        text = _text(channel, replace(facts, words=words))
        before = len(order)
        for one in reversed(heard.order_in(text)):
            if one not in order:
                order.insert(before, one)
            before = order.index(one)
    return tuple(one for one in order if one not in _FIXED)


def delivered(sentence: str, language: Language) -> str:
    """The delivered words of a sentence, facts as the catalogue writes them."""
    return translations(language).gettext(sentence)


def may_be_empty(sentence: str) -> bool:
    """Whether a text may leave this sentence out."""
    return sentence in _DISPENSABLE


def checked(sentence: str, language: Language, words: str) -> str:
    """The words, tidied, if they may stand in place of the sentence. WordsRefused."""
    tidy = one_line(words)
    needed = facts_in(sentence)
    if not tidy:
        if may_be_empty(sentence):
            return tidy
        raise WordsRefused("This sentence can't be left out.", "Write it, or take the delivered words.")
    if len(tidy) > LONGEST:
        raise WordsRefused(f"It has {len(tidy)} characters.", f"Write at most {LONGEST}.")
    allowed = dict.fromkeys((*needed, *EVERYWHERE))
    offered = ", ".join(f"{{{one}}}" for one in allowed)
    named = PLACEHOLDER.findall(tidy)
    rest = PLACEHOLDER.sub("", tidy)
    if "{" in rest or "}" in rest:
        raise WordsRefused("A brace stands alone.", f"Facts are written as {offered}.")
    for one in named:
        if one not in allowed:
            raise WordsRefused(f"There is no fact {{{one[:40]}}} here.", f"There are {offered}.")
    missing = [one for one in needed if one not in named]
    if missing:
        facts = ", ".join(f"{{{one}}}" for one in missing)
        raise WordsRefused(f"{facts} is missing.", "This fact has to be told; put it where it belongs.")
    if "url" in named:
        after = tidy.partition("{url}")[2]
        if (after and not after.startswith(" ")) or (not after and language in _NO_BLANKS):
            raise WordsRefused(
                "The link {url} runs into what follows.", "Write a blank and some words after it."
            )
    return tidy


def check_length(channel: str, kind: str, language: Language, words: OwnWords) -> None:
    """WordsRefused if the longest SMS that these words can make is longer than a provider takes."""
    if channel != Channel.SMS:
        return
    longest = max(len(render_sms(replace(one, words=words)).text) for one in _longest(kind, language))
    if longest > LONGEST_SMS:
        raise WordsRefused(
            f"With long names this SMS would have {longest} characters.",
            f"A provider takes {LONGEST_SMS}; shorten it.",
        )


def examples(channel: str, like: NoticeFacts) -> tuple[Example, ...]:
    """The text for each kind of addressee, from the facts of one: only those that read differently."""
    found: dict[str, Example] = {}
    link = like.sign_url or like.notice_url
    for case, change in (
        ("home", {}),
        ("key", {"is_key": True, "sign_url": link}),
        ("life_support", {"life_support": True}),
        ("reduced", {"places": tuple(replace(one, impact="REDUCED_REDUNDANCY") for one in like.places)}),
        ("momentary", {"places": tuple(replace(one, impact="MOMENTARY") for one in like.places)}),
    ):
        plain: NoticeFacts = replace(like, is_key=False, life_support=False, sign_url="")
        one = _example(channel, case, replace(plain, **change))
        found.setdefault(one.text, one)
    return tuple(found.values())


def sample(
    kind: str, language: Language, utility: str, hotline: str, base: str, zone: ZoneInfo, now: datetime
) -> NoticeFacts:
    """Facts as an ordinary notice would have them, for where there is no outage yet to take them from."""
    start = (now.astimezone(zone) + timedelta(days=7)).replace(hour=8, minute=30, second=0, microsecond=0)
    facts = _facts(kind, language, start, start + timedelta(hours=4))
    link = f"{base}/n/{'x' * 28}"
    return replace(facts, utility=utility, hotline=hotline, notice_url=link)


def _example(channel: str, case: str, facts: NoticeFacts) -> Example:
    if channel == Channel.SMS:
        sms = render_sms(facts)
        costly = "".join(sorted(not_gsm7(sms.text))) if facts.language is Language.EN else ""
        return Example(case, sms.text, "", sms.encoding, sms.segments, costly)
    if channel == Channel.EMAIL:
        email = render_email(facts)
        return Example(case, email.text, email.subject)
    return Example(case, _text(channel, facts))


def _text(channel: str, facts: NoticeFacts) -> str:
    if channel == Channel.SMS:
        return render_sms(facts).text
    if channel == Channel.VOICE:
        voice = render_voice(facts)
        return "\n\n".join((voice.text, voice.question, voice.thanks, voice.goodbye))
    if channel == Channel.EMAIL:
        email = render_email(facts)
        return f"{email.subject}\n\n{email.text}"
    return letter_text(facts)


_SAMPLES: Mapping[Language, tuple[Sequence[str], str, str, str, str]] = {
    Language.ZH: (("滨河路3号",), "10kV滨河线电缆更换", "李伟", "王芳", "滨河路"),
    Language.EN: (("3 Mill Lane",), "replacement of a cable", "A. Weber", "J. Smith", "Mill Lane"),
}
_ZONE = ZoneInfo("UTC")


def _facts(kind: str, language: Language, start: datetime, end: datetime) -> NoticeFacts:
    places, reason, manager, customer, area = _SAMPLES[language]
    day, hours = timedelta(days=1), timedelta(hours=2)
    return NoticeFacts(
        kind=kind,
        language=language,
        reference="PO-2026-0417",
        revision=1,
        short_ref="K7F3Q2",
        utility="-",
        reason=reason,
        places=tuple(PlaceLine(one) for one in places),
        start=start,
        end=end,
        customer_name=customer,
        area=area,
        hotline="95598",
        grid_manager=manager,
        grid_manager_phone="0555 0199",
        old_start=start - day if kind == "CHANGED" else None,
        old_end=end - day if kind == "CHANGED" else None,
        expected_end=end + hours if kind == "OVERRUN" else None,
        restored_at=end if kind == "RESTORED" else None,
        law="-",
    )


def _cases(kind: str) -> Iterator[NoticeFacts]:
    """Every case that the templates tell apart, the fullest first."""
    start = datetime(2026, 8, 17, 8, 0, tzinfo=_ZONE)
    facts = _facts(kind, Language.EN, start, start + timedelta(hours=8))
    link = "https://grid.example/n/x"
    facts = replace(facts, notice_url=link, feed_url=link, life_support=False)
    subsets = [
        tuple(PlaceLine(one, one) for one, held in zip(IMPACTS, chosen, strict=True) if held)
        for chosen in product((True, False), repeat=len(IMPACTS))
        if any(chosen)
    ]
    for places, key, life in product(subsets, (False, True), (False, True)):
        signs = {"is_key": key, "sign_url": link if key else ""}
        yield replace(facts, places=places, life_support=life, **signs)  # type: ignore[arg-type]
    unknown = replace(facts, old_start=None, old_end=None, expected_end=None, restored_at=None)
    for places in subsets:
        yield replace(unknown, places=places, grid_manager_phone="")
    for customer in (
        "hospital",
        "nursing_home",
        "water_works",
        "telecom",
        "bank",
        "school",
        "shop",
        "rail",
        "plant",
    ):
        yield replace(facts, customer_kind=customer)


def _longest(kind: str, language: Language) -> Iterator[NoticeFacts]:
    """Cases whose SMS is as long as names, links and numbers let it become."""
    char = "汉" if language is Language.ZH else "n"
    start = datetime(2026, 9, 30, 22, 0, tzinfo=_ZONE)
    facts = _facts(kind, language, start, start + timedelta(days=100))
    link = "https://" + "x" * 120
    full = replace(
        facts,
        utility=char * NAME,
        reason=char * REASON,
        hotline="0" * PHONE,
        grid_manager=char * NAME,
        grid_manager_phone="0" * PHONE,
        reference="R" * 30,
        short_ref="K" * 12,
        notice_url=link,
        is_key=True,
        sign_url=link,
        places=tuple(PlaceLine(f"{at}{char * NAME}", impact) for impact in IMPACTS for at in range(10, 14)),
    )
    yield full
    yield replace(full, life_support=True)
    yield replace(full, sign_url="", is_key=False)
