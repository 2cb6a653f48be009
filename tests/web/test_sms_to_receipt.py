"""From the text message in the simulator to the PDF of the receipt, on a telephone's screen, in both languages."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from shutil import which

import pytest
from playwright.sync_api import Browser, expect
from pypdf import PdfReader

from channels.model import Channel, Language
from outage_notify.domain.audience import Tier
from tests.factories.world import World


@pytest.fixture
def world(_migrated_sqlite: Path, tmp_path: Path) -> Iterator[World]:
    database = tmp_path / "world.db"
    database.write_bytes(_migrated_sqlite.read_bytes())
    # The browser's driver keeps an event loop in this thread, and the simulator starts one of its own.
    with ThreadPoolExecutor(1) as other:
        world = other.submit(World, f"sqlite:///{database}", tmp_path).result()
        yield world
        other.submit(world.close).result()


def words_of(pdf: Path) -> str:
    """The text of a PDF by a stock reader's tool, or by pypdf where there is none; blanks and line ends left out."""
    tool = which("pdftotext")
    if tool:
        command = [tool, "-enc", "UTF-8", str(pdf), "-"]
        text = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()
    else:
        text = "".join(page.extract_text() for page in PdfReader(BytesIO(pdf.read_bytes())).pages)
    return "".join(text.split())


@pytest.mark.parametrize(
    ("language", "locale", "name", "button", "words"),
    [
        (Language.ZH, "zh-CN", "周建国", "签收：我已收到此通知", ("市第一人民医院", "周建国", "停电")),
        (Language.EN, "en", "Grace Hall", "Sign: I have received this notice", ("GraceHall", "Riverside")),
    ],
    ids=["zh-CN", "en"],
)
def test_from_the_text_message_to_the_receipt(
    world: World,
    chromium: Browser,
    language: Language,
    locale: str,
    name: str,
    button: str,
    words: tuple[str, ...],
) -> None:
    hospital = "市第一人民医院" if language is Language.ZH else "City Hospital"
    customer = world.customer(tier=Tier.FIRST, name=hospital, language=language)
    reference = world.approved()
    world.first_wave()
    (text,) = world.ledger(world.address(customer, Channel.SMS))
    link = re.search(r"http://\S+?/s/[\w-]+", text["text"])
    assert link is not None, text["text"]
    context = chromium.new_context(locale=locale, viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(link[0])
    assert world.signatures(customer) == ["REQUESTED"]  # opening signs nothing
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.fill("#signer_name", name)
    page.get_by_role("button", name=button).tap()
    expect(page.locator("#receipt")).to_contain_text(name)
    with page.expect_download() as download:
        page.locator("#receipt a", has_text="PDF").first.click()
    found = words_of(download.value.path())
    for word in (*words, reference, name.replace(" ", "")):
        assert word in found, found
    assert world.signatures(customer) == ["ACKNOWLEDGED"]
    # What was sent, as the customer sees it.
    page.locator("#sent summary").tap()
    expect(page.locator("#sent li").first).to_be_visible()
    context.close()
