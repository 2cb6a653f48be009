"""Is this installation fit to tell people? One finding per part, in plain words.

Promises: looks and changes no fact; one broken part never hides another; a secret never
appears in a finding. Leaves mending to the person: each finding that is not ok says how.
"""

from __future__ import annotations

import shutil
import zoneinfo
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from channels.document import missing_fonts
from channels.identity import IdentityFault
from channels.model import Channel
from channels.signing import key_file_warning
from outage_notify.clock import machine_instant
from outage_notify.domain.errors import OutageNotifyError
from outage_notify.policies import days_off
from outage_notify.services import doctor_senders
from outage_notify.services.doctor_broker import ask_broker
from outage_notify.settings import LOOPBACK, PREFIX
from outage_notify.store import clock_queries, health, migrate

if TYPE_CHECKING:
    from outage_notify.services.runtime import Runtime

MOST_SKEW = timedelta(seconds=5)
LEAST_FREE = 200 << 20  # bytes in the state folder


@dataclass(frozen=True)
class Finding:
    """`detail` says what was found; `remedy` what to do when it is not ok."""

    ok: bool
    detail: str = ""
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine(rt: Runtime) -> dict[str, Finding]:
    """Every check by name, in the order in which one would mend things."""
    checks: dict[str, Callable[[Runtime], Finding]] = {
        "database": _database,
        "state_dir": _state_dir,
        "broker": _broker,
        "timezone": _timezone,
        "clock": _clock,
        "policy": _policy,
        "base_url": _base_url,
        "signing_key": _signing_key,
        "twilio": _twilio,
        "smtp": _smtp,
        "senders": _senders,
        "sign_in": _sign_in,
        "texts": _texts,
        "fonts": _fonts,
    }
    return {name: _guarded(check, rt) for name, check in checks.items()}


def _guarded(check: Callable[[Runtime], Finding], rt: Runtime) -> Finding:
    try:
        return check(rt)
    except OutageNotifyError as error:
        return Finding(False, error.message, error.remedy)
    except SQLAlchemyError as error:
        # The driver's words alone: the rest would quote the statement.
        reason = " ".join(str(getattr(error, "orig", None) or type(error).__name__).split())
        return Finding(False, f"The database cannot be asked: {reason}.", f"Check {PREFIX}DATABASE_URL.")
    except Exception as error:
        return Finding(False, f"The check itself failed: {type(error).__name__}: {error}")


def _database(rt: Runtime) -> Finding:
    facts = health.examine(rt.database)
    if facts.faults:
        return Finding(False, f"{facts.name}: {' '.join(facts.faults)}", facts.remedy)
    at, newest = migrate.current(rt.database), migrate.head()
    if at is None and migrate.is_empty(rt.database):
        return Finding(True, f"{facts.name}; empty, the first command fills it.")
    if at != newest:
        remedy = "Run `outage-notify migrate`."
        return Finding(False, f"{facts.name}; its schema is {at}, this release has {newest}.", remedy)
    return Finding(True, f"{facts.name}; schema {at}.")


def _state_dir(rt: Runtime) -> Finding:
    place = Path(rt.settings.state_dir).absolute()
    there = next(folder for folder in (place, *place.parents) if folder.is_dir())
    remedy = f"Set {PREFIX}STATE_DIR to a folder that this user may write."
    if not health.writable(there):
        return Finding(False, f"{there} cannot be written.", remedy)
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE:
        return Finding(False, f"{there} has only {free >> 20} MiB left.", "Make room on the disk.")
    return Finding(True, f"{place}; {free >> 30} GiB free.")


def _broker(rt: Runtime) -> Finding:
    if rt.settings.embedded_broker:
        return Finding(True, "Embedded: inside the worker that `serve` starts.")
    problem = ask_broker(rt.settings.broker_url)
    if problem:
        return Finding(False, problem, f"Start it, or check {PREFIX}BROKER_URL.")
    return Finding(True, f"{urlsplit(rt.settings.broker_url).scheme} answers.")


def _timezone(rt: Runtime) -> Finding:
    zone = rt.zone
    if "Europe/Berlin" not in zoneinfo.available_timezones():
        return Finding(False, "The time zone data is missing.", "Install the package tzdata.")
    return Finding(True, zone.key)


def _texts(rt: Runtime) -> Finding:
    """Who speaks, and whom customers may call: each notice names both."""
    rt.settings.require("utility", "hotline")
    return Finding(True, f"{rt.settings.utility}, {rt.settings.hotline}")


