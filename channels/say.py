"""Says the sentences of a text: in the utility's own words where it has any, else as they are delivered.

Promises: own words are never taken for HTML nor for a format, whatever stands in them; what no own words
were written for is the catalogue's. Leaves to others: which sentences a text has, which own words there are.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from channels.catalogues import translations
from channels.model import NoticeFacts


class Say:
    """Says the sentences of one text: `say("Reason: %(reason)s.", reason=...)`.

    `known` are facts that every sentence may name, whether the delivered one does or not.
    """

    __slots__ = ("_delivered", "_known", "_own")

    def __init__(self, facts: NoticeFacts, channel: str, **known: str) -> None:
        self._delivered = translations(facts.language).gettext
        self._own = facts.words.of(channel, facts.kind, facts.language.value)
        self._known = {"utility": facts.utility, "reference": facts.reference, **known}

    def __call__(self, sentence: str, **values: Any) -> str:
        own = self._own.get(sentence)
        if own is None:
            return self._delivered(sentence) % values
        return own % {**self._known, **values}

    def html(self, sentence: str, **values: Any) -> Markup:
        """The same for a template of HTML: values and own words are text there, whatever they look like."""
        own = self._own.get(sentence)
        if own is None:
            # The catalogue is ours, as the templates are, and values are escaped as they are filled in.
            return Markup(self._delivered(sentence)) % values  # noqa: S704
        return escape(own) % {**self._known, **values}
