"""The public's facts with the names of the CIM, in the style of ODIN's outage feed (Oak Ridge National Laboratory).

The elements, their order and how often they occur are those of the profile "PubOutages" as its documentation tables it
(IEC 61968-3, namespace below). What the profile has no place for is left out: an outage that was cancelled, the shape
of the area, the history. Values of code lists that the documentation does not spell out are left out as well. A number
of customers below ten is not told.
"""

from __future__ import annotations

from datetime import UTC, datetime

from outage_notify.services import public_words as words
from outage_notify.services.open_formats import Frame, Markup, Publisher, tag
from outage_notify.services.public_facts import ENDED, GOING_ON, Phase, PublicOutage, Step, text_of

ODIN = "http://iec.ch/TC57/2014/PubOutages#"
NAME = "outages.odin.xml"


def frame() -> Frame:
    head = f'<?xml version="1.0" encoding="utf-8"?>\n<PubOutages xmlns="{ODIN}">'
    return Frame(head.encode(), b"</PubOutages>\n")


def piece(one: PublicOutage, publisher: Publisher) -> bytes:
    """One outage; nothing for one that was cancelled."""
    if one.phase is Phase.CANCELLED:
        return b""
    inside = [
        tag("mRID")(one.reference),
        tag("cause")(text_of(one.reason, words.EN)),
        tag("communityDescriptor")(one.name),
    ]
    if one.customers is not None:
        # What is over affects nobody any more; at first it did.
        inside.append(tag("metersAffected")("0" if one.phase in ENDED else str(one.customers)))
        inside.append(tag("originalMetersAffected")(str(one.customers)))
    inside.append(tag("utilityDisclaimer")(f"{publisher.utility}, {publisher.page(one.reference)}"))
    began = next((step.at for step in one.history if step.what is Step.STARTED), None)
    if began is not None:
        inside.append(tag("actualPeriod")(*_period(began, one.ended_at)))
    inside.append(tag("estimatedPeriod")(*_period(one.start, one.end)))
    if one.phase in GOING_ON or one.phase is Phase.PLANNED:
        inside.append(tag("EstimatedRestorationTime")(tag("ert")(_instant(one.until))))
    inside.append(tag("Names")(tag("name")(one.name)))
    inside.append(tag("OutageArea")(tag("earliestReportedTime")(_instant(one.history[0].at))))
    return tag("Outage")(*inside).encode()


def _period(start: datetime, end: datetime | None) -> list[Markup]:
    """In the order of the alphabet, as the profile has its members."""
    return [*([tag("end")(_instant(end))] if end is not None else []), tag("start")(_instant(start))]


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
