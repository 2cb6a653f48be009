"""An installed package carries its templates, catalogues and fonts, not only its modules."""

from __future__ import annotations

import configparser
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("package", ["channels", "geo", "outage_notify", "migrations"])
def test_every_data_file_of_a_package_is_installed(package: str) -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = [one.strip() for one in settings["options.package_data"]["*"].split(",")]
    # Without the leading stars a pattern reaches the package's own folder and none below it.
    assert [one for one in patterns if not one.startswith("**/")] == []
    files = [
        path for path in (ROOT / package).rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    forgotten = [str(path.relative_to(ROOT)) for path in files if not _covered(path.name, patterns)]
    assert forgotten == []


def _covered(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, pattern.removeprefix("**/")) for pattern in patterns)
