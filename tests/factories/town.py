"""A small town on paper: a network with coordinates and its customers, imported by the real services.

Two feeders of six stations each along two streets, a tie between their ends, a hospital
with a feed from both, a water works, a nursing home that only has a telephone, and
households. Small enough to trace at a glance, real enough for every page.
"""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

from geo.geojson import write_network
from geo.model import Network
from outage_notify.domain.outage import OutageKind
from outage_notify.services import plan_outage
from outage_notify.services.approve_outage import approve
from outage_notify.services.import_customers import import_customers
from outage_notify.services.import_network import import_network
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.services.runtime import Runtime
from outage_notify.services.users import add_user
from tests.factories.people import START
from tests.factories.small_networks import Build

PLANNER, APPROVER, BOTH = "li.na", "wang.wei", "chen.jie"
HOTLINE, LOOKER = "zhou.min", "guest"
ADMIN, FIELD = "xu.li", "zhao.min"
PASSWORD = "a long enough password"
WORK = "line:3"
STATIONS = 6
WEST, SOUTH = 121.4700, 31.2300
COLUMNS = """customer_id name kind tier life_support vulnerable language site_id service_point_id element place sms
    voice email backup_name backup_phone grid_manager grid_manager_phone""".split()  # noqa: SIM905


def town() -> Network:
    """Lines line:1..6 along the north street (feeder A), line:7..12 along the south street (feeder B)."""
    net = Build()
    net.add("bus:0", vn_kv=10.0, geometry=((WEST - 0.004, SOUTH),))
    net.add("ext_grid:0", 0)
    for street in range(2):
        before = 0
        for number in range(1, STATIONS + 1):
            bus = street * STATIONS + number
            where = (WEST + 0.003 * number, SOUTH + 0.002 - 0.004 * street)
            net.add(f"bus:{bus}", vn_kv=10.0, geometry=(where,))
            start = net.elements[f"bus:{before}"].geometry
            assert start is not None
            name = f"{'南北'[street == 0]}街{number}号线"
            net.add(f"line:{bus}", before, bus, name=name, geometry=(start[0], where))
            net.add(f"switch:{2 * bus - 1}", before, on=f"line:{bus}")
            net.add(f"switch:{2 * bus}", bus, on=f"line:{bus}")
            net.add(f"load:{bus}", bus)
            before = bus
    net.add("line:99", STATIONS, 2 * STATIONS, name="联络线")
    net.add("switch:99", STATIONS, on="line:99", closed=False)
    return net.network()


def customers() -> str:
    """The customers as the CSV that the utility would hand over."""
    out = StringIO()
    rows = csv.DictWriter(out, COLUMNS, restval="")
    rows.writeheader()

    def row(customer: str, name: str, kind: str, tier: str, load: int, place: str, **more: str) -> None:
        number = f"{sum(map(ord, customer)) % 90 + 10:02d}"
        point = f"{customer}-{load}"
        fields = {
            "customer_id": customer,
            "name": name,
            "kind": kind,
            "tier": tier,
            "language": "zh-CN",
            "site_id": f"S-{customer}",
            "service_point_id": point,
            "element": f"load:{load}",
            "place": place,
            "sms": f"+4930231251{number}",
            "voice": f"+4930231252{number}",
            "email": f"{customer.lower()}@example.com",
            "grid_manager": "赵敏",
            "grid_manager_phone": "+493023125700",
        }
        rows.writerow(fields | more)

    row(
        "H1",
        "市第一人民医院",
        "hospital",
        "SPECIAL",
        4,
        "北街 4 号",
        backup_name="值班室",
        backup_phone="+493023125399",
    )
    row(
        "H1",
        "市第一人民医院",
        "hospital",
        "SPECIAL",
        10,
        "南街 4 号",
        backup_name="值班室",
        backup_phone="+493023125399",
    )
    row("W1", "City Water Works", "water", "FIRST", 5, "5 North Street", language="en")
    row("N1", "夕阳红养老院", "nursing_home", "SECOND", 6, "北街 6 号乙", sms="", email="")
    row("T1", "联通机房", "telecom", "SECOND", 6, "北街 6 号")
    row(
        "L1",
        "Anna Keller",
        "household",
        "LOW_VOLTAGE",
        3,
        "3 North Street",
        language="en",
        life_support="yes",
    )
    for load in range(1, 2 * STATIONS + 1):
        street = "北街" if load <= STATIONS else "南街"
        for house in range(1, 5):
            place = f"{street} {load}-{house} 号"
            row(f"C{load:02d}{house}", f"住户 {load}-{house}", "household", "LOW_VOLTAGE", load, place)
    return out.getvalue()


def build(rt: Runtime, folder: Path) -> None:
    """Import town and customers, and add a planner, an approver and somebody who is both."""
    network, people = folder / "town.geojson", folder / "customers.csv"
    network.write_text(json.dumps(write_network(town())), encoding="utf-8")
    people.write_text(customers(), encoding="utf-8")
    import_network(rt, network, format="geojson")
    import_customers(rt, people)
    add_user(rt, PLANNER, PASSWORD, ["planner"], "李娜")
    add_user(rt, APPROVER, PASSWORD, ["approver"], "王伟")
    add_user(rt, HOTLINE, PASSWORD, ["desk"], "周敏")
    add_user(rt, LOOKER, PASSWORD, ["readonly"], "何静")
    add_user(rt, ADMIN, PASSWORD, ["admin"], "徐丽")
    add_user(rt, FIELD, PASSWORD, ["field"], "赵敏")
    add_user(rt, BOTH, PASSWORD, ["planner", "approver"], "陈洁")


def request(start: datetime = START, hours: float = 4) -> PlanRequest:
    """Work on the third line of the north street: stations 3 to 6 lose supply."""
    return PlanRequest(
        kind=OutageKind.PLANNED,
        start=start,
        end=start + timedelta(hours=hours),
        reason={"zh-CN": "更换电缆", "en": "Replacing a cable"},
        area="北街 3 至 6 号",
        line="北街线",
        work=(WORK,),
    )


def planned(rt: Runtime, start: datetime = START, hours: float = 4) -> str:
    """A draft; returns its reference."""
    return plan_outage.plan(rt, PLANNER, request(start, hours))


def submitted(rt: Runtime, start: datetime = START, hours: float = 4) -> str:
    reference = planned(rt, start, hours)
    plan_outage.submit(rt, PLANNER, reference)
    return reference


def approved(rt: Runtime, start: datetime = START, hours: float = 4) -> str:
    reference = submitted(rt, start, hours)
    approve(rt, APPROVER, reference)
    return reference
