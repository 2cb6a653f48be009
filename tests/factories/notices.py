"""Facts of a notice in both languages, as a service would hand them over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from channels.model import Language, NoticeFacts, PlaceLine

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
LINK = "https://grid.example/a/Zm9yZ2VkIHRva2VuIGZvciBhIHRlc3Q"

ENGLISH = NoticeFacts(
    kind="SEVEN_DAY",
    language=Language.EN,
    reference="PO-2026-0417",
    revision=1,
    short_ref="K7F3Q2",
    utility="Oberrhein Grid",
    reason="replacement of the 20 kV cable",
    places=(PlaceLine("Mill Lane 3"), PlaceLine("School Road 1")),
    start=datetime(2026, 8, 17, 8, 0, tzinfo=BERLIN),
    end=datetime(2026, 8, 17, 16, 30, tzinfo=BERLIN),
    customer_name="J. Smith",
    hotline="0800 555 0100",
    grid_manager="A. Weber",
    grid_manager_phone="0555 0199",
)
CHINESE = replace(
    ENGLISH,
    language=Language.ZH,
    utility="南江供电公司",
    reason="10kV滨河线电缆更换",
    places=(PlaceLine("滨河路3号"), PlaceLine("学校路1号")),
    start=datetime(2026, 8, 17, 8, 0, tzinfo=SHANGHAI),
    end=datetime(2026, 8, 17, 16, 30, tzinfo=SHANGHAI),
    customer_name="王芳",
    hotline="95598",
    grid_manager="李伟",
)
BOTH = [ENGLISH, CHINESE]


def of_kind(facts: NoticeFacts, kind: str) -> NoticeFacts:
    """The facts as a service would give them for a notice of this kind."""
    day = timedelta(days=1)
    return replace(
        facts,
        kind=kind,
        old_start=facts.start - day if kind == "CHANGED" else None,
        old_end=facts.end - day if kind == "CHANGED" else None,
        expected_end=facts.end + timedelta(hours=2) if kind == "OVERRUN" else None,
        restored_at=facts.end if kind == "RESTORED" else None,
    )
