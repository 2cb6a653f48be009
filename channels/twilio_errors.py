"""What a Twilio error code asks of us: a table of known codes, then a default for each range.

Promises: every code, known or not, gets a `FaultClass` and a short meaning that holds
no address and no text (Twilio's own messages quote the number, so they are never
passed on). Twilio advises against hard logic on single codes, and new ones appear
each year: the ranges decide for whatever the table does not name. What is done about
a class (next channel, flag, stop the sender, back off) is the service's decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from channels.model import FaultClass

F = FaultClass


@dataclass(frozen=True)
class TwilioFault:
    """One row of the table: the class and what it means in plain words."""

    fault: FaultClass
    meaning: str


KNOWN: Mapping[int, TwilioFault] = {
    # The address cannot take the message, today or tomorrow: next channel, mend the contact.
    13224: TwilioFault(F.BAD_ADDRESS, "the number cannot be dialled"),
    21211: TwilioFault(F.BAD_ADDRESS, "the number is not a phone number"),
    21214: TwilioFault(F.BAD_ADDRESS, "the number cannot be reached"),
    21217: TwilioFault(F.BAD_ADDRESS, "the number does not look valid"),
    21604: TwilioFault(F.BAD_ADDRESS, "no number was given"),
    21612: TwilioFault(F.BAD_ADDRESS, "the number cannot be reached from our sender"),
    21614: TwilioFault(F.BAD_ADDRESS, "the number is not a mobile number"),
    21635: TwilioFault(F.BAD_ADDRESS, "the number is a landline"),
    30005: TwilioFault(F.BAD_ADDRESS, "the number does not exist any more"),
    30006: TwilioFault(F.BAD_ADDRESS, "the number is a landline or its carrier cannot be reached"),
    # The person said no: flag it, use a lawful channel instead.
    21610: TwilioFault(F.OPTED_OUT, "the person has opted out (STOP)"),
    30004: TwilioFault(F.OPTED_OUT, "the person or the carrier blocks our messages"),
    # Ours to mend: no other number will fare better, so stop the sender and raise the alarm.
    10001: TwilioFault(F.CONFIGURATION, "the account is not active"),
    13227: TwilioFault(F.CONFIGURATION, "calls to this country are not enabled"),
    20003: TwilioFault(F.CONFIGURATION, "the account's SID or token is wrong"),
    20005: TwilioFault(F.CONFIGURATION, "the account is not active"),
    20008: TwilioFault(F.CONFIGURATION, "test credentials cannot do this"),
    20404: TwilioFault(F.CONFIGURATION, "the account or the address of the API is wrong"),
    21205: TwilioFault(F.CONFIGURATION, "our address for the call's text is not valid"),
    21210: TwilioFault(F.CONFIGURATION, "our sender's number is not verified"),
    21212: TwilioFault(F.CONFIGURATION, "our sender's number is not valid"),
    21213: TwilioFault(F.CONFIGURATION, "no sender's number is set"),
    21215: TwilioFault(F.CONFIGURATION, "calls to this country are not enabled"),
    21219: TwilioFault(F.CONFIGURATION, "a trial account calls verified numbers only"),
    21408: TwilioFault(F.CONFIGURATION, "messages to this country are not enabled"),
    21602: TwilioFault(F.CONFIGURATION, "the message has no text"),
    21603: TwilioFault(F.CONFIGURATION, "no sender's number is set"),
    21606: TwilioFault(F.CONFIGURATION, "our sender's number cannot send messages"),
    21608: TwilioFault(F.CONFIGURATION, "a trial account writes to verified numbers only"),
    21609: TwilioFault(F.CONFIGURATION, "our address for status callbacks is not valid"),
    21617: TwilioFault(F.CONFIGURATION, "the text is longer than 1,600 characters"),
    30002: TwilioFault(F.CONFIGURATION, "the account is suspended"),
    30007: TwilioFault(F.CONFIGURATION, "the carrier filters our messages"),
    30010: TwilioFault(F.CONFIGURATION, "the message costs more than the limit set"),
    30032: TwilioFault(F.CONFIGURATION, "the toll-free sender is not verified"),
    30034: TwilioFault(F.CONFIGURATION, "the sender is not registered with the carriers"),
    # It may pass: back off, then the next channel before the deadline.
    20429: TwilioFault(F.TRANSIENT, "too many requests"),
    21611: TwilioFault(F.TRANSIENT, "the sender's queue is full"),
    30001: TwilioFault(F.TRANSIENT, "the sender's queue overflowed"),
    30003: TwilioFault(F.TRANSIENT, "the handset is off or out of reach"),
    30008: TwilioFault(F.TRANSIENT, "the carrier gave no reason"),
    30017: TwilioFault(F.TRANSIENT, "the carrier's network is congested"),
    30022: TwilioFault(F.TRANSIENT, "the carrier's rate limit was exceeded"),
    30036: TwilioFault(F.TRANSIENT, "the message expired before it could be delivered"),
}

# (first, last, class, meaning); the first range that holds the code decides.
RANGES: tuple[tuple[int, int, FaultClass, str], ...] = (
    (10_000, 10_999, F.CONFIGURATION, "a fault of the account"),
    (11_000, 15_999, F.CONFIGURATION, "our web address or the call's script failed"),
    (20_000, 20_499, F.CONFIGURATION, "the request or the credentials were refused"),
    (20_500, 20_999, F.TRANSIENT, "a fault inside Twilio"),
    (21_100, 21_199, F.CONFIGURATION, "the account's set-up was refused"),
    (21_700, 21_799, F.CONFIGURATION, "the messaging service is not set up"),
    (30_000, 30_031, F.TRANSIENT, "the carrier could not deliver it"),
    (30_032, 30_099, F.CONFIGURATION, "a registration with the carriers is missing"),
    (30_100, 30_399, F.CONFIGURATION, "a registration or a rule of the sender was refused"),
    (30_400, 30_599, F.TRANSIENT, "the carrier's connection failed"),
    (30_600, 30_999, F.CONFIGURATION, "a registration or a rule of the sender was refused"),
)

# SIP answers that say that nobody lives at this number.
DEAD_SIP = frozenset({"404", "410", "484", "604"})


def classify(code: str | int | None) -> TwilioFault:
    """The class of one code. No code, or nonsense, is `UNKNOWN`: a person or the ladder decides."""
    try:
        number = int(code or 0)
    except ValueError:
        number = 0
    if number in KNOWN:
        return KNOWN[number]
    for first, last, fault, meaning in RANGES:
        if first <= number <= last:
            return TwilioFault(fault, meaning)
    return TwilioFault(F.UNKNOWN, "no reason known")


def classify_http(status: int, code: str | int | None) -> TwilioFault:
    """The class of a refused request: by Twilio's code, or by the HTTP status where there is none.

    A proxy or a wrong address answers without a Twilio code; 401, 403, 404, 405 and 407
    are then ours to mend.
    """
    text = str(code or "")
    if text and text != str(status):
        return classify(text)
    if status in (401, 403, 404, 405, 407):
        return TwilioFault(F.CONFIGURATION, "the credentials or the address of the API are wrong")
    return TwilioFault(F.UNKNOWN, "refused without a reason")
