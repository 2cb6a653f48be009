"""The OpenAPI 3.1 document of the JSON interface: one table of steps, from which paths are made."""

from __future__ import annotations

from typing import Any

from channels.model import Language
from channels.papers import Paper
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.announcement import Medium
from outage_notify.domain.outage import OutageKind, OutageState
from outage_notify.store.work_tables import TaskKind
from outage_notify.web import openapi_managers, openapi_texts
from outage_notify.web.openapi_schemas import SCHEMAS, VERSION, words

# No control characters: PostgreSQL takes no NUL, and nobody reads the others.
TEXT_PATTERN = r"^[^\x00-\x1f\x7f-\x9f]*$"
KEY_PATTERN = r"^[!-~]{1,200}$"
_TEXT = {"type": "string", "maxLength": 4000, "pattern": TEXT_PATTERN}
_SHORT = _TEXT | {"maxLength": 300}
_TIME = _TEXT | {
    "maxLength": 40,
    "description": "ISO 8601; without an offset it is local to the network, and refused where that is ambiguous.",
}
_LIST = {"type": "array", "items": _TEXT | {"maxLength": 100}, "maxItems": 500}
LARGEST_ID = 2**63 - 1
REFUSALS = {
    "400": "What came is no HTTP that can be read.",
    "401": "No token that is in use.",
    "403": "The user of the token has no role for it.",
    "404": "There is no such thing.",
    "409": "The state, a newer version or another request under the key forbids it.",
    "413": "The body is too large.",
    "422": "Something in the request can't be taken, or comes too late for the law.",
    "503": "A setting of the installation is missing.",
}


# Step: (what it does, its own fields, which of them are needed)
STEPS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "submit": ("Hand it to another person for approval.", {"exception_reason": _TEXT}, ()),
    "send-back": ("Return it to the planner.", {"reason": _TEXT}, ("reason",)),
    "approve": (
        "Approve what another person submitted. A big audience is left to the worker: 202 with the job.",
        {"accept_exception": {"type": "boolean"}, "override_reason": _TEXT},
        (),
    ),
    "cancel": ("Cancel; whoever was told is told.", {"reason": _TEXT}, ("reason",)),
    "drop-revision": ("Give up the revision under way; the standing one stands.", {}, ()),
    "go": ("Decide to start without all signatures.", {"reason": _TEXT}, ("reason",)),
    "start": ("The work has begun.", {}, ()),
    "overrun": ("It takes longer.", {"until": _TIME}, ("until",)),
    "complete": ("Supply is back.", {}, ()),
    "announce": (
        "Record where a paper was announced; `sha256` is that of the words that were announced.",
        {
            "paper": words(Paper),
            "medium": words(Medium),
            "language": words(Language),
            "place": _SHORT,
            "at": _TIME,
            "sha256": _TEXT | {"maxLength": 64},
        },
        ("paper", "medium", "language"),
    ),
}
SWITCHING: dict[str, Any] = {
    "work": _LIST,
    "out": _LIST,
    "close": _LIST,
    "close_ties": {"type": "boolean"},
}
PLAN: dict[str, Any] = {
    "kind": words(OutageKind),
    "start": _TIME,
    "end": _TIME,
    "reason": {
        "type": "object",
        "properties": {"zh-CN": _TEXT, "en": _TEXT},
        "additionalProperties": False,
        "minProperties": 1,
    },
    "area": _SHORT,
    "line": _SHORT,
    **SWITCHING,
}
PLAN_NEEDED = ("kind", "start", "end", "reason")
# Work of other outages that the plan does too; those of which nobody was told are cancelled.
MERGING: dict[str, Any] = PLAN | {"merged": {"type": "array", "items": _SHORT, "maxItems": 20}}
REVISION: dict[str, Any] = PLAN | {"version": VERSION}
EDITING: dict[str, Any] = MERGING | {"version": VERSION}
TAKING_BACK: dict[str, Any] = {"reason": _TEXT}
ANSWER: dict[str, Any] = {
    "state": words((AckState.ACKNOWLEDGED, AckState.OBJECTED, AckState.REFUSED)),
    "way": words((AckWay.PAPER, AckWay.VISIT)),
    "signer_name": _SHORT,
    "signer_role": _SHORT,
    "reason": _TEXT,
    "witness": _SHORT,
    "slip_date": _TEXT | {"maxLength": 10, "description": "ISO 8601 date on the slip."},
}
ANSWER_NEEDED = ("state", "way", "signer_name")


