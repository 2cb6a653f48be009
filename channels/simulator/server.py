"""The simulator as a whole: its parts put together, started and stopped."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from channels.simulator.callbacks import Webhooks
from channels.simulator.calls import Calls
from channels.simulator.http_api import ApiServer
from channels.simulator.inbound import Inbound
from channels.simulator.ledger import Ledger
from channels.simulator.messages import Messages
from channels.simulator.resources import Records
from channels.simulator.script import Script
from channels.simulator.smtp import Mailboxes, MailServer
from channels.simulator.timeline import Timeline
from channels.simulator.wall_clock import utc_now

POLL = 0.05  # real seconds until `stop` is heard


class Simulator:
    """A provider of texts, calls and mail that obeys a script and keeps an honest ledger.

    Port 0 takes a free port. All that matters is in `state_dir`: started again there
    after a kill, it knows every message and takes up what was under way.
    """

    def __init__(
        self,
        port: int,
        smtp_port: int,
        state_dir: Path | str,
        account_sid: str,
        auth_token: str,
        now: Callable[[], datetime] = utc_now,
        webhook_inbound_url: str = "",
        webhook_call_url: str = "",
        host: str = "127.0.0.1",
        workers: int = 16,
    ) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self._host = host
        self._now = now
        state = Path(state_dir)
        self.ledger = Ledger(state / "ledger.jsonl")
        self.script = Script()
        self._timeline = Timeline(now, workers)
        self._webhooks = Webhooks(auth_token, workers)
        shared = (self.ledger, self.script, self._webhooks, self._timeline, now)
        self.messages = Messages(account_sid, Records(state / "messages.jsonl", now), *shared)
        self.calls = Calls(account_sid, Records(state / "calls.jsonl", now), *shared)
        self.inbound = Inbound(
            account_sid,
            self.messages,
            self.calls,
            self.ledger,
            self._webhooks,
            now,
            webhook_inbound_url,
            webhook_call_url,
        )
        self._script_file = state / "script.json"
        self._mailboxes = Mailboxes(self.ledger, self.script, now)
        self._mail = MailServer(self._mailboxes, host, smtp_port, account_sid, auth_token)
        self._http = ApiServer((host, port), self)
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(POLL,), name="simulator-http", daemon=True
        )

    @property
    def url(self) -> str:
        """Base address: the Twilio API (`api_base`) and the control paths under /simulator/."""
        return f"http://{self._host}:{self._http.server_address[1]}"

    @property
    def smtp_url(self) -> str:
        """Where mail is taken, as an SMTP_URL."""
        return f"smtp://{self._host}:{self._mail.port}"

    def start(self) -> None:
        """Open both doors and take up what a kill interrupted; returns at once."""
        if self._script_file.exists():
            self.script.load(json.loads(self._script_file.read_text(encoding="utf-8")))
        self._mail.start()
        self._thread.start()
        self.messages.resume()
        self.calls.resume()

    def serve_forever(self) -> None:
        """`start`, then wait until `stop` is called or the process ends."""
        self.start()
        self._thread.join()

    def stop(self) -> None:
        """Close the doors, finish what runs, close the files. What waits is taken up by the next start."""
        self._http.shutdown()
        self._http.server_close()
        self._http.hang_up()
        self._mail.stop()
        self._timeline.stop()
        self._webhooks.close()
        for part in (self.ledger, self.messages.records, self.calls.records):
            part.close()

    def load_script(self, given: Any) -> dict[str, int]:
        """Take a script and keep it for the next start; `{"rules": n}`."""
        count = self.script.load(given)
        self._script_file.write_text(json.dumps(self.script.dump()), encoding="utf-8")
        return {"rules": count}

    def settle(self, timeout: float = 30.0) -> bool:
        """Wait until nothing runs any more (what waits for the clock excepted)."""
        return self._timeline.settle(timeout)

    def health(self) -> dict[str, Any]:
        """Counters for whoever waits or watches."""
        state = self._timeline.state()
        return {
            "ok": state["broken"] == 0,
            **state,
            "messages": self.messages.records.count(),
            "calls": self.calls.records.count(),
            "mails": self._mailboxes.taken,
            "reached": self.ledger.count(),
            "webhooks": self._webhooks.state(),
            "now": self._now().isoformat(),
        }

    def show_ledger(self, query: Mapping[str, str]) -> dict[str, Any]:
        """`?channel=&to=&since=`: what reached whom."""
        entries = self.ledger.entries(
            query.get("channel", ""), query.get("to", ""), int(query.get("since", 0))
        )
        return {"count": len(entries), "entries": entries}

    def account(self) -> dict[str, Any]:
        """The account as Twilio's API shows it."""
        return {
            "sid": self.account_sid,
            "friendly_name": "Provider simulator",
            "status": "active",
            "type": "Full",
            "owner_account_sid": self.account_sid,
            "auth_token": None,
            "date_created": None,
            "date_updated": None,
            "subresource_uris": {},
            "uri": f"/2010-04-01/Accounts/{self.account_sid}.json",
        }

    def reset(self) -> dict[str, bool]:
        """Forget script, records and ledger. What still runs is waited for first."""
        self._timeline.forget()
        done = self._timeline.settle()
        self.load_script({"rules": [], "seed": 0})
        self.messages.clear()
        self.calls.records.clear()
        self.ledger.clear()
        return {"ok": done}
