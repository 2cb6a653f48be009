"""The scripted faults: who is called how, what goes wrong, and how often.

A script is a list of rules. Each rule names a channel, addresses and a share, and says
what to `do`. All rules that apply are merged, the earlier one winning where two say
something about the same thing, so that "3% of answers are lost" and "this number is
dead" stand side by side. Shares are drawn from the seed, the rule, the address and the
number of the attempt: the same run draws the same faults whatever the threads do.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

CHANNELS = frozenset({"sms", "voice", "email", "*"})
API = frozenset({"ok", "lost", "dropped", "429", "500", "500-taken", "garbage", "reject"})
QUESTIONS = frozenset({"ok", "dropped", "429", "500", "garbage"})
SMS_OUTCOMES = frozenset({"delivered", "undelivered", "failed", "sent", "queued"})
CALL_OUTCOMES = frozenset({"human", "machine", "fax", "unknown", "busy", "no-answer", "failed", "canceled"})
SMTP = frozenset({"ok", "reject", "defer", "drop", "drop-untaken"})
ORDERS = frozenset({"normal", "reversed"})


class ScriptError(ValueError):
    """The script says something that the simulator does not know; the message names it."""


@dataclass(frozen=True)
class Behaviour:
    """What happens to one message. The defaults are the happy path; a call's default presses no key."""

    api: str = "ok"
    code: int = 21211  # Twilio's code where `api` is "reject"
    retry_after: float = 1.0  # seconds, where `api` is "429"
    answer_delay: float = 0.0  # real seconds before the API answers; what it takes is already taken
    outcome: str = ""  # "" is delivered, or a human
    error_code: int = 0  # in status callbacks
    delay: float = 0.0  # seconds, on the given clock, until the outcome
    keys: tuple[str, ...] = ()  # what is pressed at the first, second ... question
    callback_delay: float = 0.0  # seconds, on the given clock
    callback_repeat: int = 1  # how often each callback is posted
    callback_order: str = "normal"
    callback_drop: bool = False
    list_lag: float = 0.0  # seconds, on the given clock, until the provider's list shows it
    smtp: str = "ok"
    smtp_code: int = 0  # the answer where `smtp` is "reject" (550) or "defer" (450)


NAMES = {one.name for one in fields(Behaviour)}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "ok": {},
    "invalid_number": {"api": "reject", "code": 21211},
    "opted_out": {"api": "reject", "code": 21610},
    "dead_number": {"outcome": "undelivered", "error_code": 30005},
    "unreachable": {"outcome": "undelivered", "error_code": 30003},
    "no_receipt": {"outcome": "sent"},
    "stuck": {"outcome": "queued"},
    "busy": {"outcome": "busy"},
    "no_answer": {"outcome": "no-answer"},
    "dead_line": {"outcome": "failed"},
    "machine": {"outcome": "machine"},
    "no_key": {"keys": []},
    "slow_answer": {"answer_delay": 2.0},
    "lost_answer": {"api": "lost"},
    "dropped": {"api": "dropped"},
    "rate_limited": {"api": "429"},
    "server_error": {"api": "500"},
    "server_error_taken": {"api": "500-taken"},
    "garbage": {"api": "garbage"},
    "late_callbacks": {"callback_delay": 60.0},
    "repeated_callbacks": {"callback_repeat": 2},
    "reversed_callbacks": {"callback_order": "reversed"},
    "no_callbacks": {"callback_drop": True},
    "lagging_list": {"list_lag": 60.0},
    "bad_mailbox": {"smtp": "reject"},
    "mailbox_later": {"smtp": "defer"},
    "lost_mail_answer": {"smtp": "drop"},
    "dropped_mail": {"smtp": "drop-untaken"},
}

ALLOWED: Mapping[str, frozenset[str]] = {
    "api": API,
    "outcome": SMS_OUTCOMES | CALL_OUTCOMES,
    "callback_order": ORDERS,
    "smtp": SMTP,
}


