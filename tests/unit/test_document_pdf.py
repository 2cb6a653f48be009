"""The papers: what a PDF reader finds in them, and that nobody can write code into them."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from channels import document
from channels.document import letter_batch_pdf, missing_fonts, notice_pdf, receipt_pdf
from channels.model import Language, NoticeFacts, PlaceLine
from channels.render import render_notice_text, text_sha256

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHINESE = NoticeFacts(
    kind="SEVEN_DAY",
    language=Language.ZH,
    reference="PO-2026-0417",
    revision=2,
    short_ref="K7F3Q2",
    utility="南江供电公司",
    reason="10kV滨河线电缆更换",
    places=(PlaceLine("滨河路三号"), PlaceLine("学校路一号", "REDUCED_REDUNDANCY")),
    start=datetime(2026, 8, 17, 8, 0, tzinfo=SHANGHAI),
    end=datetime(2026, 8, 17, 16, 30, tzinfo=SHANGHAI),
    customer_name="南江市第一人民医院",
    customer_kind="hospital",
    is_key=True,
    hotline="95598",
    grid_manager="李伟",
    grid_manager_phone="555-0199",
    sign_url="https://grid.example/a/Zm9yZ2Vk",
    law="《电力供应与使用条例》第二十八条",
)
ENGLISH = replace(
    CHINESE,
    language=Language.EN,
    utility="Oberrhein Grid",
    reason="cable replacement",
    places=(PlaceLine("Mill Lane 3"),),
    customer_name="City Hospital",
    grid_manager="A. Weber",
    law="SI 2015/699 reg. 12",
)
RECEIPT = {
    "language": "zh-CN",
    "utility": "南江供电公司",
    "customer": "C-1007",
    "customer_name": "南江市第一人民医院",
    "outage": "PO-2026-0417",
    "revision": 2,
    "signer_name": "王芳",
    "signer_role": "值班电工",
    "way": "link",
    "answer": "ACKNOWLEDGED",
    "at": "2026-08-10 10:04:05 (UTC+8)",
    "sequence": 42,
    "previous": "ab" * 32,
    "text_sha256": "cd" * 32,
    "sha256": "ef" * 32,
    "kid": "key-1",
    "verify_url": "https://grid.example/verify/42",
    "text": render_notice_text(CHINESE),
    "details": {"witness": "赵强"},
}


def pages(pdf: bytes) -> list[str]:
    """Each page's text without blanks: a reader puts some between Chinese and Latin letters."""
    return ["".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def fonts(pdf: bytes) -> set[str]:
    found = set()
    for page in PdfReader(io.BytesIO(pdf)).pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            found.add(str(font["/BaseFont"]).split("+")[-1])
    return found


def test_the_chinese_notice_reads_as_one() -> None:
    (text,) = pages(notice_pdf(CHINESE))
    for part in (
        "停电通知书",
        "PO-2026-0417（第2版）",
        "2026年8月17日（星期一）08:00至16:30",
        "10kV滨河线电缆更换",
        "滨河路三号：停电",
        "学校路一号：其中一路电源停电",
        "李伟555-0199",
        "95598",
        "医院：",
        "《电力供应与使用条例》第二十八条",
        "签收栏",
        "拒绝签收",
        "扫码查看并签收",
        text_sha256(render_notice_text(CHINESE)),
    ):
        assert part.replace(" ", "") in text, part


def test_the_english_notice_reads_as_one() -> None:
    (text,) = pages(notice_pdf(ENGLISH))
    for part in (
        "Notice of planned supply interruption",
        "Monday 17 August 2026, 08:00 to 16:30",
        "Mill Lane 3: no supply",
        "Acknowledgement of receipt",
        "SI 2015/699 reg. 12",
    ):
        assert part.replace(" ", "") in text, part


def test_only_the_bundled_fonts_are_used_and_none_is_missing() -> None:
    assert missing_fonts() == []
    used = fonts(notice_pdf(CHINESE)) | fonts(notice_pdf(ENGLISH)) | fonts(receipt_pdf(RECEIPT))
    assert used == {"DroidSansFallback", "DejaVuSansCondensed", "DejaVuSansCondensed-Bold"}


def test_a_missing_font_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "FONTS", tmp_path)
    assert "DroidSansFallbackFull.ttf" in missing_fonts()


