"""`python -m channels.simulator`: a simulated provider by itself, by the real clock, until it is ended.

Prints its addresses as one line of JSON as soon as both doors are open.
"""

from __future__ import annotations

import argparse
import json
import signal

from channels.simulator.server import Simulator


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m channels.simulator", description=__doc__)
    parser.add_argument("state_dir", help="folder that keeps ledger and records")
    parser.add_argument("--port", type=int, default=0, help="HTTP port; 0 takes a free one")
    parser.add_argument("--smtp-port", type=int, default=0, help="SMTP port; 0 takes a free one")
    parser.add_argument("--account-sid", default="AC" + "0" * 32)
    parser.add_argument(
        "--auth-token", default="simulated", help="signs callbacks; no secret, nothing is real"
    )
    parser.add_argument("--inbound-url", default="", help="webhook for texts that people send")
    parser.add_argument("--inbound-call-url", default="", help="webhook for calls that people make")
    given = parser.parse_args()
    simulator = Simulator(
        given.port,
        given.smtp_port,
        given.state_dir,
        given.account_sid,
        given.auth_token,
        webhook_inbound_url=given.inbound_url,
        webhook_call_url=given.inbound_call_url,
    )
    ended = [signal.SIGTERM, signal.SIGINT]
    signal.pthread_sigmask(signal.SIG_BLOCK, ended)
    simulator.start()
    print(json.dumps({"url": simulator.url, "smtp_url": simulator.smtp_url}), flush=True)
    signal.sigwait(ended)
    simulator.stop()


if __name__ == "__main__":
    main()
