"""`serve` as an operator meets it: it answers, it ends in order, and it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _until(question: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + PATIENCE
    while not question():
        assert time.monotonic() < limit, what
        time.sleep(0.05)


def _children(parent: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in listed.stdout.split()]


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class Served:
    """One `outage-notify serve` in simulator mode; the provider is not there, and nothing is sent."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        nobody = _free_port()
        settings = {
            "SIMULATOR": "1",
            "STATE_DIR": str(folder),
            "TIMEZONE": "Europe/Berlin",
            "BASE_URL": f"http://127.0.0.1:{self.port}",
            "TWILIO_API_BASE": f"http://127.0.0.1:{nobody}",
        }
        environment = os.environ | {f"OUTAGE_NOTIFY_{name}": value for name, value in settings.items()}
        self.log = folder / "log"
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "outage_notify", "serve"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log, stdout=log)

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5).ok
        except requests.ConnectionError:
            return False


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    one = Served(tmp_path)
    yield one
    if one.process.poll() is None:
        one.process.kill()
        one.process.wait()


def test_it_answers_and_ends_with_all_its_children(served: Served) -> None:
    _until(served.answers, "the web server does not answer")
    children = _children(served.process.pid)
    assert len(children) == 2, "web server and worker"
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(PATIENCE) == 0, served.log.read_text(encoding="utf-8")
    assert [pid for pid in children if _alive(pid)] == []


def test_when_one_child_ends_the_others_end_too(served: Served) -> None:
    _until(served.answers, "the web server does not answer")
    children = _children(served.process.pid)
    os.kill(children[0], signal.SIGKILL)
    assert served.process.wait(PATIENCE) == 1
    assert [pid for pid in children if _alive(pid)] == []
    assert "Ended by itself" in served.log.read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")
def test_killed_it_leaves_nothing_behind(served: Served) -> None:
    _until(served.answers, "the web server does not answer")
    children = _children(served.process.pid)
    served.process.kill()
    served.process.wait()
    _until(lambda: not any(_alive(pid) for pid in children), "a child lives on")


def test_a_taken_port_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = {
            "SIMULATOR": "1",
            "STATE_DIR": str(tmp_path),
            "TIMEZONE": "Europe/Berlin",
            "BASE_URL": f"http://127.0.0.1:{taken.getsockname()[1]}",
        }
        environment = os.environ | {f"OUTAGE_NOTIFY_{name}": value for name, value in settings.items()}
        command = [sys.executable, "-m", "outage_notify", "serve"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    assert done.returncode == 2 and "is taken" in done.stderr
