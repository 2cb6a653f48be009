"""Migrations stand in one line: each names the one before it, and its file begins with its own number."""

from __future__ import annotations

import re

from tests.house.files import ROOT


def test_each_migration_follows_the_one_before_it() -> None:
    before = None
    for path in sorted((ROOT / "migrations" / "versions").glob("[0-9]*.py")):
        text = path.read_text(encoding="utf-8")
        named = dict(re.findall(r'^(revision|down_revision)\b.*= "?(\w+)"?$', text, re.MULTILINE))
        assert path.name.startswith(f"{named['revision']}_"), path.name
        assert named["down_revision"] == str(before), path.name
        before = named["revision"]
