"""Settings: frozen, read once from the environment, validated at start.

The only module that reads the environment. A command asks only for what it uses:
`require` names every setting that is missing in one message. No secret has a default
in production mode; in simulator mode (`OUTAGE_NOTIFY_SIMULATOR`) stand-ins are used,
and real providers are refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from outage_notify.domain.errors import SettingsError

PREFIX = "OUTAGE_NOTIFY_"
TWILIO = "https://api.twilio.com"
SIMULATED_ACCOUNT = "AC" + "0" * 32
SIMULATOR_HTTP = "http://127.0.0.1:8010"
SIMULATOR_SMTP = "smtp://127.0.0.1:8025"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Settings:
    """One field per `OUTAGE_NOTIFY_<FIELD>` variable; the comment says what it is for."""

    simulator: bool = False  # simulate providers and allow a hand-turned clock
    state_dir: str = "var"  # embedded database, simulator ledger, generated key of the simulator
    database_url: str = ""  # default: SQLite in state_dir
    broker_url: str = ""  # default: embedded in the one worker; else redis:// or amqp://
    base_url: str = ""  # public address of the web server, as customers reach it
    timezone: str = ""  # local time of the network, an IANA name such as Asia/Shanghai
    policy: str = "cn"  # built-in policy, or path of a policy file
    utility: str = ""  # name of the utility as customers know it
    hotline: str = ""  # telephone number that customers may call
    phone_region: str = ""  # two-letter country for national phone numbers in imports
    twilio_account_sid: str = ""
    twilio_auth_token: str = ""
    twilio_from: str = ""  # sender number or messaging service
    twilio_voice_from: str = ""  # number to call from, where twilio_from is no number
    twilio_api_base: str = ""  # default: Twilio's own
    smtp_url: str = ""  # smtp://user:password@host:587?starttls=1 or smtps://...
    mail_from: str = ""  # sender address of e-mails
    plan_notice_to: str = ""  # e-mail addresses of office, marketing, hotline and stations, by commas
    second_twilio_account_sid: str = ""  # an account that stands in when the first one fails
    second_twilio_auth_token: str = ""
    second_twilio_from: str = ""
    second_twilio_voice_from: str = ""
    second_twilio_api_base: str = ""  # default: Twilio's own
    second_smtp_url: str = ""
    sms_senders: str = ""  # names, the first carries, the others stand in; default: see channels.registry
    voice_senders: str = ""
    email_senders: str = ""
    signing_key_file: str = ""  # private key made by `outage-notify keys new`
    pdf_certificate_file: str = (
        ""  # key and certificates (PEM) that receipts' PDFs are signed with; may be empty
    )
    timestamp_url: str = ""  # time-stamping authority (RFC 3161) that sees the head of the receipts daily
    timestamp_authority_file: str = ""  # its root certificates (PEM)
    chain_mail_to: str = ""  # mailbox, best outside of the utility, that gets the head daily
    heartbeat_url: str = ""  # asked after each audit that holds
    metrics_token: str = ""  # whoever shows it may read /metrics; empty: nobody may
    base_map: str = ""  # tiles beneath the maps, https://{a-c}.tiles.example/{z}/{x}/{y}.png; empty: none
    base_map_attribution: str = ""  # whose they are, shown on the map; an address in it becomes a link
    base_map_datum: str = "wgs84"  # gcj02: the provider draws on GCJ-02, as in mainland China
    trusted_proxies: int = 0  # number of reverse proxies in front of the web server
    provider_timeout: float = 10.0  # seconds for one call to a provider
    lease_seconds: float = 60.0  # how long a worker may hold a claimed delivery
    doubt_grace: float = 150.0  # longer than any pause of a worker; then the provider is asked
    doubt_interval: float = 60.0  # between the two questions
    tick_seconds: float = 5.0  # how often the doorbell rings
    reconcile_seconds: float = 60.0
    send_threads: int = 8  # parallel calls of one worker
    sms_per_second: float = 10.0
    voice_per_second: float = 1.0
    email_per_second: float = 20.0
    second_sms_per_second: float = 10.0  # of whoever stands in
    second_voice_per_second: float = 1.0
    second_email_per_second: float = 20.0
    twilio_per_second: float = 0.0  # texts and calls of one account together; 0: no limit of its own
    rest_share: float = 0.1  # of each claim is kept for lower tiers while a higher one fills it
    follow_days: float = 14.0  # after an outage ended, until those who followed it are forgotten
    follow_place_days: float = 365.0  # a place is followed so long, then its follower is forgotten
    follow_per_second: float = 1.0  # news to followers, of all channels together
    follow_codes_per_hour: float = 300.0  # codes sent to strangers, all together
    api_reply_days: float = 30.0  # how long answers of the JSON interface are kept under their keys
    webhook_private: bool = False  # webhooks may lie in private networks and speak http
    oidc_issuer: str = ""  # OpenID provider that people may sign in with; empty: passwords of ours alone
    oidc_client_id: str = ""
    oidc_client_secret: str = ""  # empty: a public client, held by PKCE alone
    oidc_name: str = ""  # what people call it, shown on the button
    oidc_scope: str = "openid profile email"
    oidc_user_claim: str = "preferred_username"  # names the user; email counts only if it is verified
    oidc_roles_claim: str = ""  # holds groups or roles, dots lead inwards: realm_access.roles; empty: ours
    oidc_roles: str = ""  # which of them means which roles here, {"grid-planning": "planner desk"}
    oidc_create: bool = False  # whoever has a role by it and is not known here is added
    password_sign_in: bool = True  # 0: people sign in with the provider alone
    sender_options: str = ""  # settings of foreign senders, a JSON object of texts

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read and validate. Raises SettingsError naming each variable that can't be used."""
        source = os.environ if environ is None else environ
        values: dict[str, object] = {}
        faults: list[str] = []
        known = {PREFIX + field.name.upper(): field for field in fields(cls)}
        for name in sorted(source):
            if name.startswith(PREFIX) and name not in known:
                faults.append(f"{name} is not a setting of this program")
        for name, field in known.items():
            text = source.get(name, "").strip()
            if not text:
                continue
            try:
                values[field.name] = _parse(str(field.type), text)
            except ValueError as error:
                faults.append(f"{name}: {error}")
        if not faults:
            faults = _check(cls(**values))  # type: ignore[arg-type]
        if faults:
            raise SettingsError("; ".join(faults) + ".", "See 'Settings' in README.md.")
        return cls(**values)._filled()  # type: ignore[arg-type]

    def _filled(self) -> Settings:
        """The same settings with every default that depends on another one."""
        state = Path(self.state_dir)
        filled: dict[str, object] = {
            "database_url": self.database_url or f"sqlite:///{state / 'outage-notify.db'}",
            "twilio_api_base": (
                self.twilio_api_base or (SIMULATOR_HTTP if self.simulator else TWILIO)
            ).rstrip("/"),
            "second_twilio_api_base": (
                self.second_twilio_api_base or (SIMULATOR_HTTP if self.simulator else TWILIO)
            ).rstrip("/"),
            "base_url": self.base_url.rstrip("/"),
        }
        if self.simulator:
            stand_ins = {
                "base_url": "http://127.0.0.1:8000",
                "utility": "Oberrhein Netz",
                "hotline": "+49 30 23125 000",
                "twilio_account_sid": SIMULATED_ACCOUNT,
                "twilio_auth_token": "simulated",
                "twilio_from": "+15005550006",
                "smtp_url": SIMULATOR_SMTP,
                "mail_from": "notices@example.com",
                "signing_key_file": str(state / "simulator-key.json"),
            }
            for name, value in stand_ins.items():
                filled[name] = filled.get(name) or getattr(self, name) or value
        return Settings(**{**{f.name: getattr(self, f.name) for f in fields(self)}, **filled})

    def as_environment(self) -> dict[str, str]:
        """The variables that make another process load the same settings. Holds secrets."""
        found = {}
        for field in fields(self):
            value = getattr(self, field.name)
            text = str(int(value)) if isinstance(value, bool) else str(value)
            if text:
                found[PREFIX + field.name.upper()] = text
        return found

    @property
    def foreign_options(self) -> dict[str, str]:
        """What senders of other packages are told."""
        return _options(self.sender_options) if self.sender_options else {}

    @property
    def role_map(self) -> dict[str, tuple[str, ...]]:
        """Roles here by what the provider calls them."""
        return {name: tuple(roles.split()) for name, roles in _options(self.oidc_roles or "{}").items()}

    def order(self, channel: str) -> tuple[str, ...]:
        """The names of the senders of `sms`, `voice` or `email` where the settings name them."""
        return tuple(getattr(self, f"{channel}_senders").replace(",", " ").split())

    def require(self, *names: str) -> None:
        """Raise SettingsError listing every one of `names` (fields) that is empty."""
        missing = [PREFIX + name.upper() for name in names if not getattr(self, name)]
        if missing:
            raise SettingsError(
                f"Missing: {', '.join(missing)}.", "Set it in the environment; see 'Settings' in README.md."
            )

    @property
    def zone(self) -> ZoneInfo:
        """The local time zone. Raises SettingsError if it is not set: it is never assumed."""
        self.require("timezone")
        return ZoneInfo(self.timezone)

    @property
    def offices(self) -> tuple[str, ...]:
        """Addresses that each plan notice goes to, each once, in the order given."""
        given = (one.strip() for one in self.plan_notice_to.split(","))
        return tuple(dict.fromkeys(one for one in given if one))

    @property
    def embedded_broker(self) -> bool:
        return not self.broker_url


