"""Words of the administration's pages: roles, jobs, what stands in the audit log."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

ADMIN_WORDS: dict[str, dict[str, Any]] = {
    "role": {
        "planner": _l("Planner"),
        "approver": _l("Approver"),
        "desk": _l("Hotline"),
        "field": _l("Grid manager"),
        "admin": _l("Administrator"),
        "readonly": _l("Read-only"),
    },
    "role_may": {
        "planner": _l("plans, revises, starts and ends outages"),
        "approver": _l("approves what somebody else submitted"),
        "desk": _l("answers customers, corrects contacts"),
        "field": _l("visits customers, has notices signed"),
        "admin": _l("users, imports, settings; decides nothing about outages"),
        "readonly": _l("sees everything, changes nothing"),
    },
    "job_kind": {
        "network": _l("Network"),
        "customers": _l("Customers and their contacts"),
        "approval": _l("Approval"),
        "papers": _l("All papers as one file"),
        "addresses": _l("Addresses"),
        "service_points": _l("Service points (help during outages)"),
    },
    "job_state": {
        "waiting": _l("Waiting"),
        "running": _l("Under way"),
        "done": _l("Done"),
        "refused": _l("Refused"),
        "failed": _l("Failed"),
        "lost": _l("Broken off"),
    },
    "job_phase": {
        "": _l("waits for the worker"),
        "reading": _l("reading"),
        "encoding": _l("reading"),
        "comparing": _l("comparing"),
        "storing": _l("storing"),
        "tracing": _l("tracing the network"),
        "checking": _l("checking"),
        "planning": _l("planning messages"),
        "waves": _l("looking at waves and deadlines"),
        "typesetting": _l("typesetting"),
        "done": _l("done"),
    },
    "count": {
        "elements": _l("Elements"),
        "feeders": _l("Feeders"),
        "changes": _l("Changes"),
        "customers": _l("Customers"),
        "service_points": _l("Service points"),
        "contacts": _l("Contacts"),
        "addresses": _l("Addresses"),
        "service_places": _l("Service points (help during outages)"),
        "with_load": _l("with the load that feeds them"),
        "all": _l("in all"),
        "added": _l("added"),
        "changed": _l("changed"),
        "gone": _l("gone"),
        "same": _l("same"),
        "normally open now": _l("normally open now"),
        "normally closed now": _l("normally closed now"),
    },
    "customer_class": {
        "all": _l("All"),
        "key": _l("Key customers"),
        "life_support": _l("Life support"),
        "vulnerable": _l("Vulnerable"),
        "special": _l("Special"),
        "first": _l("First"),
        "second": _l("Second"),
        "temporary": _l("Temporarily important"),
        "general": _l("General"),
        "low_voltage": _l("Low voltage"),
    },
    "lead_unit": {
        "hour": _l("hours"),
        "calendar_day": _l("calendar days"),
        "business_day": _l("business days"),
    },
    "fact": {
        "utility": _l("the utility"),
        "reference": _l("reference of the outage"),
        "short_ref": _l("short reference of this message"),
        "when": _l("start and end"),
        "old": _l("start and end before"),
        "back": _l("expected end"),
        "until": _l("expected end"),
        "since": _l("when supply came back"),
        "places": _l("affected places"),
        "reason": _l("reason of the work"),
        "hotline": _l("telephone for questions"),
        "number": _l("telephone"),
        "manager": _l("grid manager with telephone"),
        "name": _l("name"),
        "url": _l("link"),
        "title": _l("heading of the notice"),
        "what": _l("what kind of interruption"),
        "law": _l("article of the law"),
    },
    "addressee": {
        "home": _l("Customer"),
        "key": _l("Key customer who is to sign"),
        "life_support": _l("Life support"),
        "reduced": _l("One of two supplies is off"),
        "momentary": _l("Short interruptions"),
    },
    "reach": {"all": _l("all"), "key": _l("key customers"), "none": _l("nobody")},
    "trail": {
        "user_added": _l("User added"),
        "user_roles": _l("Roles changed"),
        "user_renamed": _l("User renamed"),
        "user_enabled": _l("User in use again"),
        "user_disabled": _l("User out of use"),
        "user_reset": _l("New password given"),
        "user_locked": _l("Account rests after wrong passwords"),
        "password_changed": _l("Password changed"),
        "signed_in": _l("Signed in"),
        "signed_out": _l("Signed out"),
        "sessions_ended": _l("Signed out elsewhere"),
        "second_factor_on": _l("Code by phone switched on"),
        "second_factor_off": _l("Code by phone switched off"),
        "second_factor_unreadable": _l("Code by phone can't be checked"),
        "identity_bound": _l("Bound to an account of the provider"),
        "provider_refused": _l("Refused after the provider"),
        "recovery_code_used": _l("Code for a lost phone used"),
        "network_imported": _l("Network imported"),
        "network_undone": _l("Network put back"),
        "customers_imported": _l("Customers imported"),
        "customers_undone": _l("Customers put back"),
        "addresses_imported": _l("Addresses imported"),
        "addresses_undone": _l("Addresses put back"),
        "service_places_imported": _l("Service points imported"),
        "manager_added": _l("Grid manager added"),
        "manager_changed": _l("Grid manager changed"),
        "manager_ended": _l("Grid manager ended"),
        "area_given": _l("Area given to a grid manager"),
        "area_ended": _l("Area taken back"),
        "office_set": _l("Office for the public changed"),
        "job_asked": _l("Import asked for"),
        "job_started_again": _l("Import started again"),
        "job_ended": _l("Import ended"),
        "work_asked": _l("Work left to the worker"),
        "work_started_again": _l("Work started again"),
        "work_ended": _l("Work of the worker ended"),
        "token_added": _l("Token added"),
        "token_revoked": _l("Token revoked"),
        "date_protected": _l("Date protected"),
        "date_released": _l("Date released"),
        "sender_held": _l("Sender held"),
        "sender_resumed": _l("Sender let go on"),
        "text_worded": _l("Text of notices changed"),
        "own_steps_changed": _l("Own steps changed"),
        "day_entered": _l("Day entered in the calendar"),
        "day_taken_out": _l("Day taken out of the calendar"),
    },
}

# In the order in which they are asked: browsers name their ancestors too.
_BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("MicroMessenger", "WeChat"), ("Chrome", "Chrome"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def device(agent: str) -> str:
    """What a browser says it is, in two words that a person knows."""
    browser = next((name for mark, name in _BROWSERS if re.search(rf"\b{mark}\w*/", agent)), "")
    browser = browser or ("Safari" if "Safari/" in agent else "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " · ".join(part for part in (browser, system) if part) or agent[:40] or _("unknown device")


def deed(what: str) -> str:
    """What happened, in words; the event's own word where a newer release wrote it."""
    from outage_notify.web.labels import WORDS

    return str(WORDS["trail"].get(what) or WORDS["event"].get(what) or what.replace("_", " "))


def size_of(count: int) -> str:
    """Bytes as people read them."""
    for unit, step in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} B"
