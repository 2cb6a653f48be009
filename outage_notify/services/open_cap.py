"""The public's facts as alerts of the Common Alerting Protocol 1.2 (OASIS).

One message per step of an outage's life: the first is an Alert, what follows an Update that
names all messages before it, the cancellation a Cancel. A message keeps its identifier (the
reference and the number of the step), type, time and window for ever; area and reason are the
standing revision's. Each says the same in Chinese and in English.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from outage_notify.services import public_words as words
from outage_notify.services.open_formats import (
    ROOT,
    Frame,
    Publisher,
    alert_address,
    feed_frame,
    link,
    plain,
    tag,
    xml,
)
from outage_notify.services.public_facts import PublicList, PublicOutage, PublicStep, Step, text_of

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
# Step to (type of message, urgency, what to do).
_MEANING = {
    Step.ANNOUNCED: ("Alert", "Future", "Prepare"),
    Step.MOVED: ("Update", "Future", "Prepare"),
    Step.CHANGED: ("Update", "Future", "Prepare"),
    Step.STARTED: ("Update", "Immediate", "Monitor"),
    Step.OVERRUN: ("Update", "Immediate", "Monitor"),
    Step.RESTORED: ("Update", "Past", "AllClear"),
    Step.CANCELLED: ("Cancel", "Past", "AllClear"),
}


def messages(one: PublicOutage) -> int:
    """How many messages there are about an outage."""
    return len(one.history)


def alert(one: PublicOutage, number: int, publisher: Publisher) -> bytes | None:
    """The message `number` (from 1); None if there is none yet."""
    if not 1 <= number <= len(one.history):
        return None
    step = one.history[number - 1]
    kind, urgency, response = _MEANING[step.what]
    root = ElementTree.Element(_name("alert"))
    _add(root, "identifier", _identifier(one, number))
    _add(root, "sender", publisher.host)
    _add(root, "sent", _instant(one, step.at))
    _add(root, "status", "Actual")
    _add(root, "msgType", kind)
    _add(root, "source", publisher.utility)
    _add(root, "scope", "Public")
    if number > 1:
        _add(root, "references", " ".join(_references(one, number, publisher)))
    for language in words.LANGUAGES:
        _info(root, one, step, publisher, language, urgency, response)
    return xml(root, CAP)


def index(listed: PublicList, publisher: Publisher) -> bytes:
    """An Atom feed of the newest message of each outage, as aggregators of alerts read it."""
    return index_frame(listed, publisher).around(index_piece(one, publisher) for one in listed.outages)


def index_frame(listed: PublicList, publisher: Publisher) -> Frame:
    here = f"{publisher.base_url}{ROOT}/cap.atom"
    return feed_frame(listed, publisher, here, publisher.utility, words.EN)


def index_piece(one: PublicOutage, publisher: Publisher) -> bytes:
    entry = tag("entry")(
        tag("id")(alert_address(one, publisher)),
        tag("title")(words.title(one, words.EN)),
        tag("updated")(one.changed_at.isoformat(timespec="seconds")),
        link("alternate", alert_address(one, publisher), "application/cap+xml"),
    )
    return entry.encode()


def _info(
    root: ElementTree.Element,
    one: PublicOutage,
    step: PublicStep,
    publisher: Publisher,
    language: str,
    urgency: str,
    response: str,
) -> None:
    info = _add(root, "info")
    heading = words.STEPS[language][step.what] + words.SEPARATOR[language] + one.name
    _add(info, "language", language)
    _add(info, "category", "Infra")
    _add(info, "event", words.STEPS[language][step.what])
    _add(info, "responseType", response)
    _add(info, "urgency", urgency)
    _add(info, "severity", "Minor" if response == "AllClear" else "Moderate")
    _add(info, "certainty", "Observed" if urgency in {"Immediate", "Past"} else "Likely")
    _add(info, "effective", _instant(one, step.at))
    _add(info, "onset", _instant(one, step.start))
    _add(info, "expires", _instant(one, max(step.expected_end or step.end, step.at)))
    _add(info, "senderName", publisher.utility)
    _add(info, "headline", heading)
    reason = text_of(one.reason, language)
    said = [words.window(one, step.start, step.end, language)]
    if step.expected_end is not None:
        moment = step.expected_end.astimezone(ZoneInfo(one.timezone))
        said.append(words.EXPECTED[language].format(f"{moment:%Y-%m-%d %H:%M}"))
    if reason:
        said.append(words.REASON[language].format(reason))
    _add(info, "description", "\n".join(said))
    _add(info, "web", publisher.page(one.reference))
    if publisher.hotline:
        _add(info, "contact", publisher.hotline)
    area = _add(info, "area")
    _add(area, "areaDesc", one.name)
    for ring in _rings(one):
        _add(area, "polygon", " ".join(f"{lat:.5f},{lon:.5f}" for lon, lat in ring))


def _rings(one: PublicOutage) -> Iterator[list[tuple[float, float]]]:
    """The outer rings; CAP knows no holes, so that an area here may be larger, never smaller."""
    if one.geometry is None:
        return
    parts = one.geometry["coordinates"]
    for part in parts if one.geometry["type"] == "MultiPolygon" else [parts]:
        yield [(position[0], position[1]) for position in part[0]]


def _references(one: PublicOutage, number: int, publisher: Publisher) -> Iterator[str]:
    for earlier in range(1, number):
        sent = _instant(one, one.history[earlier - 1].at)
        yield f"{publisher.host},{_identifier(one, earlier)},{sent}"


def _identifier(one: PublicOutage, number: int) -> str:
    return f"{one.reference}.{number}"


def _instant(one: PublicOutage, value: datetime) -> str:
    """Local time with its offset; the protocol asks for whole seconds, and for -00:00 instead of UTC's +00:00."""
    text = value.astimezone(ZoneInfo(one.timezone)).isoformat(timespec="seconds")
    return text.removesuffix("+00:00") + "-00:00" if text.endswith("+00:00") else text


def _name(name: str) -> str:
    return f"{{{CAP}}}{name}"


def _add(parent: ElementTree.Element, name: str, text: str = "") -> ElementTree.Element:
    element = ElementTree.SubElement(parent, _name(name))
    element.text = plain(text) or None
    return element
