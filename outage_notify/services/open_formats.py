"""The public's facts as GeoJSON (RFC 7946), CSV (RFC 4180), Atom (RFC 4287) and calendars (RFC 5545).

Promises: pure functions of the facts and of who publishes them; every format tells the same
outages in the same order. Leaves CAP to `open_cap`, storing and serving to others.
"""

from __future__ import annotations

import csv
import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

from channels.calendar import CANCELLED, CONFIRMED, FeedEvent, render_feed, render_piece
from channels.model import Language
from geo import mvt
from outage_notify.services import public_words as words
from outage_notify.services.public_facts import Phase, PublicList, PublicOutage, properties, text_of

ATOM = "http://www.w3.org/2005/Atom"
# What stands before v1 may change; within v1 fields are added, never renamed or removed.
ROOT = "/open-data/v1"
# Control characters, surrogates and two that are none.
_NOT_XML = re.compile("[^\\t\\n\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
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


@dataclass(frozen=True)
class Frame:
    """What stands around the outages of a document: every format is a frame and a piece for each outage, which
    depends on that outage and the publisher alone, so that unchanged pieces can be taken over."""

    head: bytes
    tail: bytes
    between: bytes = b""

    def around(self, pieces: Iterable[bytes]) -> bytes:
        return self.head + self.between.join(pieces) + self.tail


def geojson(listed: PublicList) -> bytes:
    """A FeatureCollection. Where the network has no coordinates the geometry is null and the outage still listed."""
    return geojson_frame(listed).around(map(geojson_piece, listed.outages))


def geojson_frame(listed: PublicList) -> Frame:
    as_of = listed.as_of.isoformat(timespec="seconds")
    whole = _json({"type": "FeatureCollection", "as_of": as_of, "features": []})
    return Frame(whole[:-2], whole[-2:], b",")


def geojson_piece(one: PublicOutage) -> bytes:
    return _json(feature(one))


def feature(one: PublicOutage) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": one.reference,
        "geometry": one.geometry,
        "properties": properties(one),
    }


def vector_tile(listed: PublicList, z: int, x: int, y: int) -> bytes:
    """A tile with the layer `outages`. ValueError for a tile that is not there."""
    return mvt.tile(
        z,
        x,
        y,
        "outages",
        (
            (
                number,
                one.geometry,
                {
                    "reference": one.reference,
                    "phase": one.phase.value,
                    "moved": one.moved,
                    "start": one.start.isoformat(),
                    "end": one.end.isoformat(),
                    "area": one.name,
                },
            )
            for number, one in enumerate(listed.outages, 1)
            if one.geometry is not None
        ),
    )


def csv_table(listed: PublicList, publisher: Publisher) -> bytes:
    """UTF-8 with a byte order mark, which spreadsheets need to read Chinese."""
    return csv_frame().around(csv_piece(one, publisher) for one in listed.outages)


def csv_frame() -> Frame:
    return Frame(BOM_UTF8 + _row(CSV_COLUMNS), b"")


def csv_piece(one: PublicOutage, publisher: Publisher) -> bytes:
    facts = properties(one) | {
        "reason_zh": one.reason.get(words.ZH, ""),
        "reason_en": one.reason.get(words.EN, ""),
        "moved": str(one.moved).lower(),
        "url": publisher.page(one.reference),
    }
    return _row([_cell(facts[name]) for name in CSV_COLUMNS])


def _row(cells: Sequence[str]) -> bytes:
    out = StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode()


def atom(listed: PublicList, publisher: Publisher, language: str) -> bytes:
    """One entry per outage; an entry's `updated` is when something was last said about it."""
    frame = atom_frame(listed, publisher, language)
    return frame.around(atom_piece(one, publisher, language) for one in listed.outages)


def atom_frame(listed: PublicList, publisher: Publisher, language: str) -> Frame:
    here = f"{publisher.base_url}{ROOT}/outages.{language}.atom"
    return feed_frame(listed, publisher, here, words.NAME[language].format(publisher.utility), language)


def atom_piece(one: PublicOutage, publisher: Publisher, language: str) -> bytes:
    entry = tag("entry")(
        tag("id")(f"tag:{publisher.host},2026:outage:{one.reference}"),
        tag("title")(words.title(one, language)),
        tag("published")(_second(one.history[0].at)),
        tag("updated")(_second(one.changed_at)),
        link("alternate", publisher.page(one.reference), "text/html"),
        link("related", alert_address(one, publisher), "application/cap+xml"),
        tag("category", term=one.phase.value)(),
        tag("content", type="text")("\n".join(words.lines(one, language))),
    )
    return entry.encode()


class Markup(str):
    """Text that is XML already."""


