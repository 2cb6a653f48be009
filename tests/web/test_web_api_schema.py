"""The JSON interface against its own OpenAPI document: no 500, and no answer that is not described.

schemathesis makes requests out of the document, fitting and unfitting ones, on a town with an outage in each
state. The short form is the same in each run; `API_EXAMPLES=500` makes a long one with that many
requests per operation, other ones each time.
"""

from __future__ import annotations

import os
from datetime import timedelta
from itertools import count, cycle
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.generation.case import Case
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from channels.model import Language
from channels.papers import Paper
from outage_notify.domain.announcement import Medium
from outage_notify.services import (
    announce,
    long_work,
    machine_access,
    plan_outage,
    run_outage,
    start_gate,
    webhooks,
)
from outage_notify.services.runtime import Runtime
from outage_notify.store.job_tables import JobKind
from tests.factories import town
from tests.factories.people import NOW, START
from tests.web.conftest import turn

LONG = int(os.environ.get("API_EXAMPLES", "0"))
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
# Words at random would never be a time or an element: these are some of each kind, and some of none.
KNOWN: dict[str, Any] = {
    "start": {"enum": ["2026-04-12T09:00", "2026-05-12T09:00+02:00", "2026-02-30T09:00"]},
    "end": {"enum": ["2026-05-12T13:00", "2026-05-12T13:00Z", "9999-12-31T23:59"]},
    "until": {"enum": ["2026-03-12T16:00", "2026-03-12T16:00-23:59", "0001-01-01T00:00+14:00"]},
    "at": {"enum": ["2026-03-02T16:00", "2030-03-12T16:00", "0001-01-01T00:00+14:00", "now"]},
    "slip_date": {"enum": ["2026-03-02", "2026-02-30", "9999-12-31"]},
    "work": {"type": "array", "minItems": 1, "items": {"enum": ["line:3", "line:5", "line:4"]}},
    "out": {"type": "array", "maxItems": 1, "items": {"enum": ["line:2", "line:77"]}},
    "close": {"type": "array", "maxItems": 1, "items": {"enum": ["switch:99", "x"]}},
    "merged": {"type": "array", "maxItems": 1, "items": {"enum": ["PO-2026-0004", "PO-2026-9999"]}},
}
HOOKS = 3
WAITS = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)


def in_every_state(rt: Runtime) -> list[str]:
    """Outages in each state, one of them with a revision under way; tasks, answers and announcements beside."""
    active, cancelled = town.approved(rt), town.approved(rt, START + timedelta(days=40))
    done = town.approved(rt, START + timedelta(days=80))
    revised = town.approved(rt, START + timedelta(days=120))
    plan_outage.revise(rt, town.PLANNER, revised, town.request(START + timedelta(days=121)))
    run_outage.cancel(rt, town.PLANNER, cancelled, "Weather")
    announce.announce(
        rt, town.PLANNER, revised, announce.Announced(Paper.MEDIA, Medium.NEWSPAPER, Language.EN)
    )
    for reference in (active, done):
        start_gate.decide(rt, town.APPROVER, reference, "Spoken to")
    for reference, at in ((done, START + timedelta(days=80)), (active, START)):
        turn(rt, at)
        run_outage.start(rt, town.PLANNER, reference)
    run_outage.complete(rt, town.PLANNER, done)
    turn(rt, NOW)
    for number in range(HOOKS):
        webhooks.add(rt, town.ADMIN, f"Newspaper {number}", "https://example.com/hook")
    waiting = town.submitted(rt, START + timedelta(days=160))
    options = {"version": 1, "accept_exception": False, "override_reason": ""}
    long_work.ask_about(rt, town.APPROVER, JobKind.APPROVAL, waiting, options)
    return [active, cancelled, done, revised, waiting, town.planned(rt, START + timedelta(days=200))]


def document(app: Flask, references: list[str]) -> dict[str, Any]:
    """The document as it is served, with outages, times and elements that there are in place of any others."""
    found: dict[str, Any] = app.test_client().get("/api/v1/openapi.json").json
    for path, item in found["paths"].items():
        for parameter in item.get("parameters", ()):
            if parameter["name"] == "reference":
                parameter["schema"] = {"type": "string", "enum": references}
            else:
                parameter["schema"]["maximum"] = HOOKS if path.startswith("/webhooks") else 9
        body = item.get("post", {}).get("requestBody")
        if body:
            schema = body["content"]["application/json"]["schema"]
            fields = schema["properties"]
            for name in fields.keys() & KNOWN.keys():
                fields[name] = KNOWN[name]
            # Nothing is planned where nothing is worked on.
            schema.setdefault("required", []).extend(fields.keys() & {"work"})
    return found


def test_what_is_asked_is_answered_as_the_document_says(app: Flask, rt: Runtime) -> None:
    schema = schemathesis.openapi.from_dict(document(app, in_every_state(rt)))
    schema.app = app
    people = [town.PLANNER, town.APPROVER, town.BOTH, town.ADMIN]
    tokens = cycle([machine_access.new_token(rt, "test", one, "OMS") for one in people])
    keys, seen = count(1), {}

    def ask(case: Case) -> None:
        headers = {"Authorization": f"Bearer {next(tokens)}"}
        # A key of its own for each, else the answers would be those of the first; an unfitting key stays as it is.
        held = (case.headers or {}).get("Idempotency-Key")
        if held is not None and case.meta and case.meta.generation.mode is GenerationMode.POSITIVE:
            headers["Idempotency-Key"] = f"key-{next(keys)}"
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS)
        told = seen.setdefault(case.operation.label, {})
        told[answer.status_code] = told.get(answer.status_code, 0) + 1

    for found in schema.get_all_operations():
        operation = found.ok()
        fitting, unfitting = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

        @settings(
            max_examples=LONG or 14,
            derandomize=not LONG,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=WAITS,
        )
        @given(case=st.one_of(fitting, unfitting))
        def asked(case: Case) -> None:
            ask(case)

        asked()
    # It got through to the services, and not only to the checks before them.
    assert 201 in seen["POST /outages"]
    assert all(200 in told for label, told in seen.items() if label.startswith("GET"))
    assert {code for told in seen.values() for code in told} >= {200, 201, 401, 403, 404, 409, 422}
