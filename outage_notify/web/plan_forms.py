"""Forms of a customer's plan: the whole one for the desk, what a customer may propose from its own page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from outage_notify.domain.customer_plan import Backup, CustomerPlan
from outage_notify.domain.errors import InvalidInput
from outage_notify.web import forms


def whole(form: Mapping[str, str]) -> CustomerPlan:
    """Everything, as the desk writes it."""
    return CustomerPlan(
        minimum_notice_hours=int(_number(form, "minimum_notice_hours")),
        account_manager=" ".join(form.get("account_manager", "").split()),
        notes=_lines(form, "notes"),
        **_own(form),
    )


def proposed(form: Mapping[str, str], standing: CustomerPlan) -> CustomerPlan:
    """What a customer knows best; the contract's notice, the account manager and our notes stay."""
    return replace(standing, **_own(form))


def _own(form: Mapping[str, str]) -> dict[str, Any]:
    kind = form.get("backup", "none")
    if kind not in set(Backup):
        raise InvalidInput("There is no such backup supply.", "Choose one of the list.")
    return {
        "backup": Backup(kind),
        "backup_kw": _number(form, "backup_kw"),
        "backup_hours": _number(form, "backup_hours"),
        "backup_tested": forms.day(form, "backup_tested") if form.get("backup_tested") else None,
        "critical": _lines(form, "critical"),
        "contacts": _lines(form, "contacts"),
    }


def _number(form: Mapping[str, str], name: str) -> float:
    text = form.get(name, "").strip()
    try:
        return float(text) if text else 0.0
    except ValueError:
        raise InvalidInput(f"{name}: that is not a number.", "Write it as 250 or 2.5.") from None


def _lines(form: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(" ".join(line.split()) for line in form.get(name, "").splitlines() if line.strip())