def test_the_same_facts_are_the_same_bytes() -> None:
    assert notice_pdf(CHINESE) == notice_pdf(CHINESE)
    assert receipt_pdf(RECEIPT) == receipt_pdf(RECEIPT)
    assert notice_pdf(CHINESE) != notice_pdf(replace(CHINESE, revision=3))


def test_each_letter_of_a_batch_begins_on_its_own_page_and_counts_its_own_pages() -> None:
    many = replace(ENGLISH, places=tuple(PlaceLine(f"Meter house {number}") for number in range(60)))
    found = pages(letter_batch_pdf([CHINESE, many, ENGLISH]))
    starts = [
        number for number, text in enumerate(found) if "停电通知书" in text or "Noticeofplanned" in text
    ]
    assert len(starts) == 3 and starts[0] == 0 and starts[1] == 1
    assert starts[2] == len(found) - 1 >= 3
    last = len(found) - 2
    assert (
        "1/1" in found[0]
        and f"1/{last}" in found[1]
        and f"{last}/{last}" in found[last]
        and "1/1" in found[-1]
    )
    assert "Meterhouse59" in "".join(found[1:-1])
    with pytest.raises(ValueError):
        letter_batch_pdf([])


def test_typed_text_is_never_run() -> None:
    evil = '#read("house.typ") #panic("x") $x$ *b* _i_ \\ @label <l> `raw` "quote" \u2028#pagebreak()'
    facts = replace(
        ENGLISH, reason=evil, customer_name=evil, utility=evil, law=evil, places=(PlaceLine(evil),), line=evil
    )
    text = "".join(pages(notice_pdf(facts)))
    assert '#read("house.typ")#panic("x")$x$*b*_i_\\@label<l>`raw`"quote"' in text
    receipt = receipt_pdf({**RECEIPT, "signer_name": evil, "text": evil, "details": {evil: evil}})
    assert '#panic("x")' in "".join(pages(receipt))


def test_a_notice_without_optional_facts_still_is_a_letter() -> None:
    bare = replace(
        CHINESE, sign_url="", law="", hotline="", grid_manager="", customer_name="", customer_kind=""
    )
    (text,) = pages(notice_pdf(bare))
    assert "停电通知书" in text and "扫码" not in text and "尊敬的" not in text


def test_a_cancelled_notice_asks_nobody_to_sign() -> None:
    (text,) = pages(notice_pdf(replace(ENGLISH, kind="CANCELLED")))
    assert "Cancelled" in text and "Acknowledgement" not in text and "nosupply" not in text


@pytest.mark.parametrize("language", list(Language))
def test_the_receipt_says_who_what_how_and_where_to_check(language: Language) -> None:
    (text,) = pages(receipt_pdf({**RECEIPT, "language": language}))
    for part in (
        "王芳",
        "值班电工",
        "PO-2026-0417",
        "C-1007",
        "赵强",
        "ef" * 32,
        "key-1",
        "verify/42",
        "停电通知书",
    ):
        assert part in text, part
    assert ("已收到并签收" in text) == (language is Language.ZH)


@pytest.mark.parametrize(
    ("answer", "by", "means"),
    [
        ("OBJECTED", "异议人", "原定时间有效"),
        ("REFUSED", "拒签人", "由见证人证明"),
    ],
)
def test_a_receipt_of_an_objection_or_refusal_claims_no_signature(answer: str, by: str, means: str) -> None:
    details = {"reason": "手术", "witness": "赵强"}
    said = RECEIPT | {"answer": answer, "details": details, "language": Language.ZH, "text": ""}
    (text,) = pages(receipt_pdf(said))
    assert by in text and means in text and "理由手术" in text
    assert "签收人" not in text and "停电原因" not in text


def test_the_receipt_needs_no_optional_field() -> None:
    optional = ("language", "utility", "customer_name", "sha256", "kid", "verify_url", "text", "details")
    bare = {name: value for name, value in RECEIPT.items() if name not in optional}
    assert json.dumps(bare)  # plain data
    assert "王芳" in pages(receipt_pdf(bare))[0]
