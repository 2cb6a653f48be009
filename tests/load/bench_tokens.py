"""Whether the time of a refusal tells what was wrong with a link: `python -m tests.load.bench_tokens`.

Links of each wrong kind are asked for in turns, in random order, on the real application with the limit on
guessing taken off. Printed: the median time per kind, and the rank-sum statistic of each kind against a forged link
as a distance from what chance gives (in standard deviations). Nothing fails by it: a machine's noise is no defect.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from scipy.stats import mannwhitneyu

ROUNDS = 400


def main() -> int:
    from channels.tokens import make_token
    from outage_notify.services import links
    from outage_notify.web import create_app
    from outage_notify.web.security import limiter
    from tests.factories import town
    from tests.factories.people import NOW
    from tests.factories.runtimes import make_runtime

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rt = make_runtime(f"sqlite:///{folder / 'town.db'}", folder)
        town.build(rt, folder)
        town.approved(rt)
        client = create_app(rt).test_client()
        limiter.enabled = False
        key, later = rt.signing_key.derive("links"), NOW + timedelta(days=60)
        tokens = {
            "forged": make_token(b"x" * 32, links.SIGN, 1, later),
            "random": "Qw3" * 9 + "Q",
            "changed": rt.link_token(links.SIGN, 1, later)[:-2] + "AA",
            "expired": make_token(key, links.SIGN, 1, NOW - timedelta(days=1)),
            "other purpose": rt.link_token(links.NOTICE, 1, later),
        }
        times: dict[str, list[float]] = {kind: [] for kind in tokens}
        dice = random.Random(7)
        for number in range(ROUNDS + 20):
            for kind in dice.sample(sorted(tokens), len(tokens)):
                began = time.perf_counter()
                answer = client.get(f"/s/{tokens[kind]}")
                took = time.perf_counter() - began
                if answer.status_code != 404:
                    raise SystemExit(f"{kind}: {answer.status_code}")
                if number >= 20:
                    times[kind].append(took * 1000)
        rt.database.close()
    found = {}
    for kind, taken in times.items():
        statistic = float(mannwhitneyu(taken, times["forged"]).statistic)
        spread = (ROUNDS * ROUNDS * (2 * ROUNDS + 1) / 12) ** 0.5
        found[kind] = {
            "median_ms": round(statistics.median(taken), 3),
            "sigmas_from_forged": round((statistic - ROUNDS * ROUNDS / 2) / spread, 1),
        }
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
