"""The calendar of holidays: by name in both languages, with days of the utility's own that deadlines reckon with."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from outage_notify import policies
from outage_notify.domain.audience import Tier
from outage_notify.domain.calendar import DaysOff, business_days_before
from outage_notify.domain.outage import OutageKind
from outage_notify.services import calendar_days
from outage_notify.services.runtime import Runtime
from outage_notify.services.users import add_user
from outage_notify.store.work_tables import Event
from tests.factories import town
from tests.factories.runtimes import make_runtime
from tests.web.conftest import Person

CALENDAR = "/desk/admin/calendar"


def test_holidays_stand_there_by_name_in_both_languages(app: Flask) -> None:
    page = Person(app, "zh-CN").sign_in(town.ADMIN).get(f"{CALENDAR}?year=2026").get_data(as_text=True)
    assert "春节" in page and "2026-02-14" in page and "调休上班" in page
    page = Person(app).sign_in(town.ADMIN).get(f"{CALENDAR}?year=2026").get_data(as_text=True)
    assert "Spring Festival" in page and "Made-up workday" in page


@pytest.mark.parametrize(
    ("policy", "name"),
    [
        ("it", "Liberation Day"),
        ("au:NSW", "Labour Day"),
        ("ie", "Saint Patrick's Day"),
        ("cn", "Tomb-Sweeping Day"),
    ],
)
def test_holidays_of_any_country_have_english_names(policy: str, name: str) -> None:
    """Its own English where it has one: a Labour Day is no Labor Day."""
    assert name in policies.names(policies.load_policy(policy), [2027], "en").values()


def test_a_day_is_entered_seen_and_taken_out(app: Flask, rt: Runtime) -> None:
    admin = Person(app).sign_in(town.ADMIN)
    form = {"day": "2027-05-08", "workday": "1", "name_zh": "劳动节调休", "name_en": ""}
    assert admin.send(CALENDAR, form).status_code == 303
    page = admin.get(f"{CALENDAR}?year=2027").get_data(as_text=True)
    assert "劳动节调休" in page and town.ADMIN in page
    twice = admin.send(CALENDAR, form)
    assert twice.status_code == 409 and "劳动节调休" in twice.get_data(as_text=True)
    number = next(one.number for one in calendar_days.of_year(rt, 2027) if one.day == date(2027, 5, 8))
    for _ in range(2):
        assert admin.send(f"{CALENDAR}/{number}/remove", page=CALENDAR).status_code == 303
    assert date(2027, 5, 8) not in [one.day for one in calendar_days.of_year(rt, 2027)]
    with rt.database.read() as session:
        words = list(session.scalars(select(Event.what).where(Event.what.like("day_%")).order_by(Event.id)))
    assert words == ["day_entered", "day_taken_out"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"day": "2027-05-07", "workday": "1", "name_zh": "x"}, "is a workday as it is"),
        ({"day": "2027-05-08", "workday": "0", "name_zh": "x"}, "is no workday as it is"),
        ({"day": "2027-05-08", "workday": "1", "name_zh": " "}, "name is missing"),
        ({"day": "soon", "workday": "1", "name_zh": "x"}, "not a date"),
        ({"day": "2999-05-08", "workday": "1", "name_zh": "x"}, "too far away"),
    ],
)
def test_what_can_not_be_meant_is_refused_with_its_reason(
    app: Flask, form: dict[str, str], said: str
) -> None:
    answer = Person(app).sign_in(town.ADMIN).send(CALENDAR, form)
    assert answer.status_code == 422 and said in answer.get_data(as_text=True)


def test_business_days_reckon_with_it(database_url: str, tmp_path: Path) -> None:
    rt = make_runtime(database_url, tmp_path, policy="it")
    start = datetime(2027, 6, 11, 7, tzinfo=UTC)  # a Friday; three business days before is the Tuesday
    add_user(rt, "xu.li", "a long enough password", ["admin"])

    def deadline() -> date:
        with rt.database.read() as session:
            duties = rt.policy.duties(
                OutageKind.PLANNED,
                start,
                rt.zone,
                tier=Tier.LOW_VOLTAGE,
                holidays=rt.holidays(session, start),
            )
        return min(one.deadline for one in duties).astimezone(rt.zone).date()

    assert deadline() == date(2027, 6, 8)
    calendar_days.add(rt, "xu.li", date(2027, 6, 9), False, "厂休", "Works holiday")
    assert deadline() == date(2027, 6, 7)
    number = calendar_days.add(rt, "xu.li", date(2027, 6, 5), True, "", "Worked Saturday")
    assert deadline() == date(2027, 6, 7)
    calendar_days.add(rt, "xu.li", date(2027, 6, 7), False, "", "Bridge")
    assert deadline() == date(2027, 6, 5)
    calendar_days.remove(rt, "xu.li", number)
    assert deadline() == date(2027, 6, 4)


def test_declared_workdays_of_the_country_count() -> None:
    china = policies.load_policy("cn")
    found = policies.days_off(china, [2026])
    assert date(2026, 2, 14) in found.workdays and date(2026, 2, 14) not in found
    assert business_days_before(date(2026, 2, 24), 1, found) == date(2026, 2, 14)
    # The utility's own word is the later one.
    assert date(2026, 2, 14) not in policies.days_off(china, [2026], [(date(2026, 2, 14), False)]).workdays


def test_a_day_is_never_both() -> None:
    both = DaysOff.of([date(2026, 5, 9)], [date(2026, 5, 9)])
    assert date(2026, 5, 9) not in both and date(2026, 5, 9) in both.workdays
