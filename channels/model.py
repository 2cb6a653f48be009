"""The plain data that crosses the border of `channels`: messages out, outcomes and reports in.

Everything here is a frozen dataclass or an enum of strings, so that the rest of the
product can depend on it without depending on any provider.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from channels.own_words import DELIVERED, OwnWords


class Channel(StrEnum):
    SMS = "sms"
    VOICE = "voice"
    EMAIL = "email"
    LETTER = "letter"


class Language(StrEnum):
    ZH = "zh-CN"
    EN = "en"


@dataclass(frozen=True)
class PlaceLine:
    """One affected place of the addressee, in words: `impact` is OUTAGE, REDUCED_REDUNDANCY or MOMENTARY."""

    name: str
    impact: str = "OUTAGE"


@dataclass(frozen=True)
class NoticeFacts:
    """All that a text may say. The renderer adds nothing and asks nobody.

    Times are aware datetimes already in the outage's local zone (`ZoneInfo`), so that
    offsets and dates print right. `kind` is a NoticeKind value (SEVEN_DAY, DAY_AHEAD,
    CHANGED, CANCELLED, STARTED, OVERRUN, RESTORED, REMINDER). `short_ref` is the
    delivery's own reference, printed in each text: it is how a message is found again
    at the provider. Empty strings mean "none", never a placeholder.
    """

    kind: str
    language: Language
    reference: str
    revision: int
    short_ref: str
    utility: str
    reason: str
    places: tuple[PlaceLine, ...]
    start: datetime
    end: datetime
    customer_name: str = ""
    customer_kind: str = ""
    is_key: bool = False
    life_support: bool = False
    area: str = ""
    line: str = ""
    hotline: str = ""
    grid_manager: str = ""
    grid_manager_phone: str = ""
    sign_url: str = ""
    notice_url: str = ""
    feed_url: str = ""
    old_start: datetime | None = None
    old_end: datetime | None = None
    expected_end: datetime | None = None
    restored_at: datetime | None = None
    law: str = ""
    # The utility's own words where it has any; whatever else is said in the delivered ones.
    words: OwnWords = field(default=DELIVERED, repr=False)


@dataclass(frozen=True)
class RenderedSms:
    text: str
    encoding: str  # "GSM-7" or "UCS-2"
    segments: int


@dataclass(frozen=True)
class RenderedEmail:
    subject: str
    text: str
    html: str
    ics: str = ""
    method: str = ""  # of the calendar entry: REQUEST or CANCEL; empty: it is offered for saving only


@dataclass(frozen=True)
class RenderedVoice:
    """What the call says: spoken text, the question, and the answers to a pressed key."""

    language: Language
    text: str
    question: str
    thanks: str
    goodbye: str


@dataclass(frozen=True)
class Message:
    """One delivery, ready for a sender.

    `delivery` is the delivery's id; `reference` its short reference, contained in the
    text. `callback_url` takes Twilio's status reports and already carries the signed
    delivery id; `report_url` takes any other provider's and proves nothing but that its
    caller was given it; `voice_url` serves TwiML. `valid_for` is the time left in seconds
    after which the provider must not deliver any more. `message_id` makes a repeated
    e-mail the same e-mail.
    """

    delivery: int
    channel: Channel
    to: str
    reference: str
    language: Language
    text: str = ""
    email: RenderedEmail | None = None
    callback_url: str = ""
    report_url: str = ""
    voice_url: str = ""
    message_id: str = ""
    valid_for: int = 14_400
    unsubscribe_url: str = ""  # of news that was subscribed to: leaves it by a POST without a question


class OutcomeKind(StrEnum):
    """What one call to a provider came to."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"  # the provider said no: this address, this way, never
    LATER = "later"  # nothing was taken: 429, connection refused
    UNKNOWN = "unknown"  # 5xx, time-out, lost answer: in doubt


class FaultClass(StrEnum):
    """Why it failed, by what must be done about it (see `twilio_errors`)."""

    NONE = ""
    BAD_ADDRESS = "bad_address"
    OPTED_OUT = "opted_out"
    CONFIGURATION = "configuration"
    TRANSIENT = "transient"
    UNREACHED = "unreached"  # busy, no answer, machine, no key pressed
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    kind: OutcomeKind
    provider_id: str = ""
    code: str = ""
    fault: FaultClass = FaultClass.NONE
    detail: str = ""  # never an address, never a text
    retry_after: float | None = None  # seconds


class ReportStatus(StrEnum):
    """What a provider says later, reduced to four words with a rank each."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    FAILED = "failed"
    DELIVERED = "delivered"


REPORT_RANK = {
    ReportStatus.PENDING: 0,
    ReportStatus.ACCEPTED: 1,
    ReportStatus.FAILED: 2,
    ReportStatus.DELIVERED: 3,
}


@dataclass(frozen=True)
class Report:
    """A provider's receipt, parsed: about which message, and what became of it."""

    provider_id: str
    status: ReportStatus
    code: str = ""
    fault: FaultClass = FaultClass.NONE
    answered_by: str = ""  # voice: "human", "machine" or ""
    raw: dict[str, str] = field(default_factory=dict)
    ended_at: datetime | None = None  # voice: when the call was over, by the provider's clock


@dataclass(frozen=True)
class Sighting:
    """A message seen at the provider when asked for a doubtful one."""

    provider_id: str
    status: ReportStatus
    code: str = ""
    fault: FaultClass = FaultClass.NONE
    sent_at: datetime | None = None
    ended_at: datetime | None = None  # voice
