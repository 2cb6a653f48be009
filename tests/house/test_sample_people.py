"""Nobody in the sample data exists: telephone numbers and addresses are those set aside for fiction.

The ranges are the regulators' own: NANPA (555-01xx), Ofcom, ACMA, Bundesnetzagentur and
Arcep each reserve some for films and books. China reserves none.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.house.files import ROOT, tracked

FICTION = re.compile(
    r"""\+(?:
        1[2-9]\d\d55501\d\d                                              # North America
      | 447700900\d{3} | 442079460\d{3} | 44(?:113|114|115|116|117|118|121|131|141|151|161)4960\d{3}
      | 441632960\d{3} | 441914980\d{3} | 442890180\d{3}| 442920180\d{3} | 448081570\d{3}
      | 443069990\d{3}                                                   # United Kingdom
      | 61[2378](?:5550|7010)\d{4} | 61491570(?:006|156|157|158|159|110) # Australia
      | 493023125\d{3} | 494066969\d{3} | 496990009\d{3} | 498999998\d{3} | 492214710\d{3}
      | 4917139200\d\d | 4917604069\d{3}                                 # Germany
      | 33(?:19900|26191|35301|46571|53649|63998)\d{4}                   # France
    )""",
    re.VERBOSE,
)
INTERNATIONAL = re.compile(r"\+\d[\d ()-]{6,18}\d")
CHINESE_MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
ADDRESS = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")
RESERVED = re.compile(r"(?:^|\.)(?:example\.(?:com|net|org)|example|test|invalid)$")


def real_people(text: str) -> list[str]:
    """What looks like a way to reach somebody who exists. Returned masked: it may be true."""
    numbers = [re.sub(r"[ ()-]", "", found) for found in INTERNATIONAL.findall(text)]
    strange = [number[:5] + "..." for number in numbers if not FICTION.fullmatch(number)]
    strange += [number[:3] + "..." for number in CHINESE_MOBILE.findall(text)]
    strange += ["...@" + host for host in ADDRESS.findall(text) if not RESERVED.search(host)]
    return strange


def samples() -> list[Path]:
    """Tables that are shipped; those below tests/ hold bad input on purpose."""
    return [p for p in tracked("*.csv", "*.csv.gz") if p.relative_to(ROOT).parts[0] != "tests"]


def test_nobody_in_the_samples_can_be_reached() -> None:
    strange = {}
    for path in samples():
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
        strange[str(path.relative_to(ROOT))] = sorted(set(real_people(text)))[:10]
    assert {name: found for name, found in strange.items() if found} == {}


@pytest.mark.parametrize(
    ("text", "strange"),
    [
        ("+12125550143,+447700900123,ada@example.com,+49 30 23125 123,+61 491 570 156", []),
        ("+12125551143", ["+1212..."]),
        ("+8613912345678", ["+8613..."]),
        ("13912345678", ["139..."]),
        ("li@mail.example.org wang@city.gov", ["...@city.gov"]),
    ],
)
def test_a_real_number_is_seen(text: str, strange: list[str]) -> None:
    assert real_people(text) == strange
