"""Follows a call's script (TwiML) as Twilio would, and writes down what was heard and pressed.

Knows Say, Play, Pause, Gather, Redirect, Hangup, Reject and, for texts, Message. An
unknown verb ends the call with a problem, so that a script that Twilio would not
follow does not pass here either. The scripts come from the product that is tested, so
the standard XML parser will do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin
from xml.etree import ElementTree

Fetch = Callable[[str, Mapping[str, str], str], tuple[int, str] | None]

MOST_DOCUMENTS = 20
SILENT = frozenset({"Play", "Pause"})


@dataclass
class Transcript:
    """What happened on the line. `problem` is empty if the script ran to its end."""

    heard: list[str] = field(default_factory=list)
    languages: set[str] = field(default_factory=set)
    pressed: list[str] = field(default_factory=list)
    questions: int = 0
    problem: str = ""

    @property
    def text(self) -> str:
        return "\n".join(self.heard)

    @property
    def digits(self) -> str:
        return "".join(self.pressed)


class CallScript:
    """One call: fetches the first document and follows it until somebody hangs up."""

    def __init__(self, fetch: Fetch, form: Mapping[str, str], keys: tuple[str, ...]) -> None:
        self._fetch = fetch
        self._form = form
        self._keys = iter(keys)
        self.transcript = Transcript()

    def run(self, url: str, method: str = "POST") -> Transcript:
        """Follow the call from its first document. Never raises for what the script says."""
        step: tuple[str, str, dict[str, str]] | None = (url, method, {})
        documents = 0
        while step is not None and not self.transcript.problem:
            documents += 1
            if documents > MOST_DOCUMENTS:
                self.transcript.problem = "the script goes in circles"
                break
            address, how, more = step
            answer = self._fetch(address, {**self._form, **more}, how)
            if answer is None or answer[0] >= 400:
                self.transcript.problem = "11200: the script could not be fetched"
                break
            step = self._document(answer[1], address)
        return self.transcript

    def _document(self, text: str, url: str) -> tuple[str, str, dict[str, str]] | None:
        """Follow one document; where to go next, or None when the call is over."""
        try:
            root = ElementTree.fromstring(text)  # noqa: S314
        except ElementTree.ParseError:
            self.transcript.problem = "12100: the script is not XML"
            return None
        if root.tag != "Response":
            self.transcript.problem = "12200: the script is not a Response"
            return None
        for verb in root:
            if verb.tag == "Say":
                self._hear(verb)
            elif verb.tag == "Gather":
                if (key := self._ask(verb)) or verb.get("actionOnEmptyResult") == "true":
                    action = urljoin(url, verb.get("action") or url)
                    return action, verb.get("method", "POST"), {"Digits": key, "FinishedOnKey": ""}
            elif verb.tag == "Redirect":
                return urljoin(url, (verb.text or "").strip()), verb.get("method", "POST"), {}
            elif verb.tag in ("Hangup", "Reject"):
                return None
            elif verb.tag not in SILENT:
                self.transcript.problem = f"12200: <{verb.tag}> is not known"
                return None
        return None

    def _hear(self, verb: ElementTree.Element) -> None:
        said = " ".join((verb.text or "").split())
        if said:
            self.transcript.heard.append(said)
            self.transcript.languages.add(verb.get("language", "en-US"))

    def _ask(self, gather: ElementTree.Element) -> str:
        """Say what stands in the question and press the next key of the plan; nothing when it ran out."""
        for verb in gather:
            if verb.tag == "Say":
                self._hear(verb)
            elif verb.tag not in SILENT:
                self.transcript.problem = f"12200: <{verb.tag}> cannot stand in <Gather>"
                return ""
        self.transcript.questions += 1
        key = next(self._keys, "")[: int(gather.get("numDigits", "1"))]
        if key:
            self.transcript.pressed.append(key)
        return key


def replies(text: str) -> Iterator[str]:
    """The texts that a messaging answer (`<Response><Message>`) sends back."""
    try:
        root = ElementTree.fromstring(text)  # noqa: S314
    except ElementTree.ParseError:
        return
    for verb in root.iter("Message"):
        body = "".join(verb.itertext()).strip()
        if body:
            yield body
