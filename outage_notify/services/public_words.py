"""The few words that the open data say in both languages: phases, kinds, and what each step means."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from channels.model import Language
from channels.wording import Words
from outage_notify.services.public_facts import Phase, PublicOutage, Step, text_of

ZH, EN = Language.ZH.value, Language.EN.value
LANGUAGES = (ZH, EN)

PHASES = {
    ZH: {
        Phase.PLANNED: "计划停电",
        Phase.ACTIVE: "停电进行中",
        Phase.OVERRUN: "停电延时",
        Phase.RESTORED: "已恢复供电",
        Phase.CANCELLED: "停电已取消",
    },
    EN: {
        Phase.PLANNED: "Planned power outage",
        Phase.ACTIVE: "Power outage under way",
        Phase.OVERRUN: "Power outage taking longer",
        Phase.RESTORED: "Supply restored",
        Phase.CANCELLED: "Power outage cancelled",
    },
}
STEPS = {
    ZH: {
        Step.ANNOUNCED: "停电公告",
        Step.MOVED: "停电时间变更",
        Step.CHANGED: "停电范围或原因变更",
        Step.STARTED: "停电开始",
        Step.OVERRUN: "停电延时",
        Step.RESTORED: "恢复供电",
        Step.CANCELLED: "停电取消",
    },
    EN: {
        Step.ANNOUNCED: "Power outage announced",
        Step.MOVED: "Power outage moved",
        Step.CHANGED: "Power outage changed",
        Step.STARTED: "Power outage started",
        Step.OVERRUN: "Power outage taking longer",
        Step.RESTORED: "Supply restored",
        Step.CANCELLED: "Power outage cancelled",
    },
}
EXPECTED = {ZH: "预计恢复供电：{}", EN: "Supply is expected back: {}"}
REASON = {ZH: "原因：{}", EN: "Reason: {}"}
CUSTOMERS = {ZH: "约 {} 户", EN: "About {} customers"}
FEW = {ZH: "少于 10 户", EN: "Fewer than 10 customers"}
NAME = {ZH: "{} 计划停电", EN: "{}: planned power outages"}
SEPARATOR = {ZH: "：", EN: ": "}


def title(one: PublicOutage, language: str) -> str:
    """Phase and area, in a line."""
    return PHASES[language][one.phase] + SEPARATOR[language] + one.name


def window(one: PublicOutage, start: datetime, end: datetime, language: str) -> str:
    """From-to in the outage's own zone, which is named."""
    zone = ZoneInfo(one.timezone)
    words, begin = Words(Language(language)), start.astimezone(zone)
    return f"{words.window_long(begin, end.astimezone(zone))} ({words.zone(begin)})"


def lines(one: PublicOutage, language: str) -> list[str]:
    """All that there is to say about an outage, a fact per line."""
    found = [window(one, one.start, one.end, language)]
    if one.expected_end is not None and one.ended_at is None:
        moment = one.expected_end.astimezone(ZoneInfo(one.timezone))
        found.append(EXPECTED[language].format(f"{moment:%Y-%m-%d %H:%M}"))
    reason = text_of(one.reason, language)
    if reason:
        found.append(REASON[language].format(reason))
    found.append(FEW[language] if one.customers is None else CUSTOMERS[language].format(one.customers))
    return found