def _clock(rt: Runtime) -> Finding:
    with rt.database.read() as session:
        skew = abs(machine_instant() - clock_queries.database_instant(session))
    if skew > MOST_SKEW:
        return Finding(
            False,
            f"The machine's clock and the database's differ by {skew.total_seconds():.0f} seconds.",
            "Let both keep time by NTP.",
        )
    return Finding(True, f"Machine and database agree within {skew.total_seconds():.1f} seconds.")


def _policy(rt: Runtime) -> Finding:
    policy = rt.policy
    days_off(policy, [machine_instant().year])  # A country without holidays in the package is refused here.
    return Finding(True, f"{rt.settings.policy}: {len(policy.rules)} rules.")


def _base_url(rt: Runtime) -> Finding:
    rt.settings.require("base_url")
    url = rt.settings.base_url
    parts = urlsplit(url)
    if rt.settings.simulator:
        return Finding(True, url)
    if parts.hostname in LOOPBACK:
        remedy = f"Set {PREFIX}BASE_URL to the public address."
        return Finding(False, f"{url} is this machine alone: customers' links would lead nowhere.", remedy)
    if parts.scheme != "https":
        remedy = "Put a certificate on the web server and write https://."
        return Finding(False, f"{url} is not encrypted.", remedy)
    return Finding(True, url)


def _signing_key(rt: Runtime) -> Finding:
    rt.settings.require("signing_key_file")
    path = Path(rt.settings.signing_key_file)
    if rt.settings.simulator and not path.exists():
        return Finding(True, f"{path} will be made (simulator mode).")
    key = rt.signing_key
    problem = key_file_warning(path)
    if problem:
        return Finding(False, problem)
    return Finding(True, f"{path}; key {key.kid[:12]}.")


def _twilio(rt: Runtime) -> Finding:
    settings = rt.settings
    if doctor_senders.is_foreign(rt, Channel.SMS):
        return _sender(rt, Channel.SMS, "its provider")
    settings.require("twilio_account_sid", "twilio_auth_token", "twilio_from")
    return _sender(rt, Channel.SMS, settings.twilio_api_base)


def _smtp(rt: Runtime) -> Finding:
    if doctor_senders.is_foreign(rt, Channel.EMAIL):
        return _sender(rt, Channel.EMAIL, "its provider")
    rt.settings.require("smtp_url", "mail_from")
    return _sender(rt, Channel.EMAIL, urlsplit(rt.settings.smtp_url).hostname or "")


def _sender(rt: Runtime, channel: Channel, place: str) -> Finding:
    sender = rt.senders.get(channel)
    if sender is None:
        return Finding(False, f"No sender for {channel} could be made.", "See 'Settings' in README.md.")
    problem = sender.check()
    if problem:
        remedy = "Is the simulator running? `outage-notify serve` starts it." if rt.settings.simulator else ""
        return Finding(False, problem, remedy)
    return Finding(True, f"{sender.name} at {place} answers.")


def _senders(rt: Runtime) -> Finding:
    wrong, lines = doctor_senders.look(rt)
    if wrong:
        remedy = "Mend what is named; a sender that is failing is tried again by itself."
        return Finding(False, " ".join(wrong), remedy)
    return Finding(True, "; ".join(lines) or "No second sender is set to stand in.")


def _sign_in(rt: Runtime) -> Finding:
    """Whether people can come in: the OpenID provider answers, as the settings name it."""
    provider = rt.provider
    if provider is None:
        return Finding(True, "By passwords of our own.")
    try:
        name = provider.look()
    except IdentityFault as fault:
        left = "" if rt.settings.password_sign_in else " Nobody can sign in meanwhile."
        remedy = f"Check {PREFIX}OIDC_ISSUER and whether this machine reaches it.{left}"
        return Finding(False, f"The provider {rt.settings.oidc_issuer}: {fault.reason}.", remedy)
    also = ", or by passwords of our own" if rt.settings.password_sign_in else " alone"
    return Finding(True, f"By {name}{also}; it is to send people back to {provider.client.redirect_uri}.")


def _fonts(rt: Runtime) -> Finding:
    missing = missing_fonts()
    if missing:
        return Finding(False, f"Missing for letters: {', '.join(missing)}.", "Install the package again.")
    return Finding(True, "Latin and Chinese fonts for letters are there.")
