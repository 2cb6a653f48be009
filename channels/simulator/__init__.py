"""A provider simulator over real HTTP and SMTP: Twilio's messages and calls, and a mail server.

The product talks to it with the same clients as to the real ones. What reached whom
stands in its ledger, which the product cannot write; what goes wrong is scripted.
"""

from channels.simulator.script import ScriptError
from channels.simulator.server import Simulator

__all__ = ["ScriptError", "Simulator"]
