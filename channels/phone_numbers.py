"""Phone numbers as people write them, made into E.164; and hidden where they would be logged.

A number is taken if it is valid in its country's plan, or lies in a range that a
regulator keeps for fiction: samples and tests use those, and plans often call them
invalid. Everything else is refused with the remedy. Nothing here asks a network.
"""

from __future__ import annotations

import functools
import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

# Ranges that regulators keep free for film, print and teaching.
FICTION = tuple(
    re.compile(pattern)
    for pattern in (
        # North America: 555-0100 to 555-0199 in each area (area 555 itself is nobody's).
        r"\+1[2-9]\d\d55501\d\d",
        # United Kingdom (Ofcom): mobile, no area, cities, freephone, national.
        r"\+447700900\d{3}",
        r"\+441632960\d{3}",
        r"\+441(?:1[345678]|21|31|41|51|61)4960\d{3}",
        r"\+441914980\d{3}",
        r"\+442079460\d{3}",
        r"\+442896496\d{3}",
        r"\+442890180\d{3}",
        r"\+442920180\d{3}",
        r"\+448081570\d{3}",
        r"\+443069990\d{3}",
        # Australia (ACMA): mobile, then the four areas.
        r"\+6149157\d{4}",
        r"\+61[2378](?:5550|7010)\d{4}",
        # Ireland (ComReg).
        r"\+3532091\d{5}",
        # France (ARCEP): five areas and mobile.
        r"\+33(?:19900|26191|35301|46571|53649|63998)\d{4}",
        # Germany (BNetzA): Berlin, Frankfurt, Hamburg, Cologne, Munich, and two mobile ranges.
        r"\+49(?:3023125|6990009|4066969|2214710|8999998|17604069)\d{3}",
        r"\+4917139200\d\d",
    )
)
COSTLY = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})
_E164 = re.compile(r"\+[1-9]\d{7,14}", re.ASCII)
LONGEST = 40  # characters, as written
WRITTEN = re.compile(r"(?:tel:)?[\d\s+().\-/\u2010-\u2015\uff0b\uff0d\uff08\uff09]+", re.IGNORECASE)


class PhoneNumberError(ValueError):
    """A number that cannot be taken: `message` says why, `remedy` what to write instead.

    Neither holds the number, so that the error may be logged.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.message = message
        self.remedy = remedy


def normalise(text: str, region: str = "") -> str:
    """E.164 (`+447700900123`) of a number as written. `region` (`GB`) is for numbers without a `+`.

    Idempotent: an E.164 number comes back as it is. Raises `PhoneNumberError`.
    """
    written = text.strip()
    if _E164.fullmatch(written) and _plain_and_valid(written):
        return written
    if not written:
        raise PhoneNumberError("The phone number is empty.", "Write it as +447700900123.")
    if len(written) > LONGEST or not WRITTEN.fullmatch(written):
        raise PhoneNumberError(
            "This is not a phone number.",
            "Write one number, digits only, as +447700900123; no letters and no extension.",
        )
    try:
        number = phonenumbers.parse(written, region.upper() or None)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise PhoneNumberError(
                "The phone number has no known country code.",
                "Write it with + and the country code, as +447700900123.",
            ) from error
        raise PhoneNumberError(
            "The phone number has too few or too many digits.", "Write it in full, as +447700900123."
        ) from error
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if is_fictional(e164):
        return e164
    if not phonenumbers.is_possible_number(number):
        raise PhoneNumberError(
            "The phone number has too few or too many digits for its country.",
            "Write it in full, as +447700900123.",
        )
    if not phonenumbers.is_valid_number(number):
        raise PhoneNumberError(
            "The phone number is in no range that its country gives to anybody.",
            "Check the digits against the customer's record.",
        )
    if phonenumbers.number_type(number) in COSTLY:
        raise PhoneNumberError(
            "The phone number is a premium-rate number.", "Give the person's own mobile or landline number."
        )
    return e164


def of_region(e164: str, region: str) -> bool:
    """Whether a number has the country code of a region; every one has where no region is given."""
    if not region:
        return True
    return e164.startswith(f"+{phonenumbers.country_code_for_region(region.upper())}")


def _plain_and_valid(e164: str) -> bool:
    """Whether a number written in full is valid as it stands: the common case, at a fifth of the cost.

    False says nothing: the long way then decides.
    """
    for digits in (1, 2, 3):
        code = int(e164[1 : 1 + digits])
        if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            break
    else:
        return False
    own = e164[1 + digits :]
    if own.startswith("0") or _trunk(code).match(own):
        # A trunk prefix, which would be taken off, or a zero that belongs to the number.
        return False
    if _usual(code).match(own):
        return True
    kind = phonenumbers.number_type(phonenumbers.PhoneNumber(country_code=code, national_number=int(own)))
    return kind != PhoneNumberType.UNKNOWN and kind not in COSTLY


@functools.cache
def _trunk(code: int) -> re.Pattern[str]:
    """What a number of this country may begin with that is not part of it."""
    region = phonenumbers.region_code_for_country_code(code)
    about = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    return re.compile(about.national_prefix_for_parsing or "(?!)") if about is not None else re.compile("")


@functools.cache
def _usual(code: int) -> re.Pattern[str]:
    """Landlines and mobiles of this country as one expression for the digits after the code; nothing costly.

    The library asks ten expressions of each number. Where countries share a code nothing is usual: which of them
    it is must be asked first.
    """
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    about = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
    if len(regions) > 1 or about is None:
        return re.compile("(?!)")
    whole, landline, mobile, premium, shared = (
        _described(one)
        for one in (
            about.general_desc,
            about.fixed_line,
            about.mobile,
            about.premium_rate,
            about.shared_cost,
        )
    )
    return re.compile(rf"(?={whole})(?!{premium})(?!{shared})(?:{mobile}|{landline})", re.ASCII)


def _described(about: phonenumbers.PhoneNumberDesc | None) -> str:
    """The numbers of one kind as an expression: length and digits; one that nothing matches where there are none."""
    if about is None or not about.national_number_pattern:
        return "(?!)"
    lengths = "|".join(rf"\d{{{length}}}\Z" for length in about.possible_length)
    return rf"(?:(?={lengths})(?:{about.national_number_pattern})\Z)"


def is_fictional(e164: str) -> bool:
    """Whether the number lies in a range kept for fiction: it rings at nobody's."""
    return any(pattern.fullmatch(e164) for pattern in FICTION)


def mask(number: str) -> str:
    """What a log or a page for others may show: the country's first digits and the last two."""
    digits = re.sub(r"\D", "", number)
    if len(digits) < 8:
        return "*" * len(digits)
    start = f"+{digits[:2]}" if number.lstrip().startswith("+") else ""
    hidden = len(digits) - 2 - (2 if start else 0)
    return f"{start}{'*' * hidden}{digits[-2:]}"
