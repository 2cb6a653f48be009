"""receipts: prove afterwards who signed what, with or without the database."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from outage_notify.cli.common import json_option, runtime
from outage_notify.cli.output import emit, say, show
from outage_notify.domain.errors import InvalidInput


@click.group()
def receipts() -> None:
    """Signed receipts: verify the chain, export it."""


@receipts.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--all", "everything", is_flag=True, help="Verify the chain in the database.")
@click.option(
    "--keys",
    "keys_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Published verification keys (a JWK set) to trust instead of those inside FILE.",
)
@json_option
def verify(file: Path | None, everything: bool, keys_file: Path | None, as_json: bool) -> int:
    """Check an exported chain in FILE (needs no database), or with --all the one in the database.

    Exit status 1 if a link is broken.
    """
    from channels.signing import verify_export_file

    if (file is None) == (not everything):
        raise click.UsageError("Name an exported FILE, or say --all for the database.")
    if file is not None:
        try:
            report = verify_export_file(file, _trusted(keys_file))
        except OSError as error:
            raise InvalidInput(f"{file} cannot be read: {error.strerror}.", "Check the path.") from None
    else:
        from outage_notify.services.receipts import verify_database

        with runtime() as rt:
            report = verify_database(rt)
    answer = {
        "ok": report.ok,
        "count": report.count,
        "head": report.head,
        "broken_at": report.broken_at or None,
        "reason": str(report.reason) if report.reason else "",
        "detail": report.detail,
    }
    if as_json:
        emit(answer)
    elif report.ok:
        show(f"{report.count} receipts, every link holds. Last hash: {report.head}")
        if file is not None and keys_file is None:
            say("Checked with the keys inside the file; --keys compares with the published ones.")
    else:
        place = f"receipt {report.broken_at}" if report.broken_at else "the header"
        show(f"BROKEN at {place}: {report.detail}")
    return 0 if report.ok else 1


def _trusted(keys_file: Path | None) -> dict[str, Any] | None:
    if keys_file is None:
        return None
    try:
        found = json.loads(keys_file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{keys_file} cannot be read: {error.strerror}.", "Check the path.") from None
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise InvalidInput(
            f"{keys_file} is no JWK set.", "Save /.well-known/jwks.json of the installation there."
        )
    return found


@receipts.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def export(file: Path) -> int:
    """Write the whole chain to FILE, which proves itself. An existing file is not overwritten."""
    from outage_notify.services import receipts as service

    # Written beside its place first: whoever finds FILE finds a whole one.
    draft = file.with_name(file.name + ".part")
    if file.exists():
        raise InvalidInput(f"{file} exists; it is not overwritten.", "Name another file.")
    try:
        with runtime() as rt, draft.open("w", encoding="utf-8", newline="\n") as stream:
            service.export(rt, stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(file)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}.", "Name another place.") from None
    finally:
        draft.unlink(missing_ok=True)
    show(str(file))
    return 0
