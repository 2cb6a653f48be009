"""/metrics for Prometheus. Closed unless a token is set; open to whoever shows it."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from flask import Blueprint, Response, abort, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from outage_notify.services.measure_engine import measure
from outage_notify.services.runtime import Runtime
from outage_notify.web.context import runtime

pages = Blueprint("metrics", __name__)


class _Engine(Collector):
    def __init__(self, rt: Runtime) -> None:
        self._rt = rt

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge in measure(self._rt):
            labels = [name for name, _ in next(iter(gauge.values), ())]
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=labels)
            for named, value in gauge.values.items():
                family.add_metric([text for _, text in named], value)
            yield family


@pages.get("/metrics")
def page() -> Response:
    token = runtime().settings.metrics_token
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token:
        abort(404)
    if not hmac.compare_digest(shown.encode(), token.encode()):
        answer = Response("Show the token: Authorization: Bearer ...\n", 401, mimetype="text/plain")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    registry = CollectorRegistry()
    registry.register(_Engine(runtime()))
    answer = Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    answer.headers["Cache-Control"] = "no-store"
    return answer
