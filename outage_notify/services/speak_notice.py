"""What a phone call says, step by step, and what a pressed key does.

Promises: a machine hears the notice but is never asked; a key that means nothing is asked
once more, then the call ends. Whether a key press is an answer, and the receipt that it
ends in, is decided by `record_receipts.voice_answer`.
"""

from __future__ import annotations

from datetime import timedelta

from channels import voice
from channels.model import RenderedVoice
from channels.render import render_voice
from outage_notify.domain.errors import IllegalMove, NotFound
from outage_notify.services import links, record_receipts
from outage_notify.services.notice_facts import facts_of
from outage_notify.services.runtime import Runtime
from outage_notify.store.delivery_tables import Delivery

# A call is over long before; the address is only ever known to the provider.
ANSWER_LIFE = timedelta(hours=2)


def call_script(rt: Runtime, delivery_id: int, round: int = 1, answered_by: str = "") -> str:
    """The TwiML of a call. `answered_by` is the provider's word for who picked up."""
    spoken = _spoken(rt, delivery_id)
    if voice.who_answered(answered_by) == "machine":
        script = voice.machine_twiml(spoken)
    else:
        script = voice.notice_twiml(spoken, _answer_url(rt, delivery_id, round), round)
    # Last: should the database go away before, the words are not given, and the call is made again.
    record_receipts.voice_spoken(rt, delivery_id)
    return script


def take_key(rt: Runtime, delivery_id: int, digits: str, round: int = 1) -> str:
    """Take a pressed key; the TwiML of what is said to it. Pressed twice, it is one answer.

    Where nothing can be answered any more (a newer notice, work under way) the call just ends:
    thanks would sound like a receipt.
    """
    try:
        understood = record_receipts.voice_answer(rt, delivery_id, digits)
    except IllegalMove:
        return voice.goodbye_twiml(_spoken(rt, delivery_id))
    if understood:
        return voice.thanks_twiml(_spoken(rt, delivery_id))
    return call_script(rt, delivery_id, round + 1)


def _spoken(rt: Runtime, delivery_id: int) -> RenderedVoice:
    with rt.database.read() as session:
        delivery = session.get(Delivery, delivery_id)
        if delivery is None:
            raise NotFound("There is no such delivery.")
        return render_voice(facts_of(session, rt, delivery))


def _answer_url(rt: Runtime, delivery_id: int, round: int) -> str:
    with rt.database.read() as session:
        expires = rt.now(session) + ANSWER_LIFE
    token = rt.link_token(links.VOICE, delivery_id, expires)
    return f"{rt.settings.base_url}/webhooks/twilio/answer/{token}?round={round}"
