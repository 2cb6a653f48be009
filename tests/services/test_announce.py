"""Records of announcements: the words of then, counted by the policy; the plan notice to the offices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from channels.model import Language
from channels.papers import Paper
from outage_notify.domain.announcement import Medium
from outage_notify.domain.audience import Tier
from outage_notify.domain.errors import Conflict, IllegalMove, InvalidInput, NotPermitted
from outage_notify.services import announce, approve_outage, papers, plan_outage, run_outage
from outage_notify.services.announce import Announced
from outage_notify.services.send_plan_notice import send_plan_notice
from outage_notify.services.users import add_user
from tests.factories.world import World, world

EN, ZH = Language.EN, Language.ZH
OFFICES = "office@grid.example, stations@grid.example"


@pytest.fixture
def city(migrated_url: str, tmp_path: Path) -> Iterator[World]:
    with world(migrated_url, tmp_path, PLAN_NOTICE_TO=OFFICES) as made:
        for number in range(12):
            made.customer(tier=Tier.LOW_VOLTAGE, places=(f"{number + 1} River Road",))
        made.customer(tier=Tier.LOW_VOLTAGE, places=("Villa Anna",))
        made.customer(tier=Tier.LOW_VOLTAGE, places=("7 Lonely Lane",))
        yield made


def said(**more: object) -> Announced:
    given = {"paper": Paper.MEDIA, "medium": Medium.WEBSITE, "language": EN}
    return Announced(**(given | more))  # type: ignore[arg-type]


def states(city: World, reference: str) -> list[str]:
    return [one["state"] for one in announce.announcements(city.rt, reference)["duties"]]


def test_the_paper_names_streets_and_never_a_house(city: World) -> None:
    reference = city.approved()
    for which in (Paper.HOTLINE, Paper.MEDIA, Paper.POSTER):
        text = papers.paper(city.rt, reference, which, EN).text
        assert "River Road" in text and "single houses" in text
        for hidden in ("Villa", "Lonely", "line:2"):
            assert hidden not in text, which
        assert not re.search(r"\d+ (River|Lonely)", text), which
    assert "line:2" in papers.paper(city.rt, reference, Paper.PLAN, EN).text


def test_a_record_in_time_meets_the_duty_and_one_taken_back_does_not(city: World) -> None:
    reference = city.submitted()
    with pytest.raises(IllegalMove, match="not approved"):
        announce.announce(city.rt, "petra", reference, said())
    seen = approve_outage.preflight(city.rt, reference)
    assert [one.state.value for one in seen.announcements] == ["open"]
    assert not [one for one in seen.unmet_duties if "public_announcement" in one]
    approve_outage.approve(city.rt, "anton", reference)
    assert states(city, reference) == ["open"]
    number = announce.announce(city.rt, "petra", reference, said(place="https://grid.example"))
    assert announce.announce(city.rt, "petra", reference, said(place="https://grid.example")) == number
    assert states(city, reference) == ["met"]
    (row,) = announce.announcements(city.rt, reference)["records"]
    made = papers.paper(city.rt, reference, Paper.MEDIA, EN)
    assert (row["sha256"], row["text"]) == (made.sha256, made.text)
    with pytest.raises(InvalidInput):
        announce.take_back(city.rt, "petra", number, " ")
    announce.take_back(city.rt, "petra", number, "wrong page")
    assert states(city, reference) == ["open"]


def test_an_announcement_after_the_deadline_is_on_record_and_late(city: World) -> None:
    reference = city.approved()
    city.turn_to(city.monday + timedelta(days=5))
    announce.announce(city.rt, "petra", reference, said())
    assert states(city, reference) == ["late"]
    city.turn_to(city.monday + timedelta(days=10, minutes=1))
    run_outage.start(city.rt, "petra", reference)
    with city.rt.database.read() as session:
        from outage_notify.store.work_tables import Event

        (event,) = session.query(Event).filter(Event.what == "started").all()
        assert ["public_announcement" in one for one in event.detail["unannounced"]] == [True]


def test_a_moved_window_is_announced_anew_and_a_new_reason_is_not(city: World) -> None:
    reference = city.approved()
    announce.announce(city.rt, "petra", reference, said())
    city.revised(reference, out=("line:2",))
    assert states(city, reference) == ["met"]
    city.revised(reference, days=12)
    assert states(city, reference) == ["open"]
    assert "changed" in papers.paper(city.rt, reference, Paper.MEDIA, EN).sheet.title


def test_a_record_entered_later_holds_the_words_of_then(city: World) -> None:
    reference = city.approved()
    before = papers.paper(city.rt, reference, Paper.MEDIA, EN)
    city.turn_to(city.monday + timedelta(hours=5))
    then = city.monday + timedelta(hours=1)
    run_outage.cancel(city.rt, "petra", reference, "storm")
    assert "not take place" in papers.paper(city.rt, reference, Paper.MEDIA, EN).text
    with pytest.raises(Conflict):
        announce.announce(city.rt, "petra", reference, said(sha256=before.sha256))
    announce.announce(city.rt, "petra", reference, said(at=then, sha256=before.sha256))
    announce.announce(city.rt, "petra", reference, said())
    rows = announce.announcements(city.rt, reference)["records"]
    assert ["not take place" in one["text"] for one in rows] == [True, False]
    with pytest.raises(InvalidInput, match="future"):
        announce.announce(city.rt, "petra", reference, said(at=city.monday + timedelta(days=9)))
    with pytest.raises(InvalidInput, match="approved only"):
        announce.announce(city.rt, "petra", reference, said(at=city.monday - timedelta(days=9)))


def test_who_may_only_look_records_nothing(city: World) -> None:
    reference = city.approved()
    add_user(city.rt, "guest", "a long enough password", ["readonly"], "G")
    with pytest.raises(NotPermitted):
        announce.announce(city.rt, "guest", reference, said())


def test_the_plan_notice_goes_to_each_office_once(city: World) -> None:
    reference = city.submitted()
    with pytest.raises(IllegalMove):
        send_plan_notice(city.rt, "petra", reference, ZH)
    approve_outage.approve(city.rt, "anton", reference)
    first = send_plan_notice(city.rt, "petra", reference, ZH)
    again = send_plan_notice(city.rt, "petra", reference, ZH)
    assert (first.now, first.before, again.now, again.before) == (2, 0, 0, 2)
    mails = [one["to"] for one in city.ledger(channel="email")]
    assert sorted(mails) == ["office@grid.example", "stations@grid.example"]
    plan_outage.revise(city.rt, "petra", reference, city.request(days=12))
    assert send_plan_notice(city.rt, "petra", reference, ZH).now == 0
    plan_outage.submit(city.rt, "petra", reference)
    approve_outage.approve(city.rt, "anton", reference)
    assert send_plan_notice(city.rt, "petra", reference, ZH).now == 2
