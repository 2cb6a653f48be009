"""The server's part of the planner's screen at a utility's size: ``python -m tests.load.bench_plan_town [CUSTOMERS]``.

Trace, ties, key customers with proofs, checks and window for one to ten substations, without HTTP and template;
medians of nine on SQLite. The town of `bench_geo` has no coordinates, so shapes are looked up and found nowhere.
"""

from __future__ import annotations

import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from outage_notify.services import plan_screen
from outage_notify.services.plan_screen import Draft
from outage_notify.services.resolve_audience import Switching
from tests.factories.runtimes import make_runtime
from tests.load import product_town
from tests.load.synthetic_network import town

TIMES = 9


def main() -> int:
    it = town(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
    with TemporaryDirectory() as state:
        rt = make_runtime(f"sqlite:///{state}/town.db", Path(state))
        product_town.fill(rt, it)
        start = datetime.now(UTC) + timedelta(days=40)
        first = it.trafos + it.substations // 3
        cases = {"a section": ("line:10540",)} | {
            f"{many} substations": tuple(f"trafo:{first + one}" for one in range(many)) for many in (1, 10)
        }
        for name, out in cases.items():
            draft = Draft(
                Switching(out=out), start=start, end=start + timedelta(hours=4), reason={"en": "Works"}
            )
            screen, times = plan_screen.look(rt, draft), []
            if screen.network is None:
                raise SystemExit(f"{name}: {screen.network_fault}")
            for _ in range(TIMES):
                began = time.perf_counter()
                plan_screen.look(rt, draft)
                times.append((time.perf_counter() - began) * 1000)
            hit = f"{screen.network.told:,} customers, {len(screen.network.ties)} ties"
            print(
                f"{name:<16} {hit:<28} median {statistics.median(times):5.0f} ms, fastest {min(times):5.0f}"
            )
        rt.database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
