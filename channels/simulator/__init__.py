"""A provider simulator over real HTTP and SMTP: Twilio's messages and calls, and a mail server.

The product talks to it with the same clients as to the real ones. What reached whom
stands in its ledger, which the product cannot write; what goes wrong is scripted.

    POST /simulator/script  {"seed": 7, "append": false, "questions": "server_error", "rules": [
                                {"to": "+447700900101", "do": "dead_number"},
                                {"channel": "voice", "to": ["+447700900102"], "do": "press:,1"},
                                {"channel": "sms", "share": 0.03, "do": "lost_answer"},
                                {"channel": "email", "times": 2, "do": {"smtp": "defer"}}]}
    POST /simulator/reply   {"from": "+447700900101", "body": "1"}    a person writes to us
    POST /simulator/call    {"from": "+447700900101", "keys": ["1"]}  a person calls us
    POST /simulator/reset   {}
    GET  /simulator/ledger  ?channel=sms&to=...&since=SEQ             what reached whom
    GET  /simulator/health                                            counters; `running` 0: nothing moves

Names and fields of `do` and `questions` are those of `script.PRESETS` and `script.Behaviour`. An entry of
the ledger has seq, channel, to, subject, text, reached_at, provider_id, digits and times;
calls add questions, languages and problem, mails add html and attachments.
"""

from channels.simulator.script import ScriptError
from channels.simulator.server import Simulator

__all__ = ["ScriptError", "Simulator"]
