"""A throwaway Redis server that keeps nothing on disk."""

from __future__ import annotations

import shutil
import signal
import socket

from tests.servers import process, programs


class RedisServer:
    """Starts when made; `flush` empties it for the next test."""

    def __init__(self) -> None:
        program = programs.redis_server()
        self._home = process.folder("redis")
        try:
            self._start(program)
        except BaseException:
            shutil.rmtree(self._home, ignore_errors=True)
            raise

    def _start(self, program: object) -> None:
        for attempt in range(3):
            self.port = process.free_port()
            try:
                self._run(program, f"server-{attempt}.log")
            except process.Unavailable:
                # Between asking for a free port and using it, somebody else may have taken it.
                if attempt == 2:
                    raise
            else:
                return

    def _run(self, program: object, log: str) -> None:
        options = ["--port", self.port, "--bind", "127.0.0.1", "--dir", self._home]
        options += ["--save", "", "--appendonly", "no", "--daemonize", "no"]
        self._process = process.ServerProcess(
            [str(program), *map(str, options)], self._home, self._home / log, signal.SIGKILL
        )
        self._process.wait_until(lambda: process.answers(self.port), 30)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def flush(self) -> None:
        """Forget everything, in all of its databases."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(b"FLUSHALL\r\n")
            answer = connection.recv(64)
        if not answer.startswith(b"+OK"):
            raise process.Unavailable(f"Redis did not forget: {answer!r}")

    def lose(self) -> None:
        """Forget everything and die at once."""
        self.flush()
        self._process.kill()

    def revive(self) -> None:
        """Start again at the same port, with nothing in it."""
        self._run(programs.redis_server(), "revived.log")

    def stop(self) -> None:
        self._process.stop()
        shutil.rmtree(self._home, ignore_errors=True)
