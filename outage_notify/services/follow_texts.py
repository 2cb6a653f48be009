"""What followers read: the code that proves an address, and news of an outage.

Made of the public's facts alone: no customer, no address, nothing that the map does not show.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from channels.model import Channel, Language, Message, RenderedEmail
from outage_notify.services import public_words
from outage_notify.services.public_facts import PublicOutage, Step, text_of
from outage_notify.services.runtime import Runtime
from outage_notify.store.wave_queries import WaveRow

# Links in messages outlive the message: whoever finds an old mail still gets off the list.
LINK_LIFE = timedelta(days=400)

CODE = {
    Language.EN: "{utility}: your code is {code}. It holds for 15 minutes. "
    "If you did not ask for it, do nothing.",
    Language.ZH: "{utility}：您的验证码是 {code}，15 分钟内有效。如非本人操作，请忽略。",
}
CODE_SUBJECT = {Language.EN: "Your code: {code}", Language.ZH: "您的验证码：{code}"}
STOP_SMS = {Language.EN: "Stop: {url}", Language.ZH: "退订：{url}"}
WHY = {
    Language.EN: "You get this because you asked to be kept told. It is news, not a notice that the law asks for.",
    Language.ZH: "您订阅了停电动态，因此收到本消息。本消息仅为动态，不是法定停电通知。",
}
STOP_MAIL = {Language.EN: "Unsubscribe with one tap:", Language.ZH: "一键退订："}


def code_message(
    rt: Runtime, follower: int, channel: Channel, to: str, language: Language, code: str
) -> Message:
    """The code, as a message of its own that no delivery stands behind."""
    reference = f"C{follower}"
    text = CODE[language].format(utility=rt.settings.utility, code=code)
    email = None
    if channel is Channel.EMAIL:
        html = f'<p lang="{language.value}">{escape(text)}</p>'
        email = RenderedEmail(CODE_SUBJECT[language].format(code=code), text + "\n", html)
    return Message(
        delivery=0,
        channel=channel,
        to=to,
        reference=reference,
        language=language,
        text=text,
        email=email,
        message_id=f"<code.{follower}@{_mail_host(rt)}>",
        valid_for=900,
    )


def news_message(rt: Runtime, row: WaveRow, outage: PublicOutage, now: datetime) -> Message:
    """One piece of news; `row.notice_facts` says which step it tells."""
    settings, language = rt.settings, row.language
    said = language.value
    step = Step(row.notice_facts["step"])
    headline = f"{public_words.STEPS[said][step]}{public_words.SEPARATOR[said]}{outage.name}"
    lines = _lines(row, outage, step, said)
    page = f"{settings.base_url}/outages/{outage.reference}"
    stop = f"{settings.base_url}/u/{rt.link_token('unfollow', row.id, now + LINK_LIFE)}"
    email, text = None, ""
    if row.channel is Channel.EMAIL:
        plain = "\n".join(
            [
                headline,
                "",
                *lines,
                page,
                "",
                WHY[language],
                f"{STOP_MAIL[language]} {stop}",
                row.short_ref,
                "",
            ]
        )
        html = "".join(
            (
                f'<div lang="{said}"><h1 style="font-size:18px">{escape(headline)}</h1>',
                *(f"<p>{escape(line)}</p>" for line in lines),
                f'<p><a href="{escape(page)}">{escape(outage.reference)}</a></p>',
                f'<p style="color:#555">{escape(WHY[language])} {escape(STOP_MAIL[language])} ',
                f'<a href="{escape(stop)}">{escape(stop)}</a></p><p>{escape(row.short_ref)}</p></div>',
            )
        )
        email = RenderedEmail(headline, plain, html)
    else:
        parts = [f"{settings.utility}{public_words.SEPARATOR[said]}{headline}", *lines[:1], page]
        text = "\n".join([*parts, f"{STOP_SMS[language].format(url=stop)} {row.short_ref}"])
    token = rt.link_token("callback", row.id, now + timedelta(days=7))
    return Message(
        delivery=row.id,
        channel=row.channel,
        to=row.address,
        reference=row.short_ref,
        language=language,
        text=text,
        email=email,
        callback_url=f"{settings.base_url}/webhooks/twilio/status/{token}",
        report_url=f"{settings.base_url}/webhooks/report/{token}",
        message_id=f"<{row.short_ref.lower()}.{row.id}@{_mail_host(rt)}>",
        valid_for=max(1, int((row.not_after - now).total_seconds())),
        unsubscribe_url=stop,
    )


def _lines(row: WaveRow, outage: PublicOutage, step: Step, language: str) -> list[str]:
    """The facts that matter with this step, the most important first."""
    found = []
    expected = row.notice_facts.get("expected_end")
    if step in {Step.ANNOUNCED, Step.MOVED, Step.CHANGED, Step.CANCELLED}:
        found.append(public_words.window(outage, outage.start, outage.end, language))
    elif step is Step.STARTED:
        found.append(public_words.EXPECTED[language].format(_moment(outage.end, outage)))
    elif step is Step.OVERRUN and expected:
        found.append(
            public_words.EXPECTED[language].format(_moment(datetime.fromisoformat(expected), outage))
        )
    elif step is Step.RESTORED and outage.ended_at is not None:
        found.append(_moment(outage.ended_at, outage))
    reason = text_of(outage.reason, language)
    if reason and step is not Step.RESTORED:
        found.append(public_words.REASON[language].format(reason))
    return found


def _moment(instant: datetime, outage: PublicOutage) -> str:
    return f"{instant.astimezone(ZoneInfo(outage.timezone)):%Y-%m-%d %H:%M}"


def _mail_host(rt: Runtime) -> str:
    return rt.settings.mail_from.rpartition("@")[2].strip(" >") or "localhost"
