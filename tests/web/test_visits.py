"""A grid manager's round: the order, the signature on the screen, a photograph, and what is refused in words."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO

import pytest
from flask import Flask
from PIL import ExifTags, Image, ImageDraw
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from channels.signing import verify_receipt
from outage_notify.domain.acknowledgement import AckState
from outage_notify.domain.errors import InvalidInput
from outage_notify.services import acknowledge, pictures, receipts, visits
from outage_notify.services.runtime import Runtime
from outage_notify.store import visit_queries
from outage_notify.store.acknowledgement_tables import Acknowledgement, AnswerPhoto, SignedReceipt
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer
from outage_notify.store.work_queries import open_task
from outage_notify.store.work_tables import Task, TaskKind
from tests.factories import town
from tests.factories.people import NOW
from tests.web.conftest import Person
from tests.web.test_desk_browser import AXE, FITS, RULES, SIZES

ROUND = "/desk/visits"
SIGNED = {"state": "ACKNOWLEDGED", "signer_name": "周建国", "signer_role": "电气主管"}


@pytest.fixture
def tasks(rt: Runtime) -> dict[str, int]:
    """Visits to all who have to sign, the nursing home most urgent: customer to task."""
    reference = town.approved(rt)
    with rt.database.write() as session:
        outage = session.scalars(select(Outage).where(Outage.reference == reference)).one()
        manager = visit_queries.managers(session)[0]
        for customer in ("N1", "H1", "W1", "L1"):
            found = session.scalars(select(Customer).where(Customer.customer_id == customer)).one()
            open_task(
                session,
                TaskKind.VISIT,
                f"visit:{customer}",
                NOW,
                outage=outage.id,
                customer=found.id,
                grid_manager=manager.id,
                due_at=outage.standing.start if customer != "N1" else NOW,
            )
        rows = session.execute(
            select(Customer.customer_id, Task.id).join(Task, Task.customer_ref == Customer.id)
        )
        return dict(rows.all())  # type: ignore[arg-type]


@pytest.fixture
def field(app: Flask) -> Person:
    return Person(app).sign_in(town.FIELD)


def picture(kind: str = "JPEG", size: tuple[int, int] = (3000, 2000), **more: object) -> bytes:
    out = BytesIO()
    Image.radial_gradient("L").resize(size).convert("RGB").save(out, kind, **more)
    return out.getvalue()


def with_place() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "a phone"
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (31.0, 13.0, 48.0), 3: "E", 4: (121.0, 28.0, 12.0)}
    return picture(exif=exif)


def drawn() -> str:
    paper = Image.new("RGBA", (700, 350), (0, 0, 0, 0))
    ImageDraw.Draw(paper).line([(40, 300), (300, 40), (660, 310)], fill=(17, 17, 17, 255), width=5)
    out = BytesIO()
    paper.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def receipt(rt: Runtime) -> SignedReceipt:
    with rt.database.read() as session:
        return session.scalars(select(SignedReceipt)).one()


def test_the_round_goes_from_the_most_urgent_door_always_to_the_nearest(
    rt: Runtime, tasks: dict[str, int]
) -> None:
    found = visits.round_of(rt)
    # Stations 6, 5, 4 and 3 of one street: from its far end back, 285 metres each.
    assert [one.customer.customer_id for one in found] == ["N1", "W1", "H1", "L1"]
    assert found[0].metres is None
    assert all(280 < (one.metres or 0) < 290 for one in found[1:])
    assert visits.round_of(rt, 999) == []


def test_a_grid_manager_finds_the_own_round_with_numbers_to_call(
    field: Person, tasks: dict[str, int]
) -> None:
    page = field.get(ROUND).get_data(as_text=True)
    assert page.count("At the door") == 4 and 'href="tel:+4930' in page
    assert " selected>赵敏" in page
    assert field.get("/desk/plan").status_code == 403


def test_signature_and_photograph_are_kept_and_the_receipt_names_both(
    field: Person, planner: Person, rt: Runtime, tasks: dict[str, int]
) -> None:
    page = f"{ROUND}/{tasks['H1']}"
    assert "市第一人民医院" in field.get(page).get_data(as_text=True)
    form = SIGNED | {"signature": drawn(), "photo": (BytesIO(with_place()), "IMG_1.jpg")}
    assert field.send(page, form).headers["Location"] == ROUND
    details = verify_receipt(receipt(rt).jws, rt.signing_key.public_jwks).details
    scan = planner.get("/desk/customers/H1/scans/1")
    photo = planner.get("/desk/customers/H1/photos/1")
    assert details["scan_sha256"] == sha256(scan.get_data()).hexdigest() and scan.mimetype == "image/png"
    assert details["photo_sha256"] == sha256(photo.get_data()).hexdigest()
    assert details["signature"] == "drawn on the screen"
    with Image.open(BytesIO(photo.get_data())) as kept:
        assert kept.size == (1067, 1600), "upright, and smaller"
        assert not kept.getexif()
    listed = planner.get("/desk/customers/H1").get_data(as_text=True)
    assert "/desk/customers/H1/photos/1" in listed and "/desk/customers/H1/scans/1" in listed
    assert planner.get("/desk/customers/W1/photos/1").status_code == 404
    assert tasks["H1"] not in [one.task.id for one in visits.round_of(rt)]
    assert receipts.verify_database(rt).ok
    with rt.database.write() as session:
        session.scalars(select(AnswerPhoto)).one().content = picture()
    assert "photograph" in str(receipts.verify_database(rt))


def test_the_name_alone_is_enough_and_a_refusal_needs_a_witness(
    field: Person, rt: Runtime, tasks: dict[str, int]
) -> None:
    page = f"{ROUND}/{tasks['W1']}"
    refused = {"state": "REFUSED", "signer_name": "Ms Hall", "reason": "Not in <b>July</b>"}
    again = field.send(page, refused)
    assert again.status_code == 422
    kept = again.get_data(as_text=True)
    assert "witness" in kept and 'value="Ms Hall"' in kept and "Not in &lt;b&gt;July" in kept
    assert field.send(page, refused | {"witness": "赵敏"}).status_code == 303
    details = verify_receipt(receipt(rt).jws, rt.signing_key.public_jwks).details
    assert details["witness"] == "赵敏" and "scan_sha256" not in details
    assert field.send(f"{ROUND}/{tasks['L1']}", SIGNED).status_code == 303
    gone = field.post(page, field.hidden(ROUND) | SIGNED)
    assert gone.headers["Location"] == ROUND, "somebody was faster"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (picture()[:5000], "can&#39;t be read"),
        (b"%PDF-1.7 no picture", "can&#39;t be read"),
        (picture("GIF", (10, 10)), "can&#39;t be read"),
        (b"\xff\xd8\xff" + random.Random(1).randbytes(50 << 20), "larger than 25 MB"),
    ],
    ids=["cut off", "a document", "another format", "50 MB"],
)
def test_a_photograph_that_is_none_is_refused_in_words_and_nothing_typed_is_lost(
    field: Person, rt: Runtime, tasks: dict[str, int], content: bytes, words: str
) -> None:
    form = SIGNED | {"photo": (BytesIO(content), "IMG_1.jpg")}
    answer = field.send(f"{ROUND}/{tasks['H1']}", form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and words in page and 'value="周建国"' in page
    with rt.database.read() as session:
        assert session.scalars(select(SignedReceipt)).all() == []


def test_where_it_was_taken_stays_only_if_it_is_wished() -> None:
    with Image.open(BytesIO(pictures.photo(with_place(), keep_place=True))) as kept:
        exif = kept.getexif()
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[1] == "N" and ExifTags.Base.Model not in exif
    assert b"GPS" not in pictures.photo(with_place()) and b"a phone" not in pictures.photo(with_place())


@pytest.mark.parametrize("data", ["nonsense", "data:image/png;base64,AAAA", "data:image/png;base64,%%%"])
def test_a_signature_that_is_none_is_refused(data: str) -> None:
    with pytest.raises(InvalidInput):
        pictures.signature(data)


def test_an_empty_field_is_no_signature() -> None:
    out = BytesIO()
    Image.new("RGBA", (700, 350), (0, 0, 0, 0)).save(out, "PNG")
    assert pictures.signature("data:image/png;base64," + base64.b64encode(out.getvalue()).decode()) == b""
    assert pictures.signature("") == b""
    assert pictures.signature(drawn()).startswith(b"\x89PNG")


@pytest.fixture
def phone(chromium: Browser, served: str) -> Iterator[Page]:
    context = chromium.new_context(locale="zh-CN", viewport=SIZES["phone"], has_touch=True, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{served}/desk/sign-in")
    page.fill("#username", town.FIELD)
    page.fill("#password", town.PASSWORD)
    page.click("main button")
    yield page
    context.close()


def test_signed_with_the_finger_where_the_network_comes_and_goes(
    phone: Page, served: str, rt: Runtime, tasks: dict[str, int]
) -> None:
    phone.goto(served + ROUND)
    assert phone.evaluate(FITS)
    phone.evaluate(AXE)
    assert phone.evaluate(RULES) == []
    phone.get_by_role("link", name="上门办理").nth(2).click()
    phone.fill("#signer_name", "周建国")
    phone.locator("canvas").scroll_into_view_if_needed()
    box = phone.locator("canvas").bounding_box()
    assert box is not None
    phone.mouse.move(box["x"] + 20, box["y"] + 100)
    phone.mouse.down()
    phone.mouse.move(box["x"] + 150, box["y"] + 30, steps=5)
    phone.mouse.move(box["x"] + 280, box["y"] + 120, steps=5)
    phone.mouse.up()
    assert phone.evaluate(FITS)
    phone.evaluate(AXE)
    assert phone.evaluate(RULES) == []
    phone.context.set_offline(True)
    phone.get_by_role("button", name="登记").click()
    expect(phone.locator("[data-said]")).to_contain_text("无网络")
    phone.context.set_offline(False)
    phone.reload()
    assert phone.input_value("#signer_name") == "周建国"
    phone.wait_for_function("document.querySelector('[name=signature]').value.length > 100")
    phone.get_by_role("button", name="登记").click()
    expect(phone.locator("main")).to_contain_text("1")
    expect(phone).to_have_url(served + ROUND)
    details = verify_receipt(receipt(rt).jws, rt.signing_key.public_jwks).details
    assert details["signature"] == "drawn on the screen" and "scan_sha256" in details
    with rt.database.read() as session:
        row = session.scalars(
            select(Acknowledgement).where(Acknowledgement.state == AckState.ACKNOWLEDGED)
        ).one()
        assert (row.signer_name, row.way) == ("周建国", acknowledge.AckWay.VISIT)
