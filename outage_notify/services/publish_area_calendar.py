"""Calendars for anybody: all public outages, those of one feeder, of one area, of one place. No personal data.

Promises: nothing is shown here that the public list does not show: no customer, no number of customers, no
element, no place of a person; where is the area in the planner's words and the middle of the public
polygon. The same rules as for a customer's feed: one UID per outage, revision as SEQUENCE, CANCELLED
instead of vanishing, rendered once per change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.calendar import FeedEvent
from channels.model import Language
from outage_notify.domain.errors import InvalidInput
from outage_notify.services.feed_cache import Feed
from outage_notify.services.publish_calendar import end_of, status
from outage_notify.services.runtime import Runtime
from outage_notify.store import feed_queries, map_queries, publication
from outage_notify.store.outage_tables import Outage

KEPT = timedelta(days=14)
LONGEST = 200
_NAMES = {Language.ZH: "{utility} 计划停电", Language.EN: "{utility}: planned power outages"}


class By(StrEnum):
    """By what a public calendar is chosen."""

    ALL = "all"
    FEEDER = "feeder"
    AREA = "area"
    PLACE = "place"


def area_feed(rt: Runtime, by: By, name: str, language: Language) -> Feed:
    """The calendar of all outages, of a feeder (its name), an area (the planner's own word), a place (a word in
    area or line). A name that nothing bears has an empty calendar: something may be planned there later."""
    name = " ".join(name.split())
    if len(name) > LONGEST or not name.isprintable() or (by is not By.ALL and not name):
        raise InvalidInput("This is no name of a place.", f"Use 1 to {LONGEST} characters.")
    key = f"{by.value}:{language.value}:{name.casefold()}"
    standing = publication.standing(rt.database)
    now = rt.clock.at(standing.instant, standing.turned)
    kept = rt.public_feeds.get(key, standing.version, now)
    if kept is not None:
        return kept
    with rt.database.read() as session:
        outages = map_queries.public_outages(session, now - KEPT)
        chosen = [one for one in outages if _chosen(session, one, by, name)]
    title = _NAMES[language].format(utility=rt.settings.utility).strip(" :")
    events = [_event(rt, one, language) for one in chosen]
    # What ended leaves some time after it last changed.
    leaves = [one.changed_at + KEPT for one in outages if one.changed_at + KEPT > now]
    label = f"{title} – {name}" if name else title
    return rt.public_feeds.put(key, standing.version, label, events, language, now, leaves)


def choices(rt: Runtime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(names of feeders, areas of public outages) that a reader may choose from."""
    with rt.database.read() as session:
        now = rt.now(session)
        areas = {one.standing.area for one in map_queries.public_outages(session, now - KEPT)}
        return feed_queries.feeder_names(session), tuple(sorted(area for area in areas if area))


def _chosen(session: Session, outage: Outage, by: By, name: str) -> bool:
    standing, wanted = outage.standing, name.casefold()
    if by is By.ALL:
        return True
    if by is By.AREA:
        return standing.area.casefold() == wanted
    if by is By.PLACE:
        return wanted in f"{standing.area}\n{standing.line}".casefold()
    return feed_queries.feeder_is_hit(session, standing, name)


def _event(rt: Runtime, outage: Outage, language: Language) -> FeedEvent:
    standing = outage.standing
    zone = ZoneInfo(outage.timezone)
    base = rt.settings.base_url
    latitude, longitude = _middle(standing.public_area)
    return FeedEvent(
        reference=outage.reference,
        site="public",
        revision=outage.revision,
        status=status(outage, standing),
        start=standing.start.astimezone(zone),
        end=end_of(outage, standing).astimezone(zone),
        modified=outage.changed_at,
        place=standing.area or standing.line or outage.reference,
        reason=standing.reason.get(language) or next(iter(standing.reason.values()), ""),
        utility=rt.settings.utility,
        contact=rt.settings.hotline,
        url=f"{base}/outages/{outage.reference}" if base else "",
        latitude=latitude,
        longitude=longitude,
    )


def _middle(area: dict[str, Any] | None) -> tuple[float | None, float | None]:
    """(latitude, longitude) of the middle of a public polygon's box, as coarse as the polygon is."""
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
