"""A throwaway PostgreSQL server, and a fresh database for each test.

Speaks TCP on the loopback interface with a password, as production does, and lives in
a time zone that is neither UTC nor the product's default, so that a time that
depends on the server's zone is found out.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import time

import psycopg
from psycopg import sql

from tests.servers import process, programs

USER = "outage_notify"


class PostgresServer:
    """Starts when made.

    `durable=False` does not wait for the disk; right for all tests but those that stop the server itself.
    """

    def __init__(self, durable: bool = False) -> None:
        programs_at = programs.postgres_folder()
        self._home = process.folder("postgres")
        self._password = secrets.token_hex(16)
        data, words = self._home / "data", self._home / "password"
        words.write_text(self._password)
        who = process.account()
        if who is not None:
            shutil.chown(words, who.pw_uid, who.pw_gid)
        words.chmod(0o600)
        options = ["-D", str(data), "-U", USER, f"--pwfile={words}", "--auth=scram-sha-256"]
        options += ["--encoding=UTF8", "--locale=C.UTF-8"]
        quick = [] if durable else ["--no-sync"]
        try:
            process.run([str(programs_at / "initdb"), *options, *quick], self._home)
            self._program, self._data, self._durable = programs_at / "postgres", data, durable
            self._start()
        except BaseException:
            shutil.rmtree(self._home, ignore_errors=True)
            raise

    def _start(self) -> None:
        for attempt in range(3):
            self.port = process.free_port()
            try:
                self._run(f"server-{attempt}.log")
            except process.Unavailable:
                # Between asking for a free port and using it, somebody else may have taken it.
                if attempt == 2:
                    raise
            else:
                return

    def _run(self, log: str) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "timezone": "America/St_Johns",
            "log_timezone": "UTC",
            "port": str(self.port),
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._process = process.ServerProcess(
            [str(self._program), "-D", str(self._data), *options],
            self._home,
            self._home / log,
            # Immediate shutdown: the postmaster takes its children along and writes nothing.
            signal.SIGQUIT,
        )
        self._process.wait_until(self._accepts, 60)

    def restart(self) -> None:
        """As an administrator does: connections are cut, the data are written, it comes back at the same port."""
        self._process.end_by(signal.SIGINT)
        self._run("restarted.log")

    def crash(self) -> None:
        """kill -9 of the postmaster, then a start that recovers from its log. Only for a durable server."""
        self._process.kill()
        for attempt in range(50):
            try:
                self._run("recovered.log")
            except process.Unavailable:
                # It refuses while a child of the dead one still holds the shared memory.
                if attempt == 49:
                    raise
                time.sleep(0.2)
            else:
                return

    def _conninfo(self, database: str) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def _accepts(self) -> bool:
        try:
            psycopg.connect(self._conninfo("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def create_database(self, template: str = "") -> str:
        """A new database, empty or a copy of the one at the URL `template` (which nobody may be using).

        Its URL is as SQLAlchemy reads it.
        """
        name = f"test_{secrets.token_hex(6)}"
        source = template.rpartition("/")[2] or "template0"
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(command.format(sql.Identifier(name), sql.Identifier(source)))
        return self._conninfo(name).replace("postgresql://", "postgresql+psycopg://", 1)

    def drop_database(self, url: str) -> None:
        """Drop it, together with the connections that a test left open."""
        name = url.rpartition("/")[2]
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._process.stop()
        shutil.rmtree(self._home, ignore_errors=True)
