"""The public's facts as GeoJSON (RFC 7946), CSV (RFC 4180), Atom (RFC 4287) and calendars (RFC 5545).

Promises: pure functions of the facts and of who publishes them; every format tells the same
outages in the same order. Leaves CAP to `open_cap`, storing and serving to others.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from channels.calendar import CANCELLED, CONFIRMED, FeedEvent, render_feed
from channels.model import Language
from outage_notify.services import public_words as words
from outage_notify.services.public_facts import Phase, PublicList, PublicOutage, properties, text_of

ATOM = "http://www.w3.org/2005/Atom"
# What stands before v1 may change; within v1 fields are added, never renamed or removed.
ROOT = "/open-data/v1"
CSV_COLUMNS = (
    "reference",
    "phase",
    "kind",
    "start",
    "end",
    "expected_end",
    "ended_at",
    "timezone",
    "area",
    "line",
    "reason_zh",
    "reason_en",
    "customers",
    "customers_below",
    "revision",
    "moved",
    "changed_at",
    "url",
)


@dataclass(frozen=True)
class Publisher:
    """Who publishes, and at which address."""

    utility: str
    base_url: str
    hotline: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or "localhost"

    def page(self, reference: str) -> str:
        return f"{self.base_url}/outages/{quote(reference)}"


def geojson(listed: PublicList) -> bytes:
    """A FeatureCollection. Where the network has no coordinates the geometry is null and the outage still listed."""
    return _json(
        {
            "type": "FeatureCollection",
            "as_of": listed.as_of.isoformat(timespec="seconds"),
            "features": [feature(one) for one in listed.outages],
        }
    )


def feature(one: PublicOutage) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": one.reference,
        "geometry": one.geometry,
        "properties": properties(one),
    }


def csv_table(listed: PublicList, publisher: Publisher) -> bytes:
    """UTF-8 with a byte order mark, which spreadsheets need to read Chinese."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for one in listed.outages:
        facts = properties(one) | {
            "reason_zh": one.reason.get(words.ZH, ""),
            "reason_en": one.reason.get(words.EN, ""),
            "moved": str(one.moved).lower(),
            "url": publisher.page(one.reference),
        }
        writer.writerow([_cell(facts[name]) for name in CSV_COLUMNS])
    return out.getvalue().encode("utf-8-sig")


def atom(listed: PublicList, publisher: Publisher, language: str) -> bytes:
    """One entry per outage; an entry's `updated` is when something was last said about it."""
    feed = ElementTree.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": language})
    newest = max((one.changed_at for one in listed.outages), default=listed.as_of)
    name = words.NAME[language].format(publisher.utility)
    _add(feed, "id", f"{publisher.base_url}{ROOT}/outages.{language}.atom")
    _add(feed, "title", name)
    _add(feed, "updated", _second(newest))
    _add(_add(feed, "author"), "name", publisher.utility)
    _link(feed, "self", f"{publisher.base_url}{ROOT}/outages.{language}.atom", "application/atom+xml")
    _link(feed, "alternate", f"{publisher.base_url}/outages", "text/html")
    for one in listed.outages:
        entry = _add(feed, "entry")
        _add(entry, "id", f"tag:{publisher.host},2026:outage:{one.reference}")
        _add(entry, "title", words.title(one, language))
        _add(entry, "published", _second(one.history[0].at))
        _add(entry, "updated", _second(one.changed_at))
        _link(entry, "alternate", publisher.page(one.reference), "text/html")
        _link(
            entry,
            "related",
            f"{publisher.base_url}{ROOT}/cap/{one.reference}.{len(one.history)}.xml",
            "application/cap+xml",
        )
        ElementTree.SubElement(entry, f"{{{ATOM}}}category", {"term": one.phase.value})
        content = _add(entry, "content", "\n".join(words.lines(one, language)))
        content.set("type", "text")
    return xml(feed, ATOM)


def calendar(
    outages: Iterable[PublicOutage], publisher: Publisher, language: str, as_of: datetime, name: str = ""
) -> bytes:
    """A calendar of outages: the whole network's, an area's, a feeder's or a single one's."""
    title = words.NAME[language].format(publisher.utility) + (f" - {name}" if name else "")
    events = [_event(one, publisher, language) for one in outages]
    return render_feed(title, events, Language(language), as_of)


def _event(one: PublicOutage, publisher: Publisher, language: str) -> FeedEvent:
    zone = ZoneInfo(one.timezone)
    end = one.until if one.until > one.start else one.end
    contact = " ".join(part for part in (publisher.utility, publisher.hotline) if part)
    return FeedEvent(
        reference=one.reference,
        site="public",
        revision=len(one.history),
        status=CANCELLED if one.phase is Phase.CANCELLED else CONFIRMED,
        start=one.start.astimezone(zone),
        end=end.astimezone(zone),
        modified=one.changed_at,
        place=one.name,
        reason=text_of(one.reason, language),
        utility=publisher.utility,
        contact=contact,
        url=publisher.page(one.reference),
        alarms=False,
    )


def xml(root: ElementTree.Element, namespace: str) -> bytes:
    ElementTree.register_namespace("", namespace)
    body: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def plain(text: str) -> str:
    """Text that XML 1.0 can hold."""
    return "".join(char for char in text if char in "\t\n" or (char >= " " and char not in "\ufffe\uffff"))


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _add(parent: ElementTree.Element, name: str, text: str = "") -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}")
    element.text = plain(text) or None
    return element


def _link(parent: ElementTree.Element, rel: str, href: str, kind: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}link", {"rel": rel, "href": href, "type": kind})


def _second(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