WEBHOOK: dict[str, Any] = {"name": _TEXT | {"maxLength": 100}, "url": _TEXT | {"maxLength": 500}}
REPLAY: dict[str, Any] = {"after": {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}}


def step_fields(step: str) -> dict[str, Any]:
    """What the body of a step may hold."""
    return STEPS[step][1] | ({} if step == "announce" else {"version": VERSION})


def document(base_url: str) -> dict[str, Any]:
    """The whole document, for this installation."""
    reference = {"name": "reference", "in": "path", "required": True, "schema": {"type": "string"}}
    outages: dict[str, Any] = {
        "get": _operation("listOutages", "Outages, the newest first.", {"200": "Page"}, parameters=_paging()),
        "post": _posting("planOutage", "Enter a draft.", MERGING, PLAN_NEEDED, "201"),
    }
    paths: dict[str, Any] = {
        "/outages": outages,
        "/resolve": {"post": _resolving()},
        "/outages/{reference}": {
            "parameters": [reference],
            "get": _operation("showOutage", "One outage, whole.", {"200": "Outage"}),
        },
        "/outages/{reference}/checks": {
            "parameters": [reference],
            "get": _operation("checkOutage", "What stands in the way.", {"200": "Checks"}),
        },
        "/outages/{reference}/papers": {
            "parameters": [reference],
            "get": _operation(
                "outagePapers", "Hotline entry, announcement, poster, plan notice.", {"200": "Papers"}
            ),
        },
        "/outages/{reference}/revise": {
            "parameters": [reference],
            "post": _posting(
                "reviseOutage",
                "Draft the next revision; the standing one stands until that is approved.",
                REVISION,
                PLAN_NEEDED,
                "200",
            ),
        },
        "/outages/{reference}/edit": {
            "parameters": [reference],
            "post": _posting("editOutage", "Write a draft anew.", EDITING, PLAN_NEEDED, "200"),
        },
        "/outages/{reference}/announcements": {
            "parameters": [reference],
            "get": _operation(
                "outageAnnouncements",
                "What has to be announced, and what was recorded.",
                {"200": "Announcements"},
            ),
        },
        **_work(),
        **_webhooks(),
        **openapi_texts.paths(_operation, _posting),
        **openapi_managers.paths(_operation, _posting),
    }
    for step, (said, _, needed) in STEPS.items():
        paths[f"/outages/{{reference}}/{step}"] = {
            "parameters": [reference],
            "post": _posting(f"{step}Outage", said, step_fields(step), needed, "200"),
        }
    # What takes longer than somebody waits.
    approving = paths["/outages/{reference}/approve"]["post"]["responses"]
    approving["202"] = _answer("The worker does it; Location is where the job stands.", "Job")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Planned outages", "version": "1"},
        "servers": [{"url": f"{base_url}/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": SCHEMAS | openapi_texts.SCHEMAS | openapi_managers.SCHEMAS,
        },
    }


