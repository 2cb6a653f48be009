"""What the JSON interface answers with, as schemas: the components of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from channels.papers import Paper
from outage_notify.domain.outage import OutageState
from outage_notify.store.job_tables import IMPORTS, JobKind, JobState
from outage_notify.store.work_tables import TaskKind

VERSION = {"type": "integer", "minimum": 1, "maximum": 2147483647}
# Long work on an outage; imports are a matter of pages and commands.
WORK = tuple(one for one in JobKind if one not in IMPORTS)


def words(of: Iterable[StrEnum]) -> dict[str, Any]:
    return {"type": "string", "enum": [one.value for one in of]}


SCHEMAS: dict[str, Any] = {
    "Outage": {
        "type": "object",
        "required": ["reference", "state", "version"],
        "properties": {
            "reference": {"type": "string"},
            "state": words(OutageState),
            "version": VERSION,
        },
    },
    "Page": {
        "type": "object",
        "required": ["outages", "next"],
        "properties": {
            "outages": {"type": "array", "items": {"type": "object"}},
            "next": {"type": ["string", "null"]},
        },
    },
    "Checks": {"type": "object", "required": ["findings"]},
    "Resolved": {
        "type": "object",
        "required": ["isolation", "loads", "by_tier", "service_points", "total", "next_offset"],
    },
    "Announcements": {"type": "object", "required": ["duties", "records"]},
    "Tasks": {
        "type": "object",
        "required": ["tasks", "next"],
        "properties": {
            "tasks": {"type": "array", "items": {"$ref": "#/components/schemas/Task"}},
            "next": {"type": ["string", "null"]},
        },
    },
    "Task": {
        "type": "object",
        "required": ["id", "kind", "outage", "note", "due_at", "done_at", "acknowledgement"],
        "properties": {
            "id": {"type": "integer"},
            "kind": words(TaskKind),
            "outage": {"type": ["string", "null"]},
            "acknowledgement": {"type": ["integer", "null"]},
        },
    },
    "Job": {
        "type": "object",
        "required": ["id", "kind", "state", "outage", "phase", "fraction", "messages", "problem"],
        "properties": {
            "id": {"type": "integer"},
            "kind": words(WORK),
            "state": words(JobState),
            "outage": {"type": "string"},
            "fraction": {"type": "number", "minimum": 0, "maximum": 1},
            "messages": {"type": ["integer", "null"], "description": "Planned by an approval that is done."},
            "problem": {
                "type": ["object", "null"],
                "required": ["message", "remedy"],
                "description": "Why it failed; nothing was changed then.",
            },
        },
    },
    "Webhooks": {"type": "object", "required": ["webhooks"]},
    "Webhook": {
        "type": "object",
        "required": ["id", "name", "url", "stopped_at", "waiting", "given_up", "taken"],
        "properties": {
            "id": {"type": "integer"},
            "url": {"type": "string"},
            "secret": {"type": "string", "description": "Once: in the answer that made it."},
            "not_taken": {"type": "array", "items": {"type": "object"}},
        },
    },
    "Replayed": {
        "type": "object",
        "required": ["pushes"],
        "properties": {"pushes": {"type": "integer"}},
    },
    "Removed": {"type": "object", "required": ["removed"]},
    "Receipt": {
        "type": "object",
        "required": ["receipt", "jws"],
        "properties": {"receipt": {"type": "integer"}, "jws": {"type": "string"}},
    },
    "Papers": {"type": "object", "required": [one.value for one in Paper]},
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
    },
}
