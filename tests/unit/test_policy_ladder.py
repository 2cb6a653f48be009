"""Climbing the ladder of channels, and the steps of an escalation."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.model import Channel
from outage_notify.domain import ladder
from outage_notify.domain.audience import Tier
from outage_notify.domain.delivery import LIVE, DeliveryState
from outage_notify.domain.ladder import VISIT, Action, Contact, Escalation, Ladder, Rung, Step, Target, Tried
from outage_notify.policies import available, load_policy

SMS, VOICE, EMAIL, LETTER = Channel.SMS, Channel.VOICE, Channel.EMAIL, Channel.LETTER
ACCEPTED, FAILED = DeliveryState.ACCEPTED, DeliveryState.FAILED
PHONE, BACKUP_PHONE, BOX, HOUSE = "+15005550001", "+15005550002", "desk@example.com", "1 Example Street"
ALL_CONTACTS = [
    Contact(1, SMS, PHONE),
    Contact(2, VOICE, PHONE),
    Contact(3, EMAIL, BOX),
    Contact(4, LETTER, HOUSE),
    Contact(5, SMS, BACKUP_PHONE, backup=True),
    Contact(6, VOICE, BACKUP_PHONE, backup=True),
]
CN = load_policy("cn")
KEY, HOUSEHOLD = CN.ladder_for(Tier.FIRST), CN.ladder_for(Tier.LOW_VOLTAGE)


def _ids(targets: object) -> list[int]:
    assert isinstance(targets, list)
    return [target.contact.id for target in targets]


def _tried(state: DeliveryState, *ids: int) -> list[Tried]:
    return [Tried(one.channel, one.address, state) for one in ALL_CONTACTS if one.id in ids]


def test_a_key_customer_in_china_from_the_first_rung_to_the_visit() -> None:
    assert _ids(ladder.first(KEY, ALL_CONTACTS)) == [1, 3]
    assert _ids(ladder.next(KEY, ALL_CONTACTS, _tried(FAILED, 1, 3))) == [2]
    assert _ids(ladder.next(KEY, ALL_CONTACTS, _tried(FAILED, 1, 2, 3))) == [5, 6]
    assert ladder.next(KEY, ALL_CONTACTS, _tried(FAILED, 1, 2, 3, 5, 6)) is VISIT


def test_one_of_a_rung_that_lives_holds_the_climb() -> None:
    tried = _tried(FAILED, 1) + _tried(ACCEPTED, 3)
    assert ladder.next(KEY, ALL_CONTACTS, tried) is None


@pytest.mark.parametrize("state", sorted(LIVE))
def test_whatever_is_alive_or_told_holds_the_climb(state: DeliveryState) -> None:
    assert ladder.next(HOUSEHOLD, ALL_CONTACTS, _tried(state, 1)) is None


def test_a_household_climbs_to_the_letter_and_no_further() -> None:
    assert _ids(ladder.first(HOUSEHOLD, ALL_CONTACTS)) == [1]
    assert _ids(ladder.next(HOUSEHOLD, ALL_CONTACTS, _tried(FAILED, 1))) == [2]
    assert _ids(ladder.next(HOUSEHOLD, ALL_CONTACTS, _tried(FAILED, 1, 2))) == [3]
    assert _ids(ladder.next(HOUSEHOLD, ALL_CONTACTS, _tried(FAILED, 1, 2, 3))) == [4]
    assert ladder.next(HOUSEHOLD, ALL_CONTACTS, _tried(FAILED, 1, 2, 3, 4)) is None


def test_vulnerable_people_are_called_beside_the_text() -> None:
    assert _ids(ladder.first(CN.ladder_for(Tier.LOW_VOLTAGE, vulnerable=True), ALL_CONTACTS)) == [1, 2]


def test_a_rung_without_a_usable_contact_is_skipped() -> None:
    contacts = [Contact(1, SMS, PHONE, usable=False), Contact(3, EMAIL, BOX)]
    assert ladder.first(HOUSEHOLD, contacts) == [Target(EMAIL, contacts[1])]
    assert ladder.first(HOUSEHOLD, contacts[:1]) == []


def test_a_second_number_comes_before_the_next_rung() -> None:
    second = Contact(7, SMS, "+15005550007")
    assert _ids(ladder.next(HOUSEHOLD, [*ALL_CONTACTS, second], _tried(FAILED, 1))) == [7]


def test_one_address_entered_twice_is_tried_once() -> None:
    twin = Contact(8, SMS, PHONE)
    assert _ids(ladder.next(HOUSEHOLD, [*ALL_CONTACTS, twin], _tried(FAILED, 1))) == [2]


def test_the_letter_in_ireland_goes_beside_the_text_and_does_not_hold_the_climb() -> None:
    irish = load_policy("ie").ladder_for(Tier.LOW_VOLTAGE)
    assert _ids(ladder.first(irish, ALL_CONTACTS)) == [4, 1]
    assert _ids(ladder.next(irish, ALL_CONTACTS, _tried(ACCEPTED, 4) + _tried(FAILED, 1))) == [2]
    assert _ids(ladder.first(irish, [ALL_CONTACTS[3]])) == [4]


def test_a_letter_cannot_be_required_and_the_last_resort() -> None:
    with pytest.raises(ValueError, match="letter"):
        Ladder((Rung((LETTER,), required=True), Rung((SMS,)), Rung((LETTER,))))


@settings(deadline=None)
@given(
    st.sampled_from(available()),
    st.sampled_from(Tier),
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from(ALL_CONTACTS), unique=True),
)
def test_if_everything_fails_everything_usable_on_the_ladder_was_tried_once(
    name: str, tier: Tier, life_support: bool, vulnerable: bool, contacts: list[Contact]
) -> None:
    chosen = load_policy(name).ladder_for(tier, life_support, vulnerable)
    sent: list[Target] = ladder.first(chosen, contacts)
    for _ in range(20):
        tried = [Tried(one.channel, one.contact.address, FAILED) for one in sent]
        assert len({(one.channel, one.address) for one in tried}) == len(tried), "nobody gets it twice"
        more = ladder.next(chosen, contacts, tried)
        if not isinstance(more, list):
            break
        assert more
        sent += more
    assert more is (VISIT if chosen.visit else None)
    on_ladder = {(channel, rung.backup) for rung in chosen.rungs for channel in rung.channels}
    assert {one.contact.id for one in sent} == {
        one.id for one in contacts if (one.channel, one.backup) in on_ladder
    }


REQUESTED = datetime(2026, 12, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_steps_in_china_when_there_is_time() -> None:
    start = REQUESTED + timedelta(days=7)
    due = [CN.escalation.step_due(REQUESTED, start, number) for number in range(4)]
    assert [(one - REQUESTED) / HOUR for one in due] == [24, 48, 72, 96]
    assert [step.action for step in CN.escalation.steps] == list(Action)
    assert CN.escalation.steps[-1].rung is None


def test_the_steps_shrink_in_proportion_when_there_is_not() -> None:
    start = REQUESTED + 30 * HOUR
    due = [CN.escalation.step_due(REQUESTED, start, step) for step in CN.escalation.steps]
    assert [(one - REQUESTED) / HOUR for one in due] == [6, 12, 18, 24]


@settings(deadline=None)
@given(st.sampled_from(available()), st.timedeltas(timedelta(0), timedelta(days=30)))
def test_steps_stay_in_order_and_before_the_start(name: str, left: timedelta) -> None:
    steps = load_policy(name).escalation
    due = [steps.step_due(REQUESTED, REQUESTED + left, number) for number in range(len(steps.steps))]
    assert due == sorted(due)
    assert all(REQUESTED <= one <= REQUESTED + left for one in due)
    if left > HOUR:
        assert due[-1] < REQUESTED + left


def test_a_request_after_the_start_escalates_at_once() -> None:
    assert CN.escalation.step_due(REQUESTED, REQUESTED - HOUR, 3) == REQUESTED


def test_steps_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="order"):
        Escalation((Step(Action.CALL, 2 * HOUR), Step(Action.VISIT, HOUR)))
