"""A server that lives as long as the tests do, and not a moment longer.

Promises: an own folder, an own process group, an account that is not root's (PostgreSQL
refuses root), and an end in every case: `stop` at the end of the tests, and a signal from
the kernel when the tests themselves are killed. What a killed run left on disk is
removed by the next one. Knows no particular server; those are beside it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PREFIX = "outage-notify-tests-"
PR_SET_PDEATHSIG = 1
LOWEST_PORT = 12_000


class Unavailable(Exception):
    """A server is there but does not come up; the message holds the end of its log."""


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now, and that no connection is given by the kernel.

    One from the kernel's own range could be the near end of anybody's connection by the time a server takes it."""
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(ephemeral.read_text().split()[0]) if ephemeral.exists() else 0
    tries = (LOWEST_PORT + secrets.randbelow(first - LOWEST_PORT) for _ in range(200))
    for port in tries if first > 2 * LOWEST_PORT else ():
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def account() -> pwd.struct_passwd | None:
    """Who servers run as: nobody of importance when the tests run as root, else the same user (None)."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Unavailable("running as root, and there is neither an account 'postgres' nor 'nobody' for servers")


def folder(name: str) -> Path:
    """A new folder that belongs to the servers' account, named for this process so that it can be swept."""
    _sweep()
    # Not pytest's tmp_path: its parents are closed to other accounts.
    path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-{name}-"))
    who = account()
    if who is not None:
        os.chown(path, who.pw_uid, who.pw_gid)
    return path


def _sweep() -> None:
    """Remove the folders of runs that were killed before they could do it themselves."""
    for old in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = old.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not _runs(int(owner)):
            shutil.rmtree(old, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a server: nothing of the user's own settings but the path."""
    return {"PATH": os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin", "LANG": "C.UTF-8", **extra}


def run(command: Sequence[str | Path], home: Path, timeout: float = 120) -> None:
    """Run a preparing command in `home` as the servers' account; Unavailable with its words if it fails."""
    who = account()
    done = subprocess.run(
        list(map(str, command)),
        cwd=home,
        env=environment({"HOME": str(home)}),
        user=who.pw_uid if who else None,
        group=who.pw_gid if who else None,
        extra_groups=[] if who else None,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
    )
    if done.returncode != 0:
        raise Unavailable(f"{Path(command[0]).name} failed: {done.stdout.strip()[-600:]}")


class ServerProcess:
    """One running server program; `log` is where its words go.

    `last_signal` is what ends it, at `stop` and when the tests die: the data are thrown
    away, so the quickest way that takes its child processes along is the best one. To be
    made in the main thread: the kernel takes the end of the starting thread for the death of the tests.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        home: Path,
        log: Path,
        last_signal: signal.Signals,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        self.name = Path(command[0]).name
        self._last_signal = last_signal
        who = account()
        # Loaded here, because a child between fork and exec must not load anything.
        prctl = getattr(ctypes.CDLL(None), "prctl", None)
        parent = os.getpid()

        def die_with_parent() -> None:
            # After the change of account, which would clear it again.
            if prctl is not None:
                prctl(PR_SET_PDEATHSIG, int(last_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

        with log.open("ab") as out:
            self._process = subprocess.Popen(
                list(map(str, command)),
                cwd=home,
                env=environment({"HOME": str(home), **(extra or {})}),
                user=who.pw_uid if who else None,
                group=who.pw_gid if who else None,
                extra_groups=[] if who else None,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Return as soon as `ready()`; Unavailable when the server ends before, or the time is up."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self._process.poll() is not None:
                raise Unavailable(f"{self.name} ended with status {self._process.returncode}: {self._tail()}")
            if time.monotonic() > deadline:
                self.stop()
                raise Unavailable(f"{self.name} was not ready after {seconds:.0f} s: {self._tail()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server and all that it started. Called twice, it does nothing the second time."""
        if self._process.poll() is None:
            self._process.send_signal(self._last_signal)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        # Its process group outlives it when a child did not follow.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL to the program itself, as an accident would; what it started is left to notice."""
        self._process.kill()
        self._process.wait()

    def end_by(self, number: signal.Signals, seconds: float = 60) -> None:
        """Ask it by a signal to end, and wait for that."""
        self._process.send_signal(number)
        self._process.wait(timeout=seconds)

    def _tail(self) -> str:
        try:
            text = self.log.read_text(errors="replace")
        except OSError as error:
            return f"(no log: {error.strerror})"
        return " | ".join(text.strip().splitlines()[-6:]) or "(it said nothing)"


def answers(port: int) -> bool:
    """Whether something accepts connections on the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
