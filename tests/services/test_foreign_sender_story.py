"""A sender of another package, found by its entry point, carries a channel in its own way."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from channels.model import Channel
from channels.registry import GROUP
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import doctor
from outage_notify.services.stand_in import TROUBLES
from tests.factories.world import World, world
from tests.fakes.pigeon_loft import KEY, PigeonLoft

S = DeliveryState
EXAMPLE = Path(__file__).parents[1] / "fakes" / "example_sender"


@pytest.fixture
def loft() -> Iterator[PigeonLoft]:
    made = PigeonLoft()
    yield made
    made.close()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example package as an installer leaves it: module and metadata on the path."""
    about = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    place = tmp_path / "site-packages"
    metadata = place / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
    )
    points = "".join(f"{name} = {value}\n" for name, value in about["entry-points"][GROUP].items())
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n{points}")
    (place / "pigeon_post.py").write_text((EXAMPLE / "pigeon_post.py").read_text(encoding="utf-8"))
    monkeypatch.syspath_prepend(str(place))
    yield
    sys.modules.pop("pigeon_post", None)


@contextmanager
def carried(url: str, folder: Path, loft: PigeonLoft, senders: str = "pigeon-post") -> Iterator[World]:
    options = json.dumps({"PIGEON_URL": loft.url, "PIGEON_KEY": KEY})
    with world(url, folder, SMS_SENDERS=senders, SENDER_OPTIONS=options) as city:
        yield city


def wave(city: World, people: int) -> list[str]:
    homes = [city.customer() for _ in range(people)]
    city.approved()
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    city.work()
    return homes


@pytest.mark.usefixtures("installed")
def test_it_carries_the_texts_and_its_reports_count(
    migrated_sqlite_copy: str, tmp_path: Path, loft: PigeonLoft
) -> None:
    with carried(migrated_sqlite_copy, tmp_path, loft) as city:
        homes = wave(city, 3)
        assert sorted(one["msisdn"] for one in loft.tickets) == sorted(
            city.address(one, Channel.SMS) for one in homes
        )
        assert city.reached() == []
        first = [city.deliveries(one)[0] for one in homes]
        assert {(one.state, one.sender) for one in first} == {(S.ACCEPTED, "pigeon-post")}
        assert loft.tell("handset") == [204] * 3
        assert {city.deliveries(one)[0].state for one in homes} == {S.DELIVERED}
        assert doctor.examine(city.rt)["twilio"].detail == "pigeon-post at its provider answers."


@pytest.mark.usefixtures("installed")
def test_what_it_calls_a_wrong_number_goes_on_to_the_next_channel(
    migrated_sqlite_copy: str, tmp_path: Path, loft: PigeonLoft
) -> None:
    with carried(migrated_sqlite_copy, tmp_path, loft) as city:
        (home,) = wave(city, 1)
        loft.tell("lost", "no_such_bird")
        city.reconcile()
        city.work()
        assert city.reached() == [("voice", city.address(home, Channel.VOICE))]
        assert city.contact(home, Channel.SMS).bad_reason == "provider code no_such_bird"


@pytest.mark.usefixtures("installed")
def test_it_is_asked_about_what_is_in_doubt_while_twilio_stands_in(
    migrated_sqlite_copy: str, tmp_path: Path, loft: PigeonLoft
) -> None:
    loft.mode = "lost"
    with carried(migrated_sqlite_copy, tmp_path, loft, "pigeon-post twilio-sms") as city:
        homes = wave(city, 30)
        taken = len(loft.tickets)
        assert TROUBLES <= taken < 30
        assert len(city.reached()) == 30 - taken
        assert city.states()[S.IN_DOUBT] == taken
        loft.mode = "ok"
        city.pass_time(seconds=151)
        assert city.reconcile().found == taken
        told = [one["msisdn"] for one in loft.tickets] + [number for _, number in city.reached()]
        assert sorted(told) == sorted(city.address(one, Channel.SMS) for one in homes)


@pytest.mark.usefixtures("installed")
def test_in_simulator_mode_it_is_left_out_unless_it_is_named(
    migrated_sqlite_copy: str, tmp_path: Path, loft: PigeonLoft
) -> None:
    """It might send real messages."""
    with carried(migrated_sqlite_copy, tmp_path, loft, senders="") as city:
        assert [one.name for one in city.rt.line(Channel.SMS)] == ["twilio-sms"]


def test_a_report_without_a_token_is_not_believed(
    migrated_sqlite_copy: str, tmp_path: Path, loft: PigeonLoft
) -> None:
    with world(migrated_sqlite_copy, tmp_path) as city:
        assert city.post("/webhooks/report/made-up", {"ticket": "P-1", "phase": "handset"}).status_code == 404
