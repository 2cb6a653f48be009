"""The page of papers: read, download in both languages, record, take back; the same by the JSON interface."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from pypdf import PdfReader

from outage_notify.services import announce, long_work, outage_work
from outage_notify.services.runtime import Runtime
from tests.factories import town
from tests.web.conftest import Person
from tests.web.test_web_api import API, Machine


def test_a_dispatcher_reads_records_and_takes_back(planner: Person, rt: Runtime) -> None:
    reference = town.approved(rt)
    path = f"/desk/outages/{reference}/papers"
    shown = planner.get(f"{path}?paper=poster&in=zh-CN").get_data(as_text=True)
    assert "停电通知" in shown and "Public announcement" in shown and "Open" in shown
    form = {"paper": "poster", "language": "zh-CN", "medium": "board", "place": "<b>阳光小区</b>"}
    assert planner.send(path, form).status_code == 303
    after = planner.get(f"{path}?paper=poster").get_data(as_text=True)
    assert "&lt;b&gt;阳光小区&lt;/b&gt;" in after and "<b>阳光小区" not in after
    assert [one["state"] for one in announce.announcements(rt, reference)["duties"]] == ["met"]
    number = announce.announcements(rt, reference)["records"][0]["id"]
    planner.send(f"{path}/{number}/take-back", {"reason": "wrong board"}, page=path)
    assert "wrong board" in planner.get(path).get_data(as_text=True)
    assert [one["state"] for one in announce.announcements(rt, reference)["duties"]] == ["open"]


def test_what_cannot_be_taken_is_refused_and_said(planner: Person, rt: Runtime) -> None:
    reference = town.approved(rt)
    path = f"/desk/outages/{reference}/papers"
    for form in (
        {"medium": "gossip"},
        {"medium": "radio", "at": "2031-01-01T09:00"},
        {"medium": "radio", "at": "x"},
    ):
        planner.send(path, {"paper": "media", "language": "en"} | form)
        assert "note-bad" in planner.get(path).get_data(as_text=True)
    assert announce.announcements(rt, reference)["records"] == []
    assert planner.get(f"{path}/media.exe").status_code == 404
    assert planner.get(f"{path}/rumour.pdf").status_code == 404


def test_papers_come_as_pdf_and_text_in_both_languages(planner: Person, rt: Runtime) -> None:
    reference = town.approved(rt)
    for language, word in (("zh-CN", "停电"), ("en", "Power")):
        for paper in ("poster", "media", "hotline", "plan"):
            pdf = planner.get(f"/desk/outages/{reference}/papers/{paper}.pdf?in={language}")
            assert pdf.mimetype == "application/pdf"
            assert PdfReader(io.BytesIO(pdf.data)).pages
        text = planner.get(f"/desk/outages/{reference}/papers/poster.txt?in={language}")
        assert word in text.get_data(as_text=True)
    letters = planner.get(f"/desk/outages/{reference}/papers/key-customers.pdf")
    assert "City Water Works" in "".join(p.extract_text() for p in PdfReader(io.BytesIO(letters.data)).pages)


def test_who_may_only_look_reads_and_records_nothing(app: Flask, rt: Runtime) -> None:
    reference = town.approved(rt)
    looker = Person(app).sign_in(town.LOOKER)
    path = f"/desk/outages/{reference}/papers"
    assert 'name="medium"' not in looker.get(path).get_data(as_text=True)
    form = {"paper": "media", "language": "en", "medium": "radio"}
    assert looker.send(path, form, page="/desk/").status_code == 403


def test_a_machine_reads_the_papers_and_records(app: Flask, rt: Runtime) -> None:
    reference = town.approved(rt)
    oms = Machine(app, rt, town.PLANNER)
    texts = oms.get(f"{API}/{reference}/papers").json
    said = {"paper": "media", "medium": "newspaper", "language": "en", "place": "The Daily"}
    wrong = oms.post(f"{API}/{reference}/announce", said | {"sha256": "0" * 64})
    assert wrong.status_code == 409
    right = oms.post(f"{API}/{reference}/announce", said | {"sha256": texts["media"]["en"]["sha256"]})
    assert right.json["announcements"]["duties"][0]["state"] == "met"
    assert right.json["announcements"]["records"][0]["place"] == "The Daily"
    assert oms.post(f"{API}/{reference}/announce", said | {"medium": "gossip"}).status_code == 422
    assert oms.get(f"{API}/{reference}/checks").json["announcements"][0]["state"] == "met"


def test_all_papers_are_made_by_the_worker_and_fetched(rt: Runtime, planner: Person) -> None:
    reference = town.approved(rt)
    papers = f"/desk/outages/{reference}/papers"
    page = planner.send(f"{papers}/all", {}, papers).headers["Location"]
    waiting = planner.get(page).get_data(as_text=True)
    assert f'data-poll="{page}/state"' in waiting and "<progress" in waiting
    assert planner.get(f"{page}/state").headers["X-Over"] == "0"
    assert planner.get(f"{page}/file").status_code == 404
    # Asked for twice, it is made once; a reload and the papers' page lead to the same bar.
    assert planner.send(f"{papers}/all", {}, papers).headers["Location"] == page
    assert page in planner.get(papers).get_data(as_text=True)
    long_work.work_due(rt)
    assert planner.get(f"{page}/state").headers["X-Over"] == "1"
    answer = planner.get(f"{page}/file")
    assert answer.mimetype == "application/zip" and answer.data[:2] == b"PK"
    assert planner.get(page.replace("/work/", "/admin/imports/")).status_code == 403


def test_a_big_approval_is_left_to_the_worker(
    rt: Runtime, approver: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage_work, "MANY", 5)
    reference = town.submitted(rt)
    outage = f"/desk/outages/{reference}"
    page = approver.send(f"{outage}/approve", {}, outage).headers["Location"]
    assert page.startswith("/desk/work/")
    shown = approver.get(outage).get_data(as_text=True)
    assert page in shown and f"{outage}/approve" not in shown
    long_work.work_due(rt)
    assert "The notices are on their way" in approver.get(page).get_data(as_text=True)
    assert "Approve</button>" not in approver.get(outage).get_data(as_text=True)