def tag(name: str, **attributes: str) -> Callable[..., Markup]:
    """A maker of elements: its arguments are texts, which are escaped, and elements."""
    said = "".join(f" {key}={quoteattr(plain(value))}" for key, value in attributes.items())

    def make(*inside: str) -> Markup:
        body = "".join(one if isinstance(one, Markup) else escape(plain(one)) for one in inside)
        return Markup(f"<{name}{said}>{body}</{name}>")

    return make


def link(rel: str, href: str, kind: str) -> Markup:
    return tag("link", rel=rel, href=href, type=kind)()


def alert_address(one: PublicOutage, publisher: Publisher) -> str:
    """Where the newest alert about an outage lies."""
    return f"{publisher.base_url}{ROOT}/cap/{one.reference}.{len(one.history)}.xml"


def feed_frame(listed: PublicList, publisher: Publisher, here: str, name: str, language: str) -> Frame:
    """What stands around the entries of an Atom feed."""
    newest = max((one.changed_at for one in listed.outages), default=listed.as_of)
    whole = tag("feed", **{"xmlns": ATOM, "xml:lang": language})(
        tag("id")(here),
        tag("title")(name),
        tag("updated")(_second(newest)),
        tag("author")(tag("name")(publisher.utility)),
        link("self", here, "application/atom+xml"),
        link("alternate", f"{publisher.base_url}/outages", "text/html"),
    )
    end = "</feed>"
    head = f'<?xml version="1.0" encoding="utf-8"?>\n{whole.removesuffix(end)}'
    return Frame(head.encode(), f"{end}\n".encode())


def calendar(
    outages: Iterable[PublicOutage], publisher: Publisher, language: str, as_of: datetime, name: str = ""
) -> bytes:
    """A calendar of outages: the whole network's, an area's, a feeder's or a single one's."""
    events = [event(one, publisher, language) for one in outages]
    return render_feed(calendar_name(publisher, language, name), events, Language(language), as_of)


def calendar_frame(listed: PublicList, publisher: Publisher, language: str) -> Frame:
    whole, end = calendar((), publisher, language, listed.as_of), b"END:VCALENDAR\r\n"
    return Frame(whole.removesuffix(end), end)


def calendar_piece(one: PublicOutage, publisher: Publisher, language: str, as_of: datetime) -> bytes:
    """Depends on `as_of` only by whether the outage is over by then (`calendar_end`)."""
    return render_piece(event(one, publisher, language), Language(language), as_of)


def calendar_end(one: PublicOutage) -> datetime:
    return one.until if one.until > one.start else one.end


def calendar_rank(one: PublicOutage) -> tuple[float, str]:
    """By what `calendar` sorts."""
    return one.start.timestamp(), one.reference


def calendar_name(publisher: Publisher, language: str, name: str = "") -> str:
    """What a calendar program calls it; `name`: of what part."""
    return words.NAME[language].format(publisher.utility) + (f" - {name}" if name else "")


def event(one: PublicOutage, publisher: Publisher, language: str) -> FeedEvent:
    """A public outage as an entry of a calendar: where is the area in the planner's words and the middle of the public
    polygon, as coarse as that is."""
    latitude, longitude = _middle(one.geometry)
    zone = ZoneInfo(one.timezone)
    contact = " ".join(part for part in (publisher.utility, publisher.hotline) if part)
    return FeedEvent(
        reference=one.reference,
        site="public",
        revision=one.revision,
        status=CANCELLED if one.phase is Phase.CANCELLED else CONFIRMED,
        start=one.start.astimezone(zone),
        end=calendar_end(one).astimezone(zone),
        modified=one.changed_at,
        place=one.name,
        reason=text_of(one.reason, language),
        utility=publisher.utility,
        contact=contact,
        url=publisher.page(one.reference),
        latitude=latitude,
        longitude=longitude,
        alarms=one.phase is Phase.PLANNED,
    )


def _middle(area: Mapping[str, Any] | None) -> tuple[float | None, float | None]:
    """(latitude, longitude) of the middle of a polygon's box."""
    points = list(_points(area["coordinates"])) if area and area.get("coordinates") else []
    if not points:
        return None, None
    east, north = [x for x, _ in points], [y for _, y in points]
    return round((min(north) + max(north)) / 2, 3), round((min(east) + max(east)) / 2, 3)


def _points(coordinates: Any) -> Iterator[tuple[float, float]]:
    if coordinates and isinstance(coordinates[0], int | float):
        yield float(coordinates[0]), float(coordinates[1])
        return
    for part in coordinates:
        yield from _points(part)


def xml(root: ElementTree.Element, namespace: str) -> bytes:
    ElementTree.register_namespace("", namespace)
    body: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def plain(text: str) -> str:
    """Text that XML 1.0 can hold."""
    return _NOT_XML.sub("", text)


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _second(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