def _work() -> dict[str, Any]:
    """What is left to people: tasks, answers brought in by hand, announcements entered wrongly."""
    number = {"name": "number", "in": "path", "required": True}
    number["schema"] = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
    return {
        "/tasks": {
            "get": _operation(
                "listTasks",
                "Open tasks, the most urgent first.",
                {"200": "Tasks"},
                parameters=[{"name": "kind", "in": "query", "schema": words(TaskKind)}, *_paging()[1:]],
            )
        },
        "/jobs/{number}": {
            "parameters": [number],
            "get": _operation(
                "showJob", "How far the worker is with long work on an outage.", {"200": "Job"}
            ),
        },
        "/tasks/{number}/done": {
            "parameters": [number],
            "post": _posting("finishTask", "Tick a task off.", {}, (), "200", "Task"),
        },
        "/acknowledgements/{number}/answer": {
            "parameters": [number],
            "post": _posting(
                "answerByHand",
                "An answer of a key customer on paper or from a visit.",
                ANSWER,
                ANSWER_NEEDED,
                "200",
                "Receipt",
            ),
        },
        "/announcements/{number}/take-back": {
            "parameters": [number],
            "post": _posting(
                "takeBackAnnouncement",
                "An announcement was recorded wrongly; it stays and counts no more.",
                TAKING_BACK,
                ("reason",),
                "200",
                "Announcements",
            ),
        },
    }


def _webhooks() -> dict[str, Any]:
    """Addresses that are pushed what becomes public; for tokens of administrators."""
    number = {"name": "number", "in": "path", "required": True}
    number["schema"] = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}

    def step(name: str, said: str, answer: str = "Webhook", fields: Any = None) -> dict[str, Any]:
        posting = _posting(f"{name}Webhook", said, fields or {}, (), "200", answer)
        return {"parameters": [number], "post": posting}

    return {
        "/webhooks": {
            "get": _operation("listWebhooks", "All webhooks.", {"200": "Webhooks"}),
            "post": _posting(
                "addWebhook",
                "Push to an address from now on; the answer holds the secret that signs.",
                WEBHOOK,
                ("name", "url"),
                "201",
                "Webhook",
            ),
        },
        "/webhooks/{number}": {
            "parameters": [number],
            "get": _operation("showWebhook", "One, with what it did not take.", {"200": "Webhook"}),
        },
        "/webhooks/{number}/replay": step(
            "replay", "Push again what was given up, or all after an event.", "Replayed", REPLAY
        ),
        "/webhooks/{number}/secret": step("secretOf", "Another secret; the one before counts no more."),
        "/webhooks/{number}/stop": step("stop", "Push nothing until it is started; what comes waits."),
        "/webhooks/{number}/start": step("start", "Push again, what waited first."),
        "/webhooks/{number}/remove": step("remove", "Push no more, and forget it.", "Removed"),
    }


def _paging() -> list[dict[str, Any]]:
    return [
        {"name": "state", "in": "query", "schema": words(OutageState)},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200}},
        {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 1000000}},
    ]


def _resolving() -> dict[str, Any]:
    """The one question that is posted: it has a body, and changes nothing."""
    schema = {"type": "object", "properties": SWITCHING, "additionalProperties": False}
    numbers = {"limit": 200, "offset": 100_000_000}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": most}}
        for name, most in numbers.items()
    ]
    parameters.append({"name": "loads", "in": "query", "schema": {"const": "all"}})
    return _operation(
        "resolve",
        "Who would lose supply, by tier, and one page of the service points. Stores nothing.",
        {"200": "Resolved"},
        parameters=parameters,
        requestBody={"required": True, "content": {"application/json": {"schema": schema}}},
    )


def _answer(said: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": said, "content": content}


def _operation(name: str, said: str, answers: dict[str, str], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {code: _answer(said, schema) for code, schema in answers.items()}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    posts = "requestBody" in more
    for code, why in REFUSALS.items():
        if posts or code not in {"409", "413"}:
            found[code] = {"description": why, "content": problem}
    return {"operationId": name, "summary": said, "responses": found, **more}


def _posting(
    name: str, said: str, fields: dict[str, Any], needed: tuple[str, ...], code: str, answer: str = "Outage"
) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": fields,
        "required": list(needed),
        "additionalProperties": False,
    }
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": KEY_PATTERN},
    }
    body = {"required": bool(needed), "content": {"application/json": {"schema": schema}}}
    return _operation(name, said, {code: answer}, parameters=[key], requestBody=body)
