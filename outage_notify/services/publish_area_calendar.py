"""Calendars for anybody: all public outages, those of one feeder, of one area, of one place. No personal data.

Promises: nothing is shown here that the public list does not show, and as long as it shows it; the events
are those of the open data (`open_formats`), so that whoever reads both sees one; rendered once per change.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy.orm import Session

from channels.model import Language
from outage_notify.domain.errors import InvalidInput
from outage_notify.services.feed_cache import Feed
from outage_notify.services.open_formats import Publisher, calendar_name, event
from outage_notify.services.publish_map import STAYS_AFTER_END, collect, holds_until
from outage_notify.services.runtime import Runtime
from outage_notify.store import feed_queries, map_queries, publication
from outage_notify.store.outage_tables import Outage

LONGEST = 200


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
        rows = map_queries.public_outages(session, now - STAYS_AFTER_END)
        chosen = {one.reference for one in rows if _chosen(session, one, by, name)}
        listed = collect(session, now)
    publisher = Publisher(rt.settings.utility, rt.settings.base_url, rt.settings.hotline)
    events = [event(one, publisher, language) for one in listed.outages if one.reference in chosen]
    label = calendar_name(publisher, language, name)
    return rt.public_feeds.put(key, standing.version, label, events, language, now, [holds_until(listed)])


def choices(rt: Runtime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(names of feeders, areas of public outages) that a reader may choose from."""
    with rt.database.read() as session:
        now = rt.now(session)
        areas = {one.standing.area for one in map_queries.public_outages(session, now - STAYS_AFTER_END)}
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
