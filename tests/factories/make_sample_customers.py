"""Writes `outage_notify/sample/customers.csv`: customers for the sample network, the same each time.

    python -m tests.factories.make_sample_customers

Each house connection of the low-voltage networks carries one to four households; each
station whose low voltage is not modelled carries a street of them. Those who matter most
(`special_customers`) are placed first. Telephone numbers are North American 555-01xx, grid
managers have Berlin numbers of the same purpose, mail goes to example.com.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from geo.model import Element, Network, natural_key
from geo.readers import read_network
from outage_notify.services.customer_row import COLUMNS
from tests.factories import sample_names as names
from tests.factories.sample_special_customers import special_customers

ROOT = Path(__file__).resolve().parents[2]
NETWORK = ROOT / "outage_notify" / "sample" / "network" / "oberrhein_schutterwald.json"
TARGET = ROOT / "outage_notify" / "sample" / "customers.csv"
SEED = 20261201

Row = dict[str, str]


class Dice:
    """Random choices that stay the same with every version of Python: `random()` is promised, `choice` is not."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, count: int) -> int:
        return int(self._random.random() * count)

    def one(self, values: tuple[str, ...] | list[str]) -> str:
        return values[self.below(len(values))]

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability


@dataclass
class Places:
    """Where each load is, in words, and who looks after it."""

    network: Network
    _streets: dict[str, tuple[str, int]] = field(default_factory=dict)
    _zones: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Houses of one low-voltage network, from west to east, make streets of twenty houses."""
        by_zone: dict[str, list[Element]] = {}
        for element in self.network.of_kind("load"):
            by_zone.setdefault(self.zone(element), []).append(element)
        self._zones = sorted((zone for zone in by_zone if not zone.startswith("load:")), key=natural_key)
        for number, zone in enumerate(sorted(by_zone, key=natural_key)):
            houses = sorted(by_zone[zone], key=lambda one: (self.point(one), natural_key(one.id)))
            for at, house in enumerate(houses):
                street = names.STREETS[(number * 7 + at // 20) % len(names.STREETS)]
                self._streets[house.id] = (street, 2 * (at % 20) + 1 + at // 20 % 2)

    def zone(self, element: Element) -> str:
        """The low-voltage network that a house hangs in; a station is one of its own."""
        zone = self.network.elements[element.buses[0]].attrs.get("zone")
        return str(zone) if zone else element.id

    def point(self, element: Element) -> tuple[float, float]:
        shape = self.network.shape(element)
        return shape[0] if shape else (0.0, 0.0)

    def village(self, element: Element) -> str:
        lon, lat = self.point(element)

        def distance(name: str) -> float:
            east, north = names.VILLAGES[name]
            return ((lon - east) * 0.66) ** 2 + (lat - north) ** 2

        return min(names.VILLAGES, key=distance)

    def house(self, element: Element, extra: int = 0) -> str:
        """Street and number. `extra` counts further houses of a station's street."""
        street, number = self._streets[element.id]
        if extra:
            street = names.STREETS[(names.STREETS.index(street) + extra // 12) % len(names.STREETS)]
            number = extra % 12 * 2 + 1
        return f"{street} {number}, {self.village(element)}"

    def manager(self, element: Element) -> tuple[str, str]:
        """One grid manager per village, and one for each two low-voltage networks; half of them of Chinese tongue."""
        zone = self.zone(element)
        if zone == element.id:
            at = list(names.VILLAGES).index(self.village(element))
        else:
            at = len(names.VILLAGES) + self._zones.index(zone) // 2
        name = (
            names.ZH_SURNAMES[at % 20] + names.ZH_GIVEN[at]
            if at % 2
            else f"{names.EN_FIRST[at]} {names.EN_LAST[at + 3]}"
        )
        return name, f"+493023125{100 + at:03d}"


class Numbers:
    """Distinct telephone numbers out of those kept for fiction: 100 in each area of North America."""

    def __init__(self) -> None:
        self._next = 0

    def new(self) -> str:
        area, line = divmod(self._next, 100)
        self._next += 1
        codes = [code for code in range(201, 990) if code % 100 != 11 and code % 10 != code // 10 % 10]
        return f"+1{codes[area]}55501{line:02d}"


class Maker:
    """Hands out ids, names and addresses, and turns customers into rows."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.places = Places(network)
        self.dice = Dice(SEED)
        self.numbers = Numbers()
        self._customers = 0

    def row(self, element: Element, customer: Row, site: str, point: str, place: str) -> Row:
        manager, phone = self.places.manager(element)
        return {
            **dict.fromkeys(COLUMNS, ""),
            **customer,
            "site_id": site,
            "service_point_id": point,
            "element": element.id,
            "place": place,
            "grid_manager": manager,
            "grid_manager_phone": phone,
        }

    def new_id(self) -> str:
        self._customers += 1
        return f"C{self._customers:05d}"

    def person(self, language: str) -> str:
        if language == "zh-CN":
            return self.dice.one(names.ZH_SURNAMES) + self.dice.one(names.ZH_GIVEN)
        return f"{self.dice.one(names.EN_FIRST)} {self.dice.one(names.EN_LAST)}"

    def household(self) -> Row:
        language = "zh-CN" if self.dice.chance(0.35) else "en"
        number = self._customers + 1
        life_support, vulnerable = self.dice.chance(0.004), self.dice.chance(0.02)
        way = self.dice.below(1000)
        mobile = self.numbers.new() if way < 880 else ""
        customer = {
            "customer_id": self.new_id(),
            "name": self.person(language),
            "kind": "household",
            "tier": "LOW_VOLTAGE",
            "life_support": "1" if life_support else "0",
            "vulnerable": "1" if vulnerable or life_support else "0",
            "language": language,
            "sms": mobile,
            # Some can be called on the mobile too, some have a fixed line, some nothing but that.
            "voice": mobile if way < 500 else (self.numbers.new() if 700 <= way < 960 else ""),
            "email": f"customer{number}@example.com" if way % 10 < 4 or 960 <= way < 996 else "",
        }
        if life_support or (vulnerable and self.dice.chance(0.5)):
            customer |= {"backup_name": self.person(language), "backup_phone": self.numbers.new()}
        return customer

    def shop(self) -> Row:
        language = "zh-CN" if self.dice.chance(0.4) else "en"
        owner = self.person(language)
        number = self._customers + 1
        title = (
            f"{owner}{self.dice.one(names.ZH_SHOPS)}"
            if language == "zh-CN"
            else f"{owner.split()[-1]}'s {self.dice.one(names.EN_SHOPS)}"
        )
        phone = self.numbers.new()
        return {
            "customer_id": self.new_id(),
            "name": title,
            "kind": "shop",
            "tier": "GENERAL" if self.dice.chance(0.2) else "LOW_VOLTAGE",
            "life_support": "0",
            "vulnerable": "0",
            "language": language,
            "sms": phone,
            "voice": phone,
            "email": f"shop{number}@example.com",
        }

    def small_customers(self, taken: frozenset[str]) -> Iterator[Row]:
        for element in sorted(self.network.of_kind("load"), key=lambda one: natural_key(one.id)):
            kind = element.attrs.get("type")
            if kind == "MV Load" or element.id in taken:
                continue
            count = 1 + self.dice.below(4) if kind == "HH" else 18 + self.dice.below(14)
            for at in range(count):
                house = self.places.house(element, 0 if kind == "HH" else at + 1)
                customer = self.shop() if self.dice.chance(0.045) else self.household()
                if kind == "HH" and count > 1:
                    street, _, village = house.partition(", ")
                    house = f"{street}, flat {at + 1}, {village}"
                number = customer["customer_id"][1:]
                yield self.row(element, customer, f"S{number}", f"P{number}", house)


def make() -> list[Row]:
    """All rows: those who matter most first, then everybody else in the order of the loads."""
    network = read_network(NETWORK).network
    assert network is not None
    maker = Maker(network)
    rows: list[Row] = []
    taken: set[str] = set()
    for special in special_customers(network):
        customer = {
            "customer_id": special.customer_id,
            "name": special.name,
            "kind": special.kind,
            "tier": special.tier,
            "life_support": "1" if special.life_support else "0",
            "vulnerable": "1" if special.vulnerable else "0",
            "language": special.language,
            "sms": maker.numbers.new(),
            "voice": maker.numbers.new(),
            "email": f"{special.mailbox}@example.com",
            "backup_name": special.backup,
            "backup_phone": maker.numbers.new() if special.backup else "",
        }
        for at, feed in enumerate(special.feeds):
            element = network.elements[feed.element]
            if special.alone:
                taken.add(feed.element)
            # What belongs to the customer stands in the first row; blank cells of the others inherit it.
            own = customer if at == 0 else {"customer_id": special.customer_id}
            point = f"{special.customer_id}-P{at + 1:02d}"
            place = f"{feed.label}, {maker.places.house(element)}"
            rows.append(maker.row(element, own, f"{special.customer_id}-{feed.site}", point, place))
    rows.extend(maker.small_customers(frozenset(taken)))
    return rows


def main() -> None:
    rows = make()
    with TARGET.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    print(f"{TARGET.relative_to(ROOT)}: {len(rows)} service points")


if __name__ == "__main__":
    main()
