"""Is my place affected, among a thousand and among a million addresses: `make bench-addresses ARGS=1000000`.

A town whose outage is approved; tables of addresses on SQLite, imported from a CSV file. Then houses, streets and
postcodes are asked for, medians of 200 each; the ratio says whether the index holds.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from outage_notify.services.check_place import check_place
from outage_notify.services.import_addresses import import_addresses
from outage_notify.services.publish_map import public_list
from outage_notify.services.runtime import Runtime
from tests.factories import town
from tests.factories.runtimes import make_runtime

FEW, MANY, HOUSES, ASKED = 1_000, 1_000_000, 40, 200


def table(folder: Path, number: int) -> Path:
    path = folder / f"{number}.csv"
    with path.open("w", encoding="utf-8") as out:
        out.write("street,house_number,place,postcode,element,feeder,latitude,longitude\n")
        for at in range(number):
            way, house = divmod(at, HOUSES)
            load = at % (2 * town.STATIONS) + 1
            out.write(
                f"Way {way % 997} of {name(way)},{house + 1},Town {way % 50},{10_000 + way % 900},load:{load},,,\n"
            )
    return path


def name(number: int) -> str:
    """Digits as letters: a street's name."""
    return "".join(chr(97 + int(digit)) for digit in str(number)).title()


def asking(rt: Runtime, number: int) -> dict[str, float]:
    """Milliseconds of a question of each kind."""
    listed, found = public_list(rt), {}
    ways = number // HOUSES
    kinds = {
        "house": lambda way: f"Way {way % 997} of {name(way)} 7, {10_000 + way % 900} Town {way % 50}",
        "street": lambda way: f"Way {way % 997} of {name(way)}",
        "postcode": lambda way: str(10_000 + way % 900),
        "unknown": lambda way: f"Nowhere {way}",
    }
    for kind, words in kinds.items():
        times = []
        for at in range(ASKED):
            text = words(at * 7919 % ways)
            began = time.perf_counter()
            answer = check_place(rt, listed, text, lambda *_: True)
            times.append((time.perf_counter() - began) * 1000)
            if answer.kind == ("unknown" if kind != "unknown" else "house"):
                raise SystemExit(f"{text}: {answer.kind}")
        found[kind] = round(statistics.median(times), 2)
    return found


def main() -> int:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rt = make_runtime(f"sqlite:///{folder / 'bench.db'}", folder)
        town.build(rt, folder)
        town.approved(rt)
        found: dict[str, Any] = {}
        for number in (FEW, many):
            path = table(folder, number)
            began = time.perf_counter()
            import_addresses(rt, path)
            seconds = time.perf_counter() - began
            found[str(number)] = {"import_seconds": round(seconds, 1), "milliseconds": asking(rt, number)}
        found["peak_MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        few, more = found[str(FEW)]["milliseconds"], found[str(many)]["milliseconds"]
        found["ratio"] = {kind: round(more[kind] / few[kind], 2) for kind in few}
        rt.database.close()
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
