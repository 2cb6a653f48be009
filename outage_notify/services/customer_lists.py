"""The customers' files of the last two imports, as they were handed in, so that an import can be undone.

Promises: a file lies there whole or not at all, named by the hash of its bytes and readable by its owner alone,
since it holds names and numbers; one that was changed afterwards is not used. Leaves which of them is in force
to the record of events, and taking a file over to `import_customers`. Twice is once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from tempfile import NamedTemporaryFile

from outage_notify.services.runtime import Runtime

_CHUNK = 1 << 20


def keep(rt: Runtime, path: Path) -> str:
    """Copy the file and return the SHA-256 of what was copied. OSError where there is no room or no leave."""
    folder = _folder(rt)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    # Such a file is made for its owner alone.
    with (
        path.open("rb") as source,
        NamedTemporaryFile("wb", dir=folder, prefix=".new-", delete=False) as draft,
    ):
        try:
            while part := source.read(_CHUNK):
                digest.update(part)
                draft.write(part)
            draft.flush()
            Path(draft.name).replace(folder / digest.hexdigest())
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise
    return digest.hexdigest()


def find(rt: Runtime, sha256: str) -> Path | None:
    """The file with this hash; None where it is not kept here, or is not what it was."""
    path = _folder(rt) / sha256
    try:
        with path.open("rb") as stream:
            return path if hashlib.file_digest(stream, "sha256").hexdigest() == sha256 else None
    except OSError:
        return None


def forget_all_but(rt: Runtime, wanted: Collection[str]) -> None:
    """Remove every other one, and what a process that died left half written."""
    for one in _folder(rt).glob("*"):
        if one.name not in wanted:
            one.unlink(missing_ok=True)
    for draft in _folder(rt).glob(".new-*"):
        draft.unlink(missing_ok=True)


def _folder(rt: Runtime) -> Path:
    """Of this database: two that share a state folder do not share their customers."""
    url = rt.database.url.render_as_string(hide_password=True)
    return Path(rt.settings.state_dir) / "customers" / hashlib.sha256(url.encode()).hexdigest()[:12]
