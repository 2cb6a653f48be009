"""nginx with the project's own configuration (`docs/nginx.conf`) in front of a server on the loopback interface.

Only what belongs to a machine is changed: ports, host name, folders, certificate; each such change must find its place
in the file. `address` is https with a certificate that nobody signed, or, for measuring, http.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from tests.servers import process, programs

CONFIGURATION = Path(__file__).parents[2] / "docs" / "nginx.conf"
HOST = "outages.example.com"
_MAIN = """
pid {home}/nginx.pid;
error_log {home}/main.log;
daemon off;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    sendfile on;
    tcp_nopush on;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    {more}
    include {home}/site.conf;
}}
"""


class NginxServer:
    """Starts when made; `backend` is the port of the application. `more`: further servers, for measuring.
    `files`: the folder that the application prints into."""

    def __init__(
        self, backend: int, encrypted: bool = True, more: str = "", files: Path | None = None
    ) -> None:
        program = programs.nginx()
        self.home = process.folder("nginx")
        self._files = files or self.home / "nothing-printed"
        self.log = self.home / "outage-notify.log"
        self.errors = self.home / "outage-notify-error.log"
        try:
            self._start(program, backend, encrypted, more)
        except BaseException:
            shutil.rmtree(self.home, ignore_errors=True)
            raise

    def _start(self, program: Path, backend: int, encrypted: bool, more: str) -> None:
        self._certify()
        for attempt in range(3):
            self.port, http = process.free_port(), process.free_port()
            self.address = f"http{'s' if encrypted else ''}://127.0.0.1:{self.port}"
            (self.home / "site.conf").write_text(self._site(backend, encrypted, http))
            (self.home / "main.conf").write_text(_MAIN.format(home=self.home, more=more))
            self._process = process.ServerProcess(
                [program, "-p", self.home, "-c", self.home / "main.conf", "-e", self.home / "main.log"],
                self.home,
                self.home / f"server-{attempt}.log",
                signal.SIGTERM,
            )
            try:
                self._process.wait_until(lambda: process.answers(self.port), 30)
            except process.Unavailable:
                # Between asking for a free port and using it, somebody else may have taken it.
                if attempt == 2:
                    raise
            else:
                return

    def _certify(self) -> None:
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ]
        command += ["-keyout", "key.pem", "-out", "full.pem", "-days", "2", "-subj", f"/CN={HOST}"]
        process.run(command, self.home)

    def _site(self, backend: int, encrypted: bool, http: int) -> str:
        ssl = " ssl http2" if encrypted else ""
        live = f"/etc/letsencrypt/live/{HOST}"
        changes = {
            "server 127.0.0.1:8000;": f"server 127.0.0.1:{backend};",
            "/var/lib/outage-notify/public": str(self._files),
            "/var/cache/nginx/outage-notify": f"{self.home}/cache",
            "    listen 443 ssl http2;\n": f"    listen 127.0.0.1:{self.port}{ssl};\n",
            "    listen [::]:443 ssl http2;\n": "",
            "    listen 80;\n": f"    listen 127.0.0.1:{http};\n",
            "    listen [::]:80;\n": "",
            f"{live}/fullchain.pem": f"{self.home}/full.pem",
            f"{live}/privkey.pem": f"{self.home}/key.pem",
            "/var/log/nginx/outage-notify-error.log": str(self.errors),
            "/var/log/nginx/outage-notify.log": str(self.log),
            # Tests read what was logged at once; who measures does not.
            " buffer=32k flush=5s": "" if encrypted else " buffer=32k flush=5s",
        }
        text = CONFIGURATION.read_text()
        for old, new in changes.items():
            if old not in text:
                raise process.Unavailable(f"{CONFIGURATION.name} has no {old.strip()!r}")
            text = text.replace(old, new)
        return text

    def stop(self) -> None:
        self._process.stop()
        shutil.rmtree(self.home, ignore_errors=True)