@dataclass
class Rule:
    """One line of the script. `to` empty means everybody; `times` limits how often it strikes."""

    channel: str = "*"
    to: frozenset[str] = frozenset()
    share: float = 1.0
    times: int | None = None
    do: Mapping[str, Any] = field(default_factory=dict)
    struck: int = 0

    @classmethod
    def parse(cls, given: Any) -> Rule:
        """A rule from JSON. Raises `ScriptError` with the word that is not understood."""
        if not isinstance(given, dict):
            raise ScriptError('A rule is an object such as {"to": "+4477...", "do": "dead_number"}.')
        if unknown := set(given) - {"channel", "to", "share", "times", "do"}:
            raise ScriptError(f"A rule has no {min(unknown)!r}; it has channel, to, share, times, do.")
        channel = given.get("channel", "*")
        if channel not in CHANNELS:
            raise ScriptError(f"channel is one of {', '.join(sorted(CHANNELS))}, not {channel!r}.")
        to = given.get("to") or []
        addresses = [] if to == "*" else [to] if isinstance(to, str) else list(to)
        share, times = float(given.get("share", 1.0)), given.get("times")
        if not 0 <= share <= 1:
            raise ScriptError("share is a number from 0 to 1.")
        return cls(channel, frozenset(addresses), share, times, parse_do(given.get("do", {})))


def parse_do(given: Any) -> Mapping[str, Any]:
    """What a rule does, from a preset's name, `press:KEYS`, an object, or a list of these (first wins)."""
    if isinstance(given, list):
        merged: dict[str, Any] = {}
        for one in reversed(given):
            merged.update(parse_do(one))
        return merged
    if isinstance(given, str):
        if given.startswith("press:"):
            # "press:1" answers the first question, "press:,1" only its repetition.
            return {"keys": tuple(given.removeprefix("press:").split(","))}
        if given not in PRESETS:
            raise ScriptError(f"There is no {given!r}; there are press:KEY, {', '.join(sorted(PRESETS))}.")
        return parse_do(dict(PRESETS[given]))
    if not isinstance(given, dict):
        raise ScriptError("do is a name, an object, or a list of these.")
    for name, value in given.items():
        if name not in NAMES:
            raise ScriptError(f"do knows no {name!r}; it knows {', '.join(sorted(NAMES))}.")
        if name in ALLOWED and value not in ALLOWED[name]:
            raise ScriptError(f"{name} is one of {', '.join(sorted(ALLOWED[name]))}, not {value!r}.")
    return {name: tuple(value) if name == "keys" else value for name, value in given.items()}


class Script:
    """The rules in force. Thread-safe.

    `questions` say what happens to whoever asks (lists, single messages, the account): a provider
    that is down answers these no better than what sends.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._asked: Mapping[str, Any] = {}
        self._seed = 0
        self._attempts: Counter[tuple[str, str]] = Counter()

    def load(self, given: Any) -> int:
        """Take a script (`{"seed", "append", "rules", "questions"}`) whole or not at all; the number of
        rules in force. Without a seed the draws go on as they were."""
        if not isinstance(given, dict) or set(given) - {"seed", "append", "rules", "questions"}:
            raise ScriptError('A script is {"seed": 1, "append": false, "rules": [...], "questions": "ok"}.')
        rules = [Rule.parse(one) for one in given.get("rules", [])]
        kept = self._asked if given.get("append") else "ok"
        asked = parse_do(given.get("questions", kept))
        if asked.get("api", "ok") not in QUESTIONS:
            raise ScriptError(f"questions come to {', '.join(sorted(QUESTIONS))}, not {asked['api']!r}.")
        with self._lock:
            self._asked = asked
            if "seed" in given:
                self._seed = int(given["seed"])
                self._attempts.clear()
            self._rules = [*rules, *self._rules] if given.get("append") else rules
            return len(self._rules)

    @property
    def questions(self) -> Behaviour:
        """What happens to whoever asks."""
        return Behaviour(**self._asked)

    def dump(self) -> dict[str, Any]:
        """The rules in force in the form that `load` takes; a limit of `times` starts anew."""
        with self._lock:
            rules = [
                {
                    "channel": rule.channel,
                    "to": sorted(rule.to),
                    "share": rule.share,
                    "times": rule.times,
                    "do": dict(rule.do),
                }
                for rule in self._rules
            ]
            return {"seed": self._seed, "rules": rules, "questions": dict(self._asked)}

    def draw(self, channel: str, to: str) -> Behaviour:
        """What happens to the next message to this address."""
        with self._lock:
            self._attempts[channel, to] += 1
            attempt = self._attempts[channel, to]
            chosen: dict[str, Any] = {}
            for number, rule in enumerate(self._rules):
                if rule.channel not in ("*", channel) or (rule.to and to not in rule.to):
                    continue
                if rule.times is not None and rule.struck >= rule.times:
                    continue
                if rule.share < 1:
                    # Drawn to be repeatable; nothing here is secret.
                    draw = f"{self._seed}/{number}/{channel}/{to}/{attempt}"
                    chance = random.Random(draw).random()  # noqa: S311
                    if chance >= rule.share:
                        continue
                rule.struck += 1
                chosen = {**rule.do, **chosen}
        return Behaviour(**chosen)
