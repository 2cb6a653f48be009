"""A throwaway RabbitMQ server with a node name, ports, data and epmd of its own.

It needs neither systemd nor the service's account, and does not meet a RabbitMQ or another
Erlang program that already runs here. Virtual hosts are made over its management
interface, because each call of rabbitmqctl takes seconds.
"""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import signal
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from tests.servers import process, programs

USER = "tests"

CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {http}
default_user = {user}
default_pass = {password}
default_user_tags.administrator = true
loopback_users.{user} = true
disk_free_limit.absolute = 1MB
log.console = true
log.console.level = warning
log.file = false
"""


class RabbitServer:
    """Starts when made, which takes about ten seconds."""

    def __init__(self) -> None:
        scripts = programs.rabbitmq_folder()
        self._home = process.folder("rabbitmq")
        self._password = secrets.token_hex(16)
        self._epmd: process.ServerProcess | None = None
        self._node: process.ServerProcess | None = None
        try:
            self._start(scripts)
        except BaseException:
            self.stop()
            raise

    def _start(self, scripts: Path) -> None:
        self.port, self._http = process.free_port(), process.free_port()
        epmd_port, distribution_port = process.free_port(), process.free_port()
        home = self._home
        configuration = CONFIGURATION.format(
            amqp=self.port, http=self._http, user=USER, password=self._password
        )
        (home / "rabbitmq.conf").write_text(configuration)
        (home / "enabled_plugins").write_text("[rabbitmq_management].\n")
        (home / "nothing.conf").write_text("")
        who = process.account()
        if who is not None:
            for file in home.iterdir():
                shutil.chown(file, who.pw_uid, who.pw_gid)
        extra = {
            "ERL_EPMD_PORT": str(epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"tests{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(home / "nothing.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "config"),
            "RABBITMQ_SCHEMA_DIR": str(home / "schema"),
            "RABBITMQ_PID_FILE": str(home / "node.pid"),
            # Erlang takes the shell's place, so that our signal reaches it and no proxy stays behind.
            "RABBITMQ_ALLOW_INPUT": "true",
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
            # A thread per processor of a large machine would only cost memory here.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +A 4",
        }
        # Erlang would start epmd as a daemon that outlives the tests; this one is ours to end.
        self._epmd = process.ServerProcess(
            ["epmd", "-port", str(epmd_port), "-address", "127.0.0.1"],
            home,
            home / "epmd.log",
            signal.SIGKILL,
        )
        self._epmd.wait_until(lambda: process.answers(epmd_port), 20)
        self._command, self._extra = scripts / "rabbitmq-server", extra
        self.revive()

    def lose(self) -> None:
        """Empty every queue of the tests, then kill the node; its queues are still declared when it revives."""
        for queue in self._read("queues"):
            vhost, name = (urllib.parse.quote(queue[key], safe="") for key in ("vhost", "name"))
            self._ask("DELETE", f"queues/{vhost}/{name}/contents")
        if self._node is not None:
            self._node.kill()

    def revive(self) -> None:
        """Start the node, at the same ports, and wait until it answers."""
        home = self._home
        self._node = process.ServerProcess(
            [self._command], home, home / "node.log", signal.SIGKILL, self._extra
        )
        self._node.wait_until(self._is_ready, 120)

    def _is_ready(self) -> bool:
        try:
            self._ask("GET", "overview")
        except OSError:
            return False
        return process.answers(self.port)

    def _read(self, path: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self._ask("GET", path))
        return found

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> bytes:
        pair = base64.b64encode(f"{USER}:{self._password}".encode()).decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._http}/api/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Basic {pair}", "Content-Type": "application/json"},
        )
        # A proxy of the environment must not be asked for our own machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            content: bytes = answer.read()
        return content

    def create_vhost(self) -> str:
        """A new, empty virtual host; its URL as Celery reads it."""
        name = f"test-{secrets.token_hex(6)}"
        self._ask("PUT", f"vhosts/{name}", {})
        self._ask("PUT", f"permissions/{name}/{USER}", {"configure": ".*", "write": ".*", "read": ".*"})
        return f"amqp://{USER}:{self._password}@127.0.0.1:{self.port}/{name}"

    def drop_vhost(self, url: str) -> None:
        """Drop it with its queues, and with the connections that a test left open."""
        self._ask("DELETE", f"vhosts/{url.rpartition('/')[2]}")

    def stop(self) -> None:
        for one in (self._node, self._epmd):
            if one is not None:
                one.stop()
        shutil.rmtree(self._home, ignore_errors=True)
