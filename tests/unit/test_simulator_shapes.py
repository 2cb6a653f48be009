"""What the simulated API shows has the fields that Twilio publishes.

The client's classes are generated from Twilio's OpenAPI document, so the fields that
they read are the published ones.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from twilio.rest.api.v2010.account import AccountInstance
from twilio.rest.api.v2010.account.call import CallInstance
from twilio.rest.api.v2010.account.message import MessageInstance

from channels.simulator.messages import segments
from fakes.simulation import ACCOUNT, OURS, TOKEN, Simulation, simulation

ADA = "+447700900101"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulation]:
    with simulation(tmp_path) as running:
        yield running


def published(instance: type) -> set[str]:
    found = set(re.findall(r'payload\.get\(\s*"(\w+)"', inspect.getsource(instance.__init__)))  # type: ignore[misc]
    assert len(found) > 5
    return found


def get(world: Simulation, path: str, **query: str) -> Any:
    return requests.get(
        f"{world.simulator.url}/2010-04-01/Accounts/{ACCOUNT}{path}.json",
        params=query,
        auth=(ACCOUNT, TOKEN),
        timeout=5,
    ).json()


def post(world: Simulation, path: str, **form: str) -> Any:
    url = f"{world.simulator.url}/2010-04-01/Accounts/{ACCOUNT}{path}.json"
    return requests.post(url, data=form, auth=(ACCOUNT, TOKEN), timeout=5).json()


def test_messages_calls_and_the_account_have_the_published_fields(world: Simulation) -> None:
    sent = post(world, "/Messages", To=ADA, From=OURS, Body="hello")
    called = post(world, "/Calls", To=ADA, From=OURS, Url=f"{world.hook.url}/voice")
    assert set(sent) == published(MessageInstance)
    assert set(called) == published(CallInstance)
    assert set(get(world, "")) == published(AccountInstance)
    assert get(world, f"/Messages/{sent['sid']}")["sid"] == sent["sid"]
    assert get(world, f"/Calls/{called['sid']}")["sid"] == called["sid"]


def test_sids_and_dates_have_their_form(world: Simulation) -> None:
    sent = post(world, "/Messages", To=ADA, From=OURS, Body="hello")
    assert re.fullmatch(r"SM[0-9a-f]{32}", sent["sid"])
    assert sent["date_created"] == "Fri, 17 Apr 2026 09:00:00 +0000"
    assert sent["date_sent"] is None and sent["status"] == "queued"
    called = post(world, "/Calls", To=ADA, From=OURS, Url=f"{world.hook.url}/voice")
    assert re.fullmatch(r"CA[0-9a-f]{32}", called["sid"])


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, 21604),
        ({"To": "hello", "From": OURS, "Body": "x"}, 21211),
        ({"To": ADA, "Body": "x"}, 21603),
        ({"To": ADA, "From": OURS}, 21602),
        ({"To": ADA, "From": OURS, "Body": "x" * 1601}, 21617),
        ({"To": ADA, "From": OURS, "Body": "x", "ValidityPeriod": "0"}, 21624),
        ({"To": ADA, "From": OURS, "Body": "x", "ValidityPeriod": "36001"}, 21624),
    ],
)
def test_a_message_that_twilio_would_refuse_is_refused(
    world: Simulation, form: dict[str, str], code: int
) -> None:
    error = post(world, "/Messages", **form)
    assert (error["code"], error["status"]) == (code, 400)
    assert set(error) == {"code", "message", "more_info", "status"}


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": "x", "From": OURS, "Url": "http://a/"}, 21211),
        ({"To": ADA, "From": "MG1", "Url": "http://a/"}, 21212),
        ({"To": ADA, "From": OURS}, 21205),
    ],
)
def test_a_call_that_twilio_would_refuse_is_refused(
    world: Simulation, form: dict[str, str], code: int
) -> None:
    assert post(world, "/Calls", **form)["code"] == code


def test_pages_name_their_neighbours(world: Simulation) -> None:
    for _ in range(3):
        post(world, "/Messages", To=ADA, From=OURS, Body="hello")
    first = get(world, "/Messages", To=ADA, PageSize="2")
    assert (len(first["messages"]), first["page"], first["start"], first["end"]) == (2, 0, 0, 1)
    assert first["previous_page_uri"] is None
    assert first["next_page_uri"].startswith(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?")
    last = get(world, "/Messages", To=ADA, PageSize="2", Page="1")
    assert len(last["messages"]) == 1 and last["next_page_uri"] is None
    assert get(world, "/Messages", PageSize="many")["status"] == 400


def test_strangers_and_unknown_paths(world: Simulation) -> None:
    base = world.simulator.url
    assert requests.get(f"{base}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", timeout=5).status_code == 401
    for path in ("/2010-04-01/Accounts/AC0/Messages.json", f"/2010-04-01/Accounts/{ACCOUNT}/Faxes.json", "/"):
        answer = requests.get(base + path, auth=(ACCOUNT, TOKEN), timeout=5)
        assert (answer.status_code, answer.json()["code"]) == (404, 20404)
    assert get(world, "/Messages/SM0")["code"] == 20404
    assert requests.get(f"{base}/simulator/nothing", timeout=5).status_code == 404
    assert requests.post(f"{base}/simulator/script", data="not json", timeout=5).status_code == 400


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("停" * 70, 1),
        ("停" * 71, 2),
        ("a – b", 1),
        ("–" + "a" * 70, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_segments(text: str, count: int) -> None:
    assert segments(text) == count