def _parse(kind: str, text: str) -> object:
    if kind == "bool":
        if text.lower() in {"1", "true", "yes", "on"}:
            return True
        if text.lower() in {"0", "false", "no", "off"}:
            return False
        raise ValueError("must be 1 or 0")
    if kind == "float":
        number = float(text)
        if not 0 <= number < 1e9:
            raise ValueError("must not be negative")
        return number
    if kind == "int":
        return int(text)
    return text


def _options(text: str) -> dict[str, str]:
    found = json.loads(text)
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise ValueError("not an object of texts")
    return found


def _check(settings: Settings) -> list[str]:
    """What is wrong with values that are there; what is absent is the business of `require`."""
    faults = []
    if settings.timezone:
        try:
            ZoneInfo(settings.timezone)
        except (KeyError, ValueError, OSError):
            faults.append(
                f"{PREFIX}TIMEZONE: {settings.timezone!r} is no IANA time zone (such as Asia/Shanghai)"
            )
    may_be_zero = {"twilio_per_second", "rest_share"}
    for one in fields(settings):
        if one.type == "float" and one.name not in may_be_zero and not getattr(settings, one.name):
            faults.append(f"{PREFIX}{one.name.upper()}: must be a positive number")
    if settings.sender_options:
        try:
            _options(settings.sender_options)
        except ValueError:
            faults.append(
                f'{PREFIX}SENDER_OPTIONS must be a JSON object of texts, such as {{"NAME": "value"}}'
            )
    faults += _check_provider(settings)
    if settings.rest_share >= 1:
        faults.append(f"{PREFIX}REST_SHARE must be below 1")
    for name in ("base_url", "twilio_api_base", "second_twilio_api_base", "heartbeat_url", "timestamp_url"):
        value = getattr(settings, name)
        if value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
            faults.append(f"{PREFIX}{name.upper()} must be a http(s) address")
    if settings.base_map:
        parts = urlsplit(settings.base_map)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            faults.append(f"{PREFIX}BASE_MAP must begin with https://")
        if not all(one in settings.base_map for one in ("{z}", "{x}", "{y}")):
            faults.append(f"{PREFIX}BASE_MAP must hold {{z}}, {{x}} and {{y}}")
        if any(one.isspace() or one in ";,'\"" for one in settings.base_map):
            faults.append(f"{PREFIX}BASE_MAP must not hold blanks, quotes, commas or semicolons")
        if settings.base_map_datum not in {"wgs84", "gcj02"}:
            faults.append(f"{PREFIX}BASE_MAP_DATUM must be wgs84 or gcj02")
        if not settings.base_map_attribution:
            faults.append(f"{PREFIX}BASE_MAP needs {PREFIX}BASE_MAP_ATTRIBUTION: providers ask to be named")
    if settings.timestamp_url and not settings.timestamp_authority_file:
        faults.append(f"{PREFIX}TIMESTAMP_URL needs {PREFIX}TIMESTAMP_AUTHORITY_FILE, to check stamps with")
    for address in settings.offices:
        if address.count("@") != 1 or any(one.isspace() for one in address):
            faults.append(f"{PREFIX}PLAN_NOTICE_TO: {address!r} is no e-mail address")
    for name in ("smtp_url", "second_smtp_url"):
        value = getattr(settings, name)
        if value and urlsplit(value).scheme not in {"smtp", "smtps"}:
            faults.append(f"{PREFIX}{name.upper()} must begin with smtp:// or smtps://")
    scheme = urlsplit(settings.broker_url).scheme
    if settings.broker_url and scheme not in {"redis", "rediss", "amqp", "amqps"}:
        faults.append(
            f"{PREFIX}BROKER_URL must begin with redis:// or amqp:// (leave it empty for the embedded one)"
        )
    if settings.database_url and not settings.database_url.startswith(
        ("sqlite:///", "postgresql+psycopg://")
    ):
        faults.append(f"{PREFIX}DATABASE_URL must begin with sqlite:/// or postgresql+psycopg://")
    if settings.doubt_grace <= settings.lease_seconds or settings.lease_seconds <= settings.provider_timeout:
        faults.append(f"{PREFIX}DOUBT_GRACE must exceed LEASE_SECONDS, and that PROVIDER_TIMEOUT")
    if settings.simulator:
        for name in ("twilio_api_base", "smtp_url", "second_twilio_api_base", "second_smtp_url"):
            value = getattr(settings, name)
            if value and urlsplit(value).hostname not in LOOPBACK:
                faults.append(
                    f"{PREFIX}{name.upper()} must be on this machine while {PREFIX}SIMULATOR is set"
                )
    return faults


