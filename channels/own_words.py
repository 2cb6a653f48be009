"""Words of the utility's own in place of delivered sentences, text by text.

A text is one channel, one kind of notice and one language, such as the SMS seven days ahead in Chinese; it is made
of sentences, each of which may have words of the utility's own. What is said when, and to whom, is
decided by the templates and by no words. Facts stand in braces in such words, as in "{when}".

Promises: what one set of words says never changes, so that it can be named by its number. Leaves to others: saying
them (`say`), which words may stand (`texts`), who wrote them and when.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# (channel, kind of notice, language)
TextName = tuple[str, str, str]
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_DELIVERED_FACT = re.compile(r"%\((\w+)\)[sd]")


class Sentences:
    """The words of one text that differ from the delivered ones, by delivered sentence. Equal to itself alone, so that
    it can be asked quickly whether two messages have the same."""

    __slots__ = ("_words",)

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = {sentence: _format(own) for sentence, own in words.items()}

    def get(self, sentence: str) -> str | None:
        """The words as a format; None: as delivered."""
        return self._words.get(sentence)


_NONE = Sentences({})


class OwnWords:
    """All words of the utility's own as they stand at one moment; `number` names that moment, 0 is before any."""

    __slots__ = ("_texts", "number")

    def __init__(self, number: int = 0, texts: Mapping[TextName, Sentences] | None = None) -> None:
        self.number = number
        self._texts = dict(texts or {})

    def of(self, channel: str, kind: str, language: str) -> Sentences:
        return self._texts.get((channel, kind, language), _NONE)

    def with_text(self, name: TextName, words: Sentences) -> OwnWords:
        """The same with one text changed, for a look at it; it has no number of its own."""
        return OwnWords(self.number, {**self._texts, name: words})


DELIVERED = OwnWords()


def shown(sentence: str) -> str:
    """A delivered sentence as people edit it: facts in braces."""
    return _DELIVERED_FACT.sub(r"{\1}", sentence).replace("%%", "%")


def facts_in(sentence: str) -> tuple[str, ...]:
    """The facts that a delivered sentence names, each once."""
    return tuple(dict.fromkeys(_DELIVERED_FACT.findall(sentence)))


def _format(words: str) -> str:
    return PLACEHOLDER.sub(lambda found: f"%({found[1]})s", words.replace("%", "%%"))
