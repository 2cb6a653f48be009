"""The world for tests of services: on SQLite; the store's own tests run on both databases."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.world import World, world


@pytest.fixture
def city(_migrated_sqlite: Path, tmp_path: Path) -> Iterator[World]:
    shutil.copy(_migrated_sqlite, tmp_path / "city.db")
    with world(f"sqlite:///{tmp_path / 'city.db'}", tmp_path) as made:
        yield made