def _check_provider(settings: Settings) -> list[str]:
    """What is wrong with the settings of the OpenID provider."""
    faults = []
    issuer = urlsplit(settings.oidc_issuer)
    if settings.oidc_issuer:
        if issuer.scheme != "https" and not (issuer.scheme == "http" and issuer.hostname in LOOPBACK):
            faults.append(f"{PREFIX}OIDC_ISSUER must begin with https://")
        elif not issuer.hostname or issuer.query or issuer.fragment:
            faults.append(f"{PREFIX}OIDC_ISSUER must be an address without ? and #")
        if not settings.oidc_client_id:
            faults.append(f"{PREFIX}OIDC_ISSUER needs {PREFIX}OIDC_CLIENT_ID")
        if "openid" not in settings.oidc_scope.split():
            faults.append(f"{PREFIX}OIDC_SCOPE must hold the word openid")
    elif not settings.password_sign_in:
        faults.append(f"{PREFIX}PASSWORD_SIGN_IN=0 needs {PREFIX}OIDC_ISSUER: nobody could sign in")
    if settings.oidc_roles:
        try:
            if not all(settings.role_map.values()):
                faults.append(f"{PREFIX}OIDC_ROLES: each group needs a role")
        except ValueError:
            faults.append(
                f'{PREFIX}OIDC_ROLES must be a JSON object of texts, such as {{"group": "planner"}}'
            )
    if bool(settings.oidc_roles_claim) != bool(settings.oidc_roles):
        faults.append(f"{PREFIX}OIDC_ROLES_CLAIM and {PREFIX}OIDC_ROLES need each other")
    if settings.oidc_create and not settings.oidc_roles_claim:
        faults.append(f"{PREFIX}OIDC_CREATE needs {PREFIX}OIDC_ROLES_CLAIM: a user needs a role")
    return faults
