"""An administrator words texts anew: what is sent from then on says so, what was sent keeps its words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from channels.model import Channel, Language
from outage_notify.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from outage_notify.services import own_texts, speak_notice, words_in_force
from outage_notify.services.own_texts import TextId
from outage_notify.store.own_text_tables import OwnText
from outage_notify.store.work_tables import Event
from tests.factories.world import World

SMS, MAIL, CALL = (TextId.named(f"{channel}.SEVEN_DAY.zh-CN") for channel in ("sms", "email", "voice"))
ADMIN = "paul"


def number_of(city: World, text: TextId, start: str) -> int:
    """The number of the sentence that is delivered with these first characters."""
    return next(
        one.number for one in own_texts.show(city.rt, text).sentences if one.delivered.startswith(start)
    )


def word(city: World, text: TextId, start: str, words: str, everywhere: bool = False) -> int:
    seen = own_texts.show(city.rt, text).number
    typed = {number_of(city, text, start): words}
    return own_texts.save(city.rt, ADMIN, text, seen, typed, "friendlier", everywhere)


def test_what_is_sent_after_the_change_says_so_without_a_restart(city: World) -> None:
    first, second = (city.customer(language=Language.ZH) for _ in range(2))
    city.approved()
    city.first_wave()
    assert word(city, SMS, "请提前", "敬请提前准备，{utility}感谢您的理解。") == 1
    city.approved(days=30)
    city.turn_to(city.monday + timedelta(days=23, minutes=1))
    city.work()
    for one in (first, second):
        told = [
            each["text"] for each in city.ledger(city.address(one, Channel.SMS)) if "提醒" not in each["text"]
        ]
        assert ["感谢您的理解" in each for each in told] == [False, True]


def test_a_mail_in_doubt_is_handed_in_again_in_its_own_words(city: World) -> None:
    home = city.customer(sms=None, voice=None, language=Language.ZH)
    city.script({"channel": "email", "times": 1, "do": "dropped_mail"})
    city.approved()
    city.first_wave()
    word(city, MAIL, "请提前保存", "请备好手电筒。")
    for wait in (151, 61, 61):
        city.pass_time(seconds=wait)
        city.reconcile()
        city.work()
    (mail,) = city.ledger(city.address(home, Channel.EMAIL))
    assert "手电筒" not in mail["text"] and "请提前保存资料" in mail["text"]
    with city.rt.database.read() as session:
        assert city.deliveries(home)[0].words == 0
        assert words_in_force.now(session, city.rt).number == 1


def test_a_call_under_way_goes_on_in_its_words(city: World) -> None:
    home = city.customer(sms=None, language=Language.ZH)
    word(city, CALL, "您好", "您好，这里是{utility}供电服务热线。")
    city.approved()
    city.first_wave()
    word(city, CALL, "您好", "喂，{utility}。")
    delivery = city.deliveries(home)[0]
    assert "供电服务热线" in city.ledger()[0]["text"]
    assert "供电服务热线" in speak_notice.call_script(city.rt, delivery.id)


def test_versions_are_kept_and_put_back(city: World) -> None:
    assert word(city, SMS, "请提前", "请备好手电筒。") == 1
    assert word(city, SMS, "请提前", "请备好蜡烛。") == 2
    assert word(city, SMS, "请提前", "请备好蜡烛。") == 2, "the same again changes nothing"
    assert own_texts.restore(city.rt, ADMIN, SMS, 2, 1, "candles burn") == 3
    shown = own_texts.show(city.rt, SMS)
    assert [one.own for one in shown.sentences if one.own] == ["请备好手电筒。"]
    assert own_texts.restore(city.rt, ADMIN, SMS, 3, 0, "as delivered") == 4
    shown = own_texts.show(city.rt, SMS)
    assert [one.own for one in shown.sentences if one.own] == []
    assert [(one.number, one.made_by, one.reason) for one in shown.versions][:2] == [
        (4, "paul", "as delivered"),
        (3, "paul", "candles burn"),
    ]
    with city.rt.database.read() as session:
        told = session.scalars(select(Event).where(Event.what == "text_worded").order_by(Event.id)).all()
    assert [one.detail["number"] for one in told] == [1, 2, 3, 4] and told[0].actor == ADMIN


def test_everywhere_changes_the_same_sentence_in_all_notices_of_the_channel(city: World) -> None:
    reminder = TextId.named("sms.REMINDER.zh-CN")
    word(city, reminder, "原因", "因{reason}。")
    word(city, SMS, "咨询", "客服{hotline}。", everywhere=True)
    own = {one.id.name: one.own for one in own_texts.listing(city.rt) if one.own}
    assert len(own) == 8 and all(name.startswith("sms.") and name.endswith(".zh-CN") for name in own)
    assert own["sms.REMINDER.zh-CN"] == 2, "what was worded before stays"


def test_two_at_once_and_those_who_may_not(city: World) -> None:
    typed = {number_of(city, SMS, "请提前"): "请备好手电筒。"}
    own_texts.save(city.rt, ADMIN, SMS, 0, typed, "why")
    with pytest.raises(Conflict):
        own_texts.save(city.rt, ADMIN, SMS, 0, typed, "why")
    with pytest.raises(NotPermitted):
        own_texts.save(city.rt, "petra", SMS, 1, typed, "why")
    with pytest.raises(InvalidInput, match="reason is missing"):
        own_texts.save(city.rt, ADMIN, SMS, 1, typed, " ")
    with pytest.raises(InvalidInput, match="no sentence 99"):
        own_texts.save(city.rt, ADMIN, SMS, 1, {99: "x"}, "why")
    with pytest.raises(NotFound):
        own_texts.restore(city.rt, ADMIN, SMS, 1, 7, "why")
    with pytest.raises(NotFound):
        TextId.named("sms.GREETING.en")
    assert own_texts.show(city.rt, SMS).number == 1


def test_a_sentence_that_cannot_stand_changes_nothing(city: World) -> None:
    first, second = number_of(city, SMS, "请提前"), number_of(city, SMS, "原因")
    with pytest.raises(own_texts.SentenceRefused, match="reason") as refused:
        own_texts.save(city.rt, ADMIN, SMS, 0, {first: "好。", second: "检修。"}, "why")
    assert refused.value.sentence == second
    assert own_texts.show(city.rt, SMS).versions == []


def test_words_that_this_release_cannot_say_stop_no_notice(city: World) -> None:
    """A row of another release, or one changed by hand: the delivered words serve, and the page shows what is left."""
    home = city.customer(language=Language.ZH)
    word(city, SMS, "请提前", "请备好手电筒。")
    odd = {"A sentence of the past.": "旧话", "Reason: %(reason)s.": "无 {nothing}"}
    with city.rt.database.write() as session:
        session.execute(update(OwnText).values(words=odd))
    city.rt.own_words.clear()
    city.approved()
    city.first_wave()
    assert "原因" in city.ledger(city.address(home, Channel.SMS))[0]["text"]
    assert own_texts.show(city.rt, SMS).left_over == ("旧话", "无 {nothing}")


def test_examples_have_the_facts_of_the_newest_outage(city: World) -> None:
    reference, told = own_texts.examples(city.rt, SMS)
    assert reference == "" and "停电" in told[0].text
    city.customer()
    planned = city.approved()
    reference, told = own_texts.examples(city.rt, SMS, {number_of(city, SMS, "请提前"): "请备好手电筒。"})
    assert reference == planned and "手电筒" in told[0].text and told[0].segments > 1
    assert "River Road" in told[0].text
    changed = own_texts.examples(city.rt, TextId.named("letter.CHANGED.en"))
    assert "New time" in changed[1][0].text
