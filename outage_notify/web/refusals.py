"""Refusals of services in the reader's language, where customers meet them.

A service refuses in English sentences of its own, which machines, the command line and the desk read too. Those that a
person outside the utility can meet are listed here, word by word, so that the catalogue holds their translation;
a test finds one that no service says any more. What is not listed is shown as it was said.
"""

from __future__ import annotations

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

SENTENCES = (
    # Answering a notice.
    _l("No answer was chosen."),
    _l("Use one of the two buttons."),
    _l("signer_name is empty."),
    _l("Say who answers, in name."),
    _l("Say who proposes this, in name."),
    _l("An objection needs a reason or a wished date."),
    _l("Fill in reason or wished."),
    _l("The notice was changed after it was shown."),
    _l("Read it again, then answer."),
    _l("The signature is missing."),
    _l("Sign with the registered key."),
    _l("A refusal is recorded before a witness: at a visit, or on paper."),
    _l("Object instead, with a reason."),
    # Passing it on.
    _l("There is nothing to answer here any more."),
    _l("Reload to see how it stands."),
    _l("Your name is empty or too long."),
    _l("The colleague's name is empty or too long."),
    _l("Fill in both names."),
    _l("This notice was passed on 10 times."),
    _l("Take one of the links back first."),
    _l("We send names of at most 60 letters."),
    _l("Write both names without numbers, addresses and signs."),
    _l("We have sent as many links for you today as we send in a day."),
    _l("We can't send to this address now."),
    _l("Leave the field empty, then copy the link and send it yourself."),
    # Addresses.
    _l("We don't send by this way."),
    _l("Give the other one: e-mail or mobile number."),
    _l("This is not an e-mail address."),
    _l("Write one such as name@example.com."),
    _l("This is a number of another country."),
    _l("Give an e-mail address instead."),
    _l("This is not a phone number."),
    _l("Write one number, digits only, as +447700900123; no letters and no extension."),
    _l("The phone number has no known country code."),
    _l("Write it with + and the country code, as +447700900123."),
    _l("The phone number has too few or too many digits."),
    _l("The phone number has too few or too many digits for its country."),
    _l("Write it in full, as +447700900123."),
    _l("The phone number is in no range that its country gives to anybody."),
    _l("Check the digits against the customer's record."),
    _l("The phone number is a premium-rate number."),
    _l("Give the person's own mobile or landline number."),
    # The customer's plan.
    _l("There is no such backup supply."),
    _l("Choose one of the list."),
    _l("The backup supply cannot be that large."),
    _l("Enter kW and hours, 0 if unknown."),
    _l("The minimum notice is out of range."),
    _l("Enter hours, at most a year."),
    _l("A text is too long."),
    _l("Write a line such as: mon-fri 08:00-18:00 surgery, or: 2026-06-07 08:00-18:00 examination."),
)


def said(sentence: str) -> str:
    """A sentence of a refusal in the reader's language where it is listed, else as it is."""
    return gettext(sentence) if sentence else ""
