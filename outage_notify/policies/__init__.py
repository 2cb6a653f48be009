"""Notice policies as data: one YAML file per jurisdiction, and the loader that turns it into a `Policy`.

Built in are au, cn, gb, ie and it. A name may carry a subdivision for its public holidays ("au:NSW"); a
path ending in .yaml or .yml loads a file of one's own, under the same strict reading. Everything that can
be wrong with a file is a SettingsError that names file and key. What the rules mean is the domain's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

import holidays as public_holidays

from outage_notify.domain.calendar import DaysOff
from outage_notify.domain.errors import SettingsError
from outage_notify.domain.policy import Policy
from outage_notify.policies.reader import read_policy

__all__ = ["available", "days_off", "holiday_set", "load_policy", "names", "weekend_workdays"]

_ENDINGS = (".yaml", ".yml")
# As the package of holidays names them, the best first.
_LANGUAGES = {"zh-CN": ("zh_CN",), "en": ("en_US", "en_GB")}


def available() -> tuple[str, ...]:
    """Names of the built-in policies, sorted."""
    names = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def load_policy(name: str) -> Policy:
    """The built-in policy `name` ("cn", "au:NSW"), or the one in the file at that path, checked."""
    if name.lower().endswith(_ENDINGS):
        path = Path(name).expanduser()
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
            raise SettingsError(
                f"The policy file {name} cannot be read: {reason}.", "Check OUTAGE_NOTIFY_POLICY."
            ) from error
        return _with_holidays(read_policy(text, str(path)), str(path))
    base, _, subdivision = name.partition(":")
    if base not in available():
        raise SettingsError(
            f"There is no policy {name!r}.",
            f"OUTAGE_NOTIFY_POLICY is one of {', '.join(available())}, or the path of a .yaml file.",
        )
    text = (files(__name__) / f"{base}.yaml").read_text(encoding="utf-8")
    policy = read_policy(text, f"{base}.yaml")
    if subdivision:
        policy = replace(policy, subdivision=subdivision)
    return _with_holidays(policy, name)


def holiday_set(policy: Policy, years: Iterable[int]) -> frozenset[date]:
    """Public holidays of the policy's country and subdivision in these years.

    Ask for every year that a lead may touch: the years from now to the start, and the one after.
    """
    return _holidays(policy.country, policy.subdivision, tuple(sorted(set(years))))


@cache
def _holidays(country: str, subdivision: str | None, years: tuple[int, ...]) -> frozenset[date]:
    return frozenset(public_holidays.country_holidays(country, subdiv=subdivision, years=years))


def days_off(policy: Policy, years: Iterable[int], own: Iterable[tuple[date, bool]] = ()) -> DaysOff:
    """The same with the weekends that are worked on, and with days of the utility's own: (day, whether it is worked).

    The utility's word counts more than the package's, since it is the later one.
    """
    return _days_off(policy.country, policy.subdivision, tuple(sorted(set(years))), frozenset(own))


def names(policy: Policy, years: Iterable[int], language: str) -> dict[date, str]:
    """What each public holiday is called, in `language` (zh-CN, en) where that is known, else as the country says."""
    return dict(_names(policy.country, policy.subdivision, tuple(sorted(set(years))), language))


def weekend_workdays(policy: Policy, years: Iterable[int]) -> frozenset[date]:
    """Weekends in these years that the country has declared workdays."""
    wanted = tuple(sorted(set(years)))
    return _workdays(policy.country, policy.subdivision, wanted)


@cache
def _workdays(country: str, subdivision: str | None, years: tuple[int, ...]) -> frozenset[date]:
    found = public_holidays.country_holidays(country, subdiv=subdivision, years=years)
    return frozenset(day for day in found.weekend_workdays if day.year in years)


@lru_cache(maxsize=64)
def _days_off(
    country: str, subdivision: str | None, years: tuple[int, ...], own: frozenset[tuple[date, bool]]
) -> DaysOff:
    free = {day for day, worked in own if not worked}
    made = {day for day, worked in own if worked} | (_workdays(country, subdivision, years) - free)
    return DaysOff.of(_holidays(country, subdivision, years) | free, made)


@cache
def _names(
    country: str, subdivision: str | None, years: tuple[int, ...], language: str
) -> tuple[tuple[date, str], ...]:
    wanted = _LANGUAGES.get(language, ())
    known = public_holidays.country_holidays(country, subdiv=subdivision, years=[])
    own = known.default_language or ""
    # A country's own English before that of America: Labour Day is none of Labor's.
    spoken = own if language == "en" and own.startswith("en") else None
    spoken = spoken or next((one for one in wanted if one in known.supported_languages), None)
    found = public_holidays.country_holidays(country, subdiv=subdivision, years=years, language=spoken)
    return tuple(sorted(found.items()))


def _with_holidays(policy: Policy, place: str) -> Policy:
    """`policy`, once it is known that its holidays can be had."""
    known = public_holidays.list_supported_countries(include_aliases=True)
    if policy.country not in known:
        raise SettingsError(
            f"{place}, country: no public holidays are known for {policy.country!r}.",
            "Use the two-letter code of ISO 3166.",
        )
    subdivisions = known[policy.country]
    if policy.subdivision is not None and policy.subdivision not in subdivisions:
        raise SettingsError(
            f"{place}, subdivision: {policy.subdivision!r} is not known in {policy.country}.",
            f"Known are: {', '.join(subdivisions) or 'none'}.",
        )
    return policy
