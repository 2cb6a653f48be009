"""One customer, one plan: written at the desk, proposed by the customer, read by the planner's preview."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest

from outage_notify.domain.checks import CheckKind
from outage_notify.services import acknowledge, customer_plans, links
from outage_notify.services.preview_plan import preview_plan
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from tests.factories import town
from tests.factories.people import NOW, add_customer, add_outage
from tests.web.conftest import Person

PAGE = "/desk/customers/W1"
WRITTEN = {
    "backup": "generator",
    "backup_kw": "400",
    "backup_hours": "0.5",
    "minimum_notice_hours": "8000",
    "account_manager": "Li Hua",
    "critical": "daily 00:00-23:59 pumping\r\n\r\n",
    "contacts": "Wang Fang, 24 h, zh\nTom Ball, days, en",
}


def text_of(person: Person, path: str) -> str:
    return person.get(path).get_data(as_text=True)


def test_the_desk_writes_it_and_the_preview_warns_by_it(planner: Person, rt: Runtime) -> None:
    before = {one.kind for one in preview_plan(rt, town.request()).findings}
    mine = {CheckKind.CRITICAL_TIME, CheckKind.CONTRACT_NOTICE, CheckKind.SHORT_BACKUP}
    mine |= {CheckKind.BACKUP_UNTESTED}
    assert not before & mine
    assert planner.send(f"{PAGE}/plan", WRITTEN, page=PAGE).status_code == 303
    shown = text_of(planner, PAGE)
    assert "400 kW" in shown and "Li Hua" in shown and "Tom Ball" in shown
    findings = {one.kind: one for one in preview_plan(rt, town.request()).findings}
    assert mine <= set(findings)
    assert "pumping" in findings[CheckKind.CRITICAL_TIME].sentence
    assert findings[CheckKind.CRITICAL_TIME].names == ("City Water Works",)
    tested = (town.request().start - timedelta(days=30)).date().isoformat()
    planner.send(f"{PAGE}/plan", WRITTEN | {"backup_tested": tested}, page=PAGE)
    kinds = {one.kind for one in preview_plan(rt, town.request()).findings}
    assert CheckKind.BACKUP_UNTESTED not in kinds


def test_what_cannot_be_read_is_said_and_nothing_is_saved(planner: Person, rt: Runtime) -> None:
    planner.send(f"{PAGE}/plan", WRITTEN | {"critical": "sometimes"}, page=PAGE)
    assert "cannot be read" in text_of(planner, PAGE)
    assert customer_plans.kept(rt, "W1").changed_at is None


def test_the_emergency_plan_is_a_pdf_within_limits(planner: Person, rt: Runtime) -> None:
    for content, kept in ((b"%PDF-1.7 " + b"x" * 1_000_000, True), (b"MZ rubbish", False)):
        form = planner.hidden(PAGE) | WRITTEN | {"file": (BytesIO(content), "plan.pdf")}
        assert planner.post(f"{PAGE}/plan", form).status_code == 303
        assert ("is no PDF" in text_of(planner, PAGE)) is not kept
    fetched = planner.get(f"{PAGE}/emergency-plan.pdf")
    assert fetched.mimetype == "application/pdf" and len(fetched.get_data()) > 1_000_000
    assert "attachment" in fetched.headers["Content-Disposition"]
    huge = planner.hidden(PAGE) | WRITTEN | {"file": (BytesIO(b"%PDF-" + b"x" * 6_000_000), "plan.pdf")}
    assert planner.post(f"{PAGE}/plan", huge).status_code == 413


@pytest.fixture
def page(rt: Runtime) -> str:
    """The customer's own page, behind its link to sign."""
    with rt.database.write() as session:
        customer = add_customer(session, customer_id="K77")
        outage = add_outage(session, [customer])
        acknowledge.request_for(session, rt, outage, outage.standing, [customer.id], NOW)
        (ack,) = acks.of_revision(session, outage.id, 1)
    return f"/s/{rt.link_token(links.SIGN, ack.id, outage.standing.end)}"


def test_a_customer_proposes_and_the_desk_confirms(
    planner: Person, stranger: Person, rt: Runtime, page: str
) -> None:
    assert f"{page}/plan" in text_of(stranger, page)
    form = WRITTEN | {"signer_name": "Grace Hall", "minimum_notice_hours": "1"}
    assert stranger.send(f"{page}/plan", form).status_code == 303
    assert "waits for our confirmation" in text_of(stranger, f"{page}/plan")
    standing = customer_plans.kept(rt, "K77")
    assert standing.plan.backup_kw == 0 and standing.proposal is not None
    # What the contract says is not the customer's to change.
    assert standing.proposal.minimum_notice_hours == 0
    assert "Hospital by the river" in text_of(planner, "/desk/customers?q=zzz")
    desk = "/desk/customers/K77"
    assert "Grace Hall" in text_of(planner, desk)
    planner.send(f"{desk}/proposal", {"decision": "take"}, page=desk)
    assert customer_plans.kept(rt, "K77").plan.backup_kw == 400
    assert customer_plans.kept(rt, "K77").proposal is None


def test_a_dismissed_proposal_changes_nothing(
    planner: Person, stranger: Person, rt: Runtime, page: str
) -> None:
    stranger.send(f"{page}/plan", WRITTEN | {"signer_name": "Grace Hall"})
    desk = "/desk/customers/K77"
    for _again in range(2):
        planner.send(f"{desk}/proposal", {"decision": "dismiss"}, page=desk)
    assert customer_plans.kept(rt, "K77").plan.backup_kw == 0


def test_a_forged_link_sees_and_proposes_nothing(stranger: Person, rt: Runtime, page: str) -> None:
    forged = page[:-2] + ("AA" if page[-2:] != "AA" else "BB")
    assert stranger.get(f"{forged}/plan").status_code == 404
    token = stranger.hidden(page)["csrf_token"]
    assert (
        stranger.post(f"{forged}/plan", WRITTEN | {"csrf_token": token, "signer_name": "X"}).status_code
        == 404
    )
    stranger.send(f"{page}/plan", WRITTEN | {"signer_name": " "}, page=page)
    assert customer_plans.kept(rt, "K77").proposal is None
