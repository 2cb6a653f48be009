"""A worker that is told to stop finishes its calls and gives back the rest, as if it had never begun it."""

from __future__ import annotations

from datetime import timedelta

from channels.model import Channel, Message, Outcome
from channels.sms import TwilioSms
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services.send_batch import send_due
from outage_notify.store.delivery_tables import Attempt
from tests.factories.world import World


class StopsDuringTheFirst:
    """The real sender; its first call falls together with SIGTERM."""

    def __init__(self, sender: TwilioSms, stop: list[bool]) -> None:
        self._sender, self._stop = sender, stop

    def __getattr__(self, name: str) -> object:
        return getattr(self._sender, name)

    def send(self, message: Message) -> Outcome:
        self._stop.append(True)
        return self._sender.send(message)


def test_what_is_under_way_is_finished_and_the_rest_is_given_back(city: World) -> None:
    homes = [city.customer() for _ in range(60)]
    city.approved()
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    stop: list[bool] = []
    real = city.rt.senders[Channel.SMS]
    city.rt.senders[Channel.SMS] = StopsDuringTheFirst(real, stop)  # type: ignore[assignment,arg-type]
    handed = send_due(city.rt, stop)
    city.rt.senders[Channel.SMS] = real
    assert 1 <= handed <= city.rt.settings.send_threads
    states = city.states()
    assert set(states) <= {DeliveryState.READY, DeliveryState.ACCEPTED, DeliveryState.DELIVERED}
    with city.rt.database.read() as session:
        # No trace of an attempt where the provider was not called.
        assert session.query(Attempt).count() == handed
    # Nothing has to wait for a lease: the next worker goes on at once.
    assert city.work() == len(homes) - handed
    assert sorted(city.reached()) == sorted(("sms", city.address(one, Channel.SMS)) for one in homes)


def test_a_worker_that_is_stopped_already_sends_nothing(city: World) -> None:
    city.customer()
    city.approved()
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    assert send_due(city.rt, [True]) == 0
    assert city.work() == 1
