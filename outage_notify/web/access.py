"""Who may call which route: one table, enforced before every request.

A route that is not in the table answers nobody, so that a new one can't be forgotten; a
test compares the table with the routes. Services check roles again where it matters
(the approver is never the submitter).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask import Flask, abort, redirect, request, url_for
from flask_login import current_user

from outage_notify.store.user_tables import WORKING, Role
from outage_notify.web import kept_forms
from outage_notify.web.auth import login_manager


class Access(StrEnum):
    """To whom a route answers."""

    EVERYBODY = "everybody"
    LINK = "link"  # whoever holds the secret part of the address, or the token
    PROVIDER = "provider"  # a request that carries the provider's signature
    STAFF = "staff"  # anybody who is signed in
    WORKER = "worker"  # anybody who is signed in and has a role that files or decides
    VISITOR = "visitor"  # the same, and whoever goes to customers
    DESK = "desk"
    KEY = "key"  # a request that a customer's own key signed
    MACHINE = "machine"  # a request that carries a token; roles are those of its user
    PLANNER = "planner"
    APPROVER = "approver"
    ADMIN = "admin"


A = Access
# Routes that never ask who is signed in.
_UNNAMED = frozenset({A.EVERYBODY, A.LINK, A.PROVIDER, A.KEY, A.MACHINE})
# What somebody may call who has to choose a password first.
_BEFORE_PASSWORD = frozenset({"account.page", "account.change_password", "auth.sign_out", "static"})

ACCESS: dict[str, Access] = {
    "static": A.EVERYBODY,
    "public.map_page": A.EVERYBODY,
    "public.list_page": A.EVERYBODY,
    "public.outage_page": A.EVERYBODY,
    "public.embed": A.EVERYBODY,
    "public.qr": A.EVERYBODY,
    "public.affected_page": A.EVERYBODY,
    "public.affected": A.EVERYBODY,
    "follow.page": A.EVERYBODY,
    "follow.ask": A.EVERYBODY,
    "follow.again": A.EVERYBODY,
    "follow.confirm": A.EVERYBODY,
    "follow.leaving": A.LINK,
    "follow.leave": A.LINK,
    "open_data.page": A.EVERYBODY,
    "open_data.document": A.EVERYBODY,
    "open_data.events": A.EVERYBODY,
    "open_data.service_points": A.EVERYBODY,
    "public.service_points": A.EVERYBODY,
    "open_data.geojson": A.EVERYBODY,
    "public.healthz": A.EVERYBODY,
    "metrics.page": A.LINK,
    "public.jwks": A.EVERYBODY,
    "customer.sign_page": A.LINK,
    "customer.sign": A.LINK,
    "customer.receipt": A.LINK,
    "customer.receipt_pdf": A.LINK,
    "customer.notice_pdf": A.LINK,
    "customer.notice_page": A.LINK,
    "customer.invitations": A.LINK,
    "customers.invitations": A.PLANNER,
    "customers.links_revoke": A.PLANNER,
    "customer.pass_on": A.LINK,
    "customer.take_back": A.LINK,
    "passkeys.page": A.LINK,
    "passkeys.ask_to_register": A.LINK,
    "passkeys.register": A.LINK,
    "passkeys.ask_to_sign": A.LINK,
    "passkeys.sign": A.LINK,
    "own_keys.notices": A.KEY,
    "own_keys.answers": A.KEY,
    "desk_keys.add": A.PLANNER,
    "desk_keys.confirm": A.PLANNER,
    "desk_keys.revoke": A.PLANNER,
    "feeds.customer": A.LINK,
    "verify.page": A.EVERYBODY,
    "verify.shown": A.EVERYBODY,
    "verify.receipt": A.EVERYBODY,
    "verify.certificate": A.EVERYBODY,
    "verify.heads": A.EVERYBODY,
    "feeds.page": A.EVERYBODY,
    "feeds.area": A.EVERYBODY,
    "feeds.address": A.EVERYBODY,
    "customers.page": A.STAFF,
    "customers.listing": A.STAFF,
    "customers.scan": A.STAFF,
    "customers.plan": A.PLANNER,
    "customers.proposal": A.PLANNER,
    "customers.emergency_file": A.STAFF,
    "customer.plan_page": A.LINK,
    "customer.propose": A.LINK,
    "customers.feed_rotate": A.PLANNER,
    "customers.feed_add": A.PLANNER,
    "customers.feed_revoke": A.PLANNER,
    "api.describe": A.EVERYBODY,
    "api.job": A.MACHINE,
    "api.listing": A.MACHINE,
    "api.show": A.MACHINE,
    "api.checks": A.MACHINE,
    "api.paper_texts": A.MACHINE,
    "api.plan": A.MACHINE,
    "api.resolve": A.MACHINE,
    "api.revise": A.MACHINE,
    "api.step": A.MACHINE,
    "api.edit": A.MACHINE,
    "api.announcements": A.MACHINE,
    "api.task_list": A.MACHINE,
    "api.task_done": A.MACHINE,
    "api.answer_by_hand": A.MACHINE,
    "api.take_back": A.MACHINE,
    "api.webhook_list": A.MACHINE,
    "api.webhook_one": A.MACHINE,
    "api.webhook_add": A.MACHINE,
    "api.webhook_secret": A.MACHINE,
    "api.webhook_replay": A.MACHINE,
    "api.webhook_stop": A.MACHINE,
    "api.webhook_start": A.MACHINE,
    "api.webhook_remove": A.MACHINE,
    "api.manager_list": A.MACHINE,
    "api.manager_add": A.MACHINE,
    "api.manager_change": A.MACHINE,
    "api.manager_end": A.MACHINE,
    "api.manager_office": A.MACHINE,
    "api.manager_area": A.MACHINE,
    "api.area_end": A.MACHINE,
    "api.text_list": A.MACHINE,
    "api.text_one": A.MACHINE,
    "api.text_try": A.MACHINE,
    "api.text_save": A.MACHINE,
    "api.text_restore": A.MACHINE,
    "webhooks.status": A.PROVIDER,
    "webhooks.voice": A.PROVIDER,
    "webhooks.answer": A.PROVIDER,
    "webhooks.inbound": A.PROVIDER,
    "webhooks.inbound_call": A.PROVIDER,
    "reports.report": A.LINK,
    "auth.sign_in": A.EVERYBODY,
    "auth.sign_out": A.STAFF,
    "auth.second": A.EVERYBODY,
    "provider.begin": A.EVERYBODY,
    "provider.back": A.EVERYBODY,
    "account.page": A.STAFF,
    "account.change_password": A.STAFF,
    "account.end_session": A.STAFF,
    "account.end_others": A.STAFF,
    "account.second_factor": A.STAFF,
    "account.second_factor_on": A.STAFF,
    "account.second_factor_off": A.STAFF,
    "imports.listing": A.ADMIN,
    "imports.upload": A.ADMIN,
    "imports.one": A.ADMIN,
    "imports.state": A.ADMIN,
    "imports.again": A.ADMIN,
    "imports.faults": A.ADMIN,
    "settings.senders": A.ADMIN,
    "days.listing": A.ADMIN,
    "days.add": A.ADMIN,
    "days.remove": A.ADMIN,
    "settings.hold": A.ADMIN,
    "settings.resume": A.ADMIN,
    "settings.policy": A.ADMIN,
    "steps.add": A.ADMIN,
    "steps.remove": A.ADMIN,
    "wordings.listing": A.ADMIN,
    "wordings.one": A.ADMIN,
    "wordings.save": A.ADMIN,
    "wordings.restore": A.ADMIN,
    "managers.listing": A.ADMIN,
    "managers.add": A.ADMIN,
    "managers.one": A.ADMIN,
    "managers.change": A.ADMIN,
    "managers.office": A.ADMIN,
    "managers.end": A.ADMIN,
    "managers.give_area": A.ADMIN,
    "managers.end_area": A.ADMIN,
    "trail.listing": A.ADMIN,
    "trail.export": A.ADMIN,
    "push.listing": A.ADMIN,
    "push.add": A.ADMIN,
    "push.one": A.ADMIN,
    "push.step": A.ADMIN,
    "users.listing": A.ADMIN,
    "users.add": A.ADMIN,
    "users.one": A.ADMIN,
    "users.change": A.ADMIN,
    "users.activity": A.ADMIN,
    "users.reset": A.ADMIN,
    "users.end_sessions": A.ADMIN,
    "board.page": A.STAFF,
    "board.geojson": A.STAFF,
    "board.save_view": A.STAFF,
    "board.drop_view": A.STAFF,
    "desk.outage": A.STAFF,
    "desk.outage_geojson": A.STAFF,
    "desk.submit": A.PLANNER,
    "desk.approve": A.APPROVER,
    "desk.send_back": A.APPROVER,
    "desk.drop_revision": A.PLANNER,
    "desk.cancel": A.PLANNER,
    "desk.go": A.APPROVER,
    "desk.start": A.PLANNER,
    "desk.overrun": A.PLANNER,
    "desk.complete": A.PLANNER,
    "jobs.one": A.STAFF,
    "jobs.state": A.STAFF,
    "jobs.file": A.STAFF,
    "jobs.again": A.WORKER,
    "numbers.page": A.STAFF,
    "numbers.table": A.STAFF,
    "texts.listing": A.STAFF,
    "texts.send": A.WORKER,
    "papers.listing": A.STAFF,
    "papers.document": A.STAFF,
    "papers.key_notices": A.STAFF,
    "papers.make_all": A.STAFF,
    "papers.record": A.WORKER,
    "papers.take_back": A.WORKER,
    "papers.send_plan": A.WORKER,
    "plan.new": A.PLANNER,
    "plan.edit": A.PLANNER,
    "plan.revise": A.PLANNER,
    "plan.live": A.PLANNER,
    "plan.find": A.PLANNER,
    "plan.within": A.PLANNER,
    "plan.elements": A.STAFF,
    "plan.network": A.STAFF,
    "plan.network_tile": A.STAFF,
    "tasks.listing": A.STAFF,
    "tasks.done": A.VISITOR,
    "tasks.paper": A.VISITOR,
    "visits.listing": A.STAFF,
    "visits.one": A.STAFF,
    "visits.answer": A.VISITOR,
    "customers.photo": A.STAFF,
    "enquiry.page": A.STAFF,
    "enquiry.log": A.DESK,
    "enquiry.contact": A.DESK,
    "enquiry.resend": A.DESK,
    "protected.listing": A.STAFF,
    "protected.add": A.APPROVER,
    "protected.remove": A.APPROVER,
    "letters.listing": A.STAFF,
    "letters.print_batch": A.PLANNER,
    "letters.reprint": A.STAFF,
    "letters.posted": A.PLANNER,
    "letters.delivered": A.PLANNER,
}


def allowed(access: Access) -> bool:
    """Whether the person of this request may call a route of this access."""
    if access in _UNNAMED:
        return True
    if not current_user.is_authenticated:
        return False
    if access is A.WORKER:
        return any(current_user.may(role) for role in WORKING)
    if access is A.VISITOR:
        return any(current_user.may(role) for role in (*WORKING, Role.FIELD))
    return access is A.STAFF or current_user.may(Role(access.value))


def _sign_in() -> Any:
    """To the page for signing in; what was typed comes along."""
    return kept_forms.ask_again() if kept_forms.worth_keeping() else login_manager.unauthorized()


def enforce(app: Flask) -> None:
    """Ask the table before each request. Strangers are sent to sign in, the wrong role gets 403."""

    @app.before_request
    def check() -> Any:
        if request.endpoint is None:  # no such route: the 404 page answers
            return None
        access = ACCESS.get(request.endpoint)
        if access is None:
            abort(403)
        waits = access not in _UNNAMED and current_user.must_change_password
        if waits and request.endpoint not in _BEFORE_PASSWORD:
            return redirect(url_for("account.page"))
        if allowed(access):
            return None
        return abort(403) if current_user.is_authenticated else _sign_in()
