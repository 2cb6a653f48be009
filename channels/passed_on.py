"""The message by which a customer's person hands a notice on to a colleague: an SMS and an e-mail.

Promises: it says at once who asks whom, for which customer, and that a stranger to it need do nothing; the rest
is the notice itself, in the words of `render`, with the colleague's own link. Leaves to others: which names may
stand in it, and how often it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from channels import render
from channels.catalogues import translations
from channels.model import Language, NoticeFacts, RenderedEmail, RenderedSms
from channels.plain import clip, gsm_friendly, one_line
from channels.say import Say
from channels.sms_length import sms_length
from channels.typed_values import NAME, clean, shortened


@dataclass(frozen=True)
class PassedOn:
    """Who asks whom. `facts`: the notice as the customer got it, its `sign_url` being the colleague's link."""

    by: str
    to: str
    facts: NoticeFacts


def render_sms(one: PassedOn) -> RenderedSms:
    english = one.facts.language is Language.EN
    tidy = gsm_friendly if english else one_line
    facts = shortened(clean(one.facts, gsm=english))
    translate = translations(facts.language).gettext
    names = {"by": clip(tidy(one.by), NAME), "to": clip(tidy(one.to), NAME)}
    parts = [
        translate("%(utility)s:") % {"utility": facts.utility},
        translate("%(by)s asks you, %(to)s, to answer this notice for %(customer)s.")
        % {**names, "customer": clip(facts.customer_name, NAME)},
        *render.short_sentences(facts, Say(facts, "sms")),
        translate("Read and answer: %(url)s") % {"url": facts.sign_url},
        translate("Not for you? Do nothing."),
        translate("Ref %(reference)s %(short_ref)s")
        % {"reference": facts.reference, "short_ref": facts.short_ref},
    ]
    text = (" " if english else "").join(parts)
    return RenderedSms(text, *sms_length(text))


def render_email(one: PassedOn) -> RenderedEmail:
    """The mail of the notice itself, opened by who asks; without the customer's calendar and web page."""
    facts = replace(one.facts, notice_url="", feed_url="", customer_name="")
    translate = translations(facts.language).gettext
    by, to = one_line(one.by), one_line(one.to)
    opening = (
        translate("%(by)s asks you, %(to)s, to answer this notice for %(customer)s.")
        % {"by": by, "to": to, "customer": one_line(one.facts.customer_name)},
        translate("If you do not know what this is about, do nothing; the link is for you alone."),
    )
    subject = translate("%(by)s asks you to answer: %(subject)s") % {
        "by": clip(by, NAME),
        "subject": render.render_subject(facts),
    }
    return render.render_email(facts, subject=subject, opening=opening)
