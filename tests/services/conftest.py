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


@pytest.fixture
def migrated_sqlite_copy(_migrated_sqlite: Path, tmp_path: Path) -> str:
    """The address of a migrated database of this test's own, for a world with settings of its own."""
    shutil.copy(_migrated_sqlite, tmp_path / "own.db")
    return f"sqlite:///{tmp_path / 'own.db'}"
