"""The sample customers who matter most, by name: hospital, water works, telecom, bank, homes, schools.

They stand where an outage shows something: the hospital and the control centre have two
feeds from different feeders, so that losing one is a loss of redundancy; the low-voltage
network behind line:174 has one of nearly every kind among some fifty houses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from geo.model import Network, natural_key

# Low-voltage networks by the name that their source gives them.
NEAR, WEST, MIDDLE, EAST = "T_idx_118", "T_idx_47", "T_idx_35", "T_idx_78"


@dataclass(frozen=True)
class SpecialFeed:
    element: str
    site: str
    label: str


@dataclass(frozen=True)
class SpecialCustomer:
    """`alone`: nobody else hangs on its loads."""

    customer_id: str
    name: str
    kind: str
    tier: str
    language: str
    mailbox: str
    feeds: tuple[SpecialFeed, ...]
    backup: str = ""
    vulnerable: bool = False
    alone: bool = True
    life_support: bool = False


def special_customers(network: Network) -> Iterator[SpecialCustomer]:
    houses = _houses(network)

    def one(
        key: str,
        name: str,
        kind: str,
        tier: str,
        language: str,
        *feeds: tuple[str, str, str],
        backup: str = "",
        vulnerable: bool = False,
    ) -> SpecialCustomer:
        made = tuple(SpecialFeed(*feed) for feed in feeds)
        mailbox = key.lower().replace("_", ".")
        return SpecialCustomer(key, name, kind, tier, language, mailbox, made, backup, vulnerable)

    near, west, middle, east = (houses[zone] for zone in (NEAR, WEST, MIDDLE, EAST))
    # Two feeds of one site, from feeders Line 162 and Line 165.
    yield one(
        "HOSPITAL",
        "Schutter Valley Hospital",
        "hospital",
        "FIRST",
        "en",
        ("load:143", "MAIN", "Hospital, feed A"),
        ("load:146", "MAIN", "Hospital, feed B"),
        backup="Duty Engineer",
        vulnerable=True,
    )
    yield one(
        "CONTROL",
        "应急指挥中心",
        "emergency_services",
        "SPECIAL",
        "zh-CN",
        (west[3], "MAIN", "Control centre, feed A"),
        (middle[10], "MAIN", "Control centre, feed B"),
        backup="值班长",
    )
    yield one(
        "CLINIC",
        "St. Anna Clinic",
        "hospital",
        "FIRST",
        "en",
        (near[4], "MAIN", "Clinic, feed A"),
        (middle[40], "MAIN", "Clinic, feed B"),
        backup="Head Nurse",
        vulnerable=True,
    )
    # Two sites of one customer: neither is the other's second feed.
    yield one(
        "WATER",
        "Upper Rhine Water Works",
        "water",
        "FIRST",
        "en",
        ("load:144", "WORKS", "Water works"),
        (near[8], "PUMPS", "Pumping station"),
        backup="Water Control Room",
    )
    yield one(
        "TELECOM",
        "莱茵通信局",
        "telecom",
        "SECOND",
        "zh-CN",
        (near[12], "EXCHANGE", "Telephone exchange"),
        (east[7], "MAST", "Mobile mast"),
        backup="网络值班",
    )
    yield one(
        "BANK",
        "Valley Savings Bank",
        "bank",
        "SECOND",
        "en",
        (near[16], "MAIN", "Bank"),
        backup="Facility Desk",
    )
    yield one(
        "FAIR",
        "夏季展览会",
        "event",
        "TEMPORARY",
        "zh-CN",
        (near[20], "MAIN", "Fairground"),
        backup="场馆经理",
    )
    homes = [(near[24], "en"), (west[9], "zh-CN"), (middle[60], "en"), (east[30], "zh-CN")]
    for number, (house, language) in enumerate(homes, 1):
        name = f"Lindenhof Nursing Home {number}" if language == "en" else f"夕阳红养老院{number}"
        feeds = (house, "MAIN", "Nursing home")
        key = f"CARE_{number}"
        yield one(key, name, "nursing_home", "SECOND", language, feeds, backup="Night Shift", vulnerable=True)
    # At home with a ventilator: key customers by their need, not by their tier.
    for number, (house, name, language) in enumerate(
        ((near[33], "Emma Keller", "en"), (near[37], "陈玉梅", "zh-CN")), 1
    ):
        yield SpecialCustomer(
            f"VENTILATOR_{number}",
            name,
            "household",
            "LOW_VOLTAGE",
            language,
            f"ventilator.{number}",
            (SpecialFeed(house, "HOME", "Flat 1"),),
            backup="Home Care Service" if language == "en" else "家庭护理站",
            vulnerable=True,
            alone=False,
            life_support=True,
        )
    schools = [near[28], west[15], middle[80], middle[120], east[60], east[100], houses["T_idx_73"][30]]
    for number, house in enumerate(schools, 1):
        name = f"Primary School {number}" if number % 2 else f"第{number}小学"
        language = "en" if number % 2 else "zh-CN"
        yield one(f"SCHOOL_{number}", name, "school", "GENERAL", language, (house, "MAIN", "School"))
    works = [("load:141", "Sawmill"), ("load:142", "Cold Store"), ("load:145", "Machine Factory")]
    for number, (load, name) in enumerate(works, 1):
        yield one(f"WORKS_{number}", name, "factory", "GENERAL", "en", (load, "MAIN", name))
    # One customer with many meters, each a site of its own: one message lists them all.
    lamps = [house for zone in sorted(houses, key=natural_key) for house in houses[zone][5::33]]
    yield SpecialCustomer(
        "LIGHTS",
        "Municipal Street Lighting",
        "public_lighting",
        "GENERAL",
        "en",
        "lights",
        tuple(SpecialFeed(house, f"L{number:02d}", "Street lamps") for number, house in enumerate(lamps, 1)),
        alone=False,
    )


def _houses(network: Network) -> dict[str, list[str]]:
    """House connections by low-voltage network, in the order of their numbers."""
    found: dict[str, list[str]] = {}
    for element in sorted(network.of_kind("load"), key=lambda one: natural_key(one.id)):
        zone = network.elements[element.buses[0]].attrs.get("zone")
        if zone:
            found.setdefault(str(zone), []).append(element.id)
    return found
