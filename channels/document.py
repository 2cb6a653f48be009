"""Papers as PDF: the written notice (停电通知书), a batch of letters for print, the receipt for people,
and the sheets and the poster that announce an outage (`papers`).

Set by typst from the templates beside this module with the fonts that are bundled with
it. Promises: the same facts give the same bytes (no date of today, no system font);
what people typed is handed over as data and never evaluated; each letter begins on a
page of its own. Leaves to others: posting, and the dates of posting and delivery.

Called for a batch, all letters are set in one run; a batch of 500 takes some seconds.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import segno
import typst

from channels.advice import advice
from channels.catalogues import N_, translations
from channels.model import Language, NoticeFacts
from channels.papers import Paper, Sheet
from channels.plain import one_line
from channels.render import (
    ANNOUNCING,
    effect,
    lead_sentences,
    notice_rows,
    render_notice_text,
    render_title,
    text_sha256,
)
from channels.say import Say
from channels.typed_values import clean
from channels.wording import Words

HERE = Path(__file__).parent
FONTS = HERE / "fonts"
_FONT_FILES = ("DroidSansFallbackFull.ttf", "DejaVuSansCondensed.ttf", "DejaVuSansCondensed-Bold.ttf")
_FONT_LICENCES = ("LICENSE.DroidSansFallback", "LICENSE.DejaVu")
_LISTED = 10  # places with a line of their own in a letter
_LANG = {Language.ZH: "zh", Language.EN: "en"}

_ANSWERS = {
    "ACKNOWLEDGED": N_("Received and acknowledged"),
    "OBJECTED": N_("Received, with an objection"),
    "REFUSED": N_("Signature refused"),
}
# Who gave it: whoever objects or refuses has signed nothing.
_GIVEN_BY = {
    "ACKNOWLEDGED": N_("Signed by"),
    "OBJECTED": N_("Objection by"),
    "REFUSED": N_("Refused by"),
}
_MEANINGS = {
    "ACKNOWLEDGED": N_("The notice was received and read. This is no consent to its time."),
    "OBJECTED": N_(
        "The notice was received; its time is objected to. It stands until the utility changes it."
    ),
    "REFUSED": N_("The notice was presented and its signing refused; the witness confirms that."),
}
_WAYS = {
    "link": N_("link from SMS or e-mail"),
    "key_press": N_("key pressed on the telephone"),
    "reply": N_("reply by SMS"),
    "paper": N_("signed on paper"),
    "visit": N_("visit of the area manager"),
    "own_key": N_("the customer's own key"),
    "passkey": N_("the customer's own device (passkey)"),
}

_DETAILS = {
    "level": N_("Strength"),
    "reason": N_("Reason given"),
    "witness": N_("Witness"),
    "wished": N_("Wished"),
    "slip_date": N_("Date on the slip"),
    "scan_sha256": N_("SHA-256 of the scan"),
    "key": N_("The customer's key"),
    "delegated_by": N_("Passed on by"),
    "delegated_to": N_("Passed on to"),
}
# Proof for machines: it is in the receipt itself, and would fill pages here.
_FOR_MACHINES = frozenset({"key_jwk", "key_jws", "key_cose", "passkey", "statement", "user_verified"})
_LEVELS = {
    "contact": N_("contact: somebody at the customer's number answered"),
    "address": N_("address: answered through the link sent to the customer"),
    "witnessed": N_("witnessed: an employee was there"),
    "handwritten": N_("handwritten: signed on paper"),
    "own_key": N_("own key: signed by a key that only the customer holds"),
}


def notice_pdf(facts: NoticeFacts) -> bytes:
    """The written notice of one customer."""
    return letter_batch_pdf([facts])


def letter_batch_pdf(batch: Sequence[NoticeFacts]) -> bytes:
    """All letters in one file for print. ValueError for an empty batch."""
    if not batch:
        raise ValueError("a batch needs at least one letter")
    letters = [_letter(facts) for facts in batch]
    first = letters[0]
    return _compile("letter.typ", {"title": first["title"], "author": first["utility"], "letters": letters})


def letter_text(facts: NoticeFacts) -> str:
    """The words of a letter without its form: what can be read on a screen before it is printed."""
    letter = _letter(facts)
    head = [letter["title"], "", letter["salutation"], *letter["lead"], ""]
    rows = [f"{label}: {value}" for label, value in letter["rows"]]
    points = [letter["advice-title"], *(f"- {line}" for line in letter["advice"])] if letter["advice"] else []
    return "\n".join([*head, *rows, "", *points, letter["law"]]).strip() + "\n"


def sheet_pdf(sheet: Sheet) -> bytes:
    """A hotline entry, media announcement or plan notice on plain paper; a poster as a poster."""
    translate = translations(sheet.language).gettext
    poster = sheet.paper is Paper.POSTER
    # The poster shows the time in large type already.
    rows = sheet.rows[1:] if poster else sheet.rows
    return _compile(
        "poster.typ" if poster else "sheet.typ",
        {
            "lang": _LANG[sheet.language],
            "title": sheet.title,
            "utility": sheet.utility,
            "hotline": translate("Hotline") + " " + sheet.hotline if sheet.hotline else "",
            "lead": list(sheet.lead),
            "rows": [list(row) for row in rows],
            "points-title": sheet.points_title,
            "points": list(sheet.points),
            "closing": list(sheet.closing),
            "big": list(sheet.big),
            "qr": _qr(sheet.qr_url),
            "qr-alt": sheet.qr_url,
            "qr-label": sheet.qr_label,
            "footer": sheet.reference,
        },
    )


def receipt_pdf(receipt: Mapping[str, Any]) -> bytes:
    """A receipt for people. Needed are the fields of a `ReceiptPayload` (`at` as text, already local);
    further, each optional: `language`, `utility`, `customer_name`, `sha256` of the receipt, `kid` of its key,
    `verify_url` (becomes the QR code), and `text`, the text that was signed."""
    language = Language(receipt.get("language", Language.EN))
    translate = translations(language).gettext

    def value(name: str) -> str:
        return one_line(str(receipt.get(name) or ""))

    revision = translate("%(reference)s, revision %(revision)d") % {
        "reference": value("outage"),
        "revision": int(receipt["revision"]),
    }
    way, answer = value("way"), value("answer")
    rows = [
        (translate("Answer"), translate(_ANSWERS[answer]) if answer in _ANSWERS else answer),
        (translate("Meaning"), translate(_MEANINGS[answer]) if answer in _MEANINGS else ""),
        (translate("Notice"), revision),
        (
            translate("Customer"),
            " ".join(part for part in (value("customer_name"), value("customer")) if part),
        ),
        (translate(_GIVEN_BY.get(answer, "Signed by")), value("signer_name")),
        (translate("Role"), value("signer_role")),
        (translate("Way"), translate(_WAYS[way]) if way in _WAYS else way),
        (translate("Recorded at"), value("at")),
        *(
            (
                translate(_DETAILS[name]) if name in _DETAILS else one_line(str(name)),
                translate(_LEVELS[item]) if name == "level" and item in _LEVELS else one_line(str(item)),
            )
            for name, item in dict(receipt.get("details") or {}).items()
            if name not in _FOR_MACHINES
        ),
    ]
    proof = [
        (translate("Receipt number"), value("sequence")),
        (translate("SHA-256 of the text"), _breakable(value("text_sha256"))),
        (translate("SHA-256 of this receipt"), _breakable(value("sha256"))),
        (translate("SHA-256 of the receipt before"), _breakable(value("previous"))),
        (translate("Key"), _breakable(value("kid"))),
        (translate("Check at"), value("verify_url")),
    ]
    number = translate("Receipt no. %(number)s") % {"number": value("sequence")}
    return _compile(
        "receipt.typ",
        {
            "lang": _LANG[language],
            "title": translate("Receipt of a supply notice"),
            "author": value("utility"),
            "utility": value("utility"),
            "number": number,
            "footer": f"{value('outage')} · {number}",
            "rows": [row for row in rows if row[1]],
            "text": str(receipt.get("text") or "").strip(),
            "text-title": translate("The text that was shown"),
            "proof-title": translate("Proof"),
            "proof": [row for row in proof if row[1]],
            "qr": _qr(value("verify_url")),
            "qr-label": translate("Scan to check this receipt"),
            "explanation": translate(
                "The receipt itself is an electronic signature (Ed25519) over these facts and the receipt "
                "before it; this page is its readable form."
            ),
        },
    )


def missing_fonts() -> list[str]:
    """For `doctor`: what lacks of fonts and their licences; empty if all is there."""
    return [name for name in (*_FONT_FILES, *_FONT_LICENCES) if not (FONTS / name).is_file()]


def _letter(facts: NoticeFacts) -> dict[str, Any]:
    digest = text_sha256(render_notice_text(facts))
    facts = clean(facts)
    translate, say = translations(facts.language).gettext, Say(facts, "letter")
    announces = facts.kind in ANNOUNCING
    # The law has a sentence of its own and the line above the address names the sender.
    rows = [row for row in notice_rows(replace(facts, law="")) if row[1]]
    rows.append((translate("Places"), "\n".join(_places(facts))))
    subject = translate("%(reference)s, revision %(revision)d") % {
        "reference": facts.reference,
        "revision": facts.revision,
    }
    plain_title = facts.kind in ("SEVEN_DAY", "DAY_AHEAD", "REMINDER")
    return {
        "lang": _LANG[facts.language],
        "reference": facts.reference,
        "utility": facts.utility,
        "sender": facts.utility,
        "hotline": translate("Hotline") + " " + facts.hotline if facts.hotline else "",
        "address": [line for line in (facts.customer_name, facts.places[0].name) if line],
        "title": say("Notice of planned supply interruption") if plain_title else render_title(facts, say),
        "salutation": say("Dear %(name)s,", name=facts.customer_name) if facts.customer_name else "",
        "lead": lead_sentences(facts, say),
        "rows": rows,
        "advice-title": say("What to do:"),
        "advice": list(advice(facts, say)),
        "law": say("This notice is given under: %(law)s.", law=facts.law) if facts.law else "",
        "seal": translate("(seal)   date: ____________________"),
        "asks": announces,
        "qr": _qr(facts.sign_url),
        "qr-label": translate("Scan to read and sign"),
        "qr-alt": facts.sign_url,
        "footer": f"{facts.utility} · {facts.reference} · {facts.short_ref}".rstrip(" ·"),
        "strip": {
            "cut": translate("Please sign and return"),
            "title": translate("Acknowledgement of receipt"),
            "subject": " · ".join(part for part in (subject, facts.customer_name) if part),
            "statement": translate(
                "We have received the notice named above and know place and time of the interruption."
            ),
            "choices": [translate(_ANSWERS[answer]) for answer in ("ACKNOWLEDGED", "OBJECTED", "REFUSED")],
            "fields": [
                translate("Name:"),
                translate("Role:"),
                translate("Signature or seal:"),
                translate("Date and time:"),
                translate("Witness of a refusal:"),
            ],
            "hash": translate("SHA-256 of the text: %(digest)s") % {"digest": digest},
        },
    }


def _places(facts: NoticeFacts) -> list[str]:
    """A line for each place with what it feels; of many, a line for each effect with its places."""
    words, translate = Words(facts.language), translations(facts.language).gettext
    if facts.kind in ("CANCELLED", "RESTORED"):
        return [words.names([place.name for place in facts.places])]
    if len(facts.places) <= _LISTED:
        pairs = [(place.name, effect(facts, place.impact)) for place in facts.places]
    else:
        impacts = dict.fromkeys(place.impact for place in facts.places)
        pairs = [
            (
                effect(facts, impact),
                words.names([place.name for place in facts.places if place.impact == impact]),
            )
            for impact in impacts
        ]
    return [translate("%(label)s: %(value)s") % {"label": label, "value": value} for label, value in pairs]


def _qr(url: str) -> str:
    """The QR code as SVG text; empty without a URL."""
    if not url:
        return ""
    out = io.BytesIO()
    segno.make(url, error="m", micro=False).save(
        out, kind="svg", border=0, scale=4, dark="#17202a", xmldecl=False
    )
    return out.getvalue().decode("utf-8")


def _breakable(text: str) -> str:
    """A long hash with places where a line may break."""
    return " ".join(text[at : at + 16] for at in range(0, len(text), 16)) if len(text) > 48 else text


def _compile(template: str, data: Mapping[str, Any]) -> bytes:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
    result = typst.compile(
        str(HERE / "templates" / template),
        root=str(HERE / "templates"),
        font_paths=fonts,
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        format="pdf",
        timestamp=0,
    )
    if not isinstance(result, bytes):
        raise RuntimeError(f"typst gave no document for {template}")
    return result
