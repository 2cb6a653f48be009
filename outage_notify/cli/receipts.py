"""receipts: prove afterwards who signed what, with or without the database."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outage_notify.cli.common import json_option, runtime
from outage_notify.cli.output import emit, say, show, table
from outage_notify.domain.errors import InvalidInput

if TYPE_CHECKING:
    from channels.chain_heads import Authorities
    from channels.signing import ChainReport


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
@click.option(
    "--authority",
    "authority_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Root certificates (PEM) of the time-stamping authority to believe.",
)
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="NUMBER:HASH",
    help="A head that you were mailed or wrote down: the receipt of this number must have this hash. May be repeated.",
)
@json_option
def verify(
    file: Path | None,
    everything: bool,
    keys_file: Path | None,
    authority_file: Path | None,
    heads: tuple[str, ...],
    as_json: bool,
) -> int:
    """Check an exported chain in FILE (needs no database), or with --all the one in the database.

    Exit status 1 if a link is broken.
    """
    from channels.signing import verify_export_file

    known = dict(map(_known_head, heads))
    if everything and (keys_file or authority_file or known):
        raise click.UsageError("--keys, --authority and --head go with a FILE; --all takes the settings.")
    if (file is None) == (not everything):
        raise click.UsageError("Name an exported FILE, or say --all for the database.")
    if file is not None:
        try:
            report = verify_export_file(
                file, _trusted(keys_file), _authorities(authority_file), known, os.cpu_count() or 1
            )
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
        "heads": report.heads,
        "stamped": [
            {"count": one.count, "at": one.at.isoformat(), "authority": one.authority}
            for one in report.stamped
        ],
    }
    if as_json:
        emit(answer)
    elif report.ok:
        show(f"{report.count} receipts, every link holds. Last hash: {report.head}")
        _say_since_when(report, everything or authority_file is not None)
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


def _say_since_when(report: ChainReport, asked: bool) -> None:
    """From which day on the past cannot have been written anew."""
    for one in report.stamped:
        show(f"Receipts 1 to {one.count} stood on {one.at:%Y-%m-%d %H:%M} UTC: stamped by {one.authority}.")
    if report.stamped:
        last = report.stamped[-1]
        say(
            f"None of these was written or changed after {last.at:%Y-%m-%d}; what follows {last.count} is not stamped."
        )
    elif report.heads and not asked:
        say(
            f"{report.heads} heads are in their places; --authority says whether stamps among them are genuine."
        )
    elif report.heads:
        say(f"{report.heads} heads are in their places.")


def _known_head(text: str) -> tuple[int, str]:
    found = re.fullmatch(r"([1-9]\d{0,17}):([0-9a-f]{64})", text.strip().lower())
    if found is None:
        raise click.UsageError(f"--head {text!r} is not NUMBER:HASH, such as 12:3f0c... with 64 digits.")
    return int(found[1]), found[2]


def _authorities(file: Path | None) -> Authorities | None:
    from channels.chain_heads import Authorities
    from channels.signing import KeyFault

    try:
        return Authorities.load(file) if file is not None else None
    except KeyFault as error:
        raise InvalidInput(str(error), "Save the authority's root certificate there.") from None


@receipts.command()
@click.option(
    "--take", is_flag=True, help="Take the head of today now, and have it stamped and mailed as set."
)
@json_option
def heads(take: bool, as_json: bool) -> int:
    """Show the daily heads of the chain, and who has seen them. Exit status 1 if one waits to be shown."""
    from outage_notify.services import anchor_chain

    with runtime() as rt:
        if take:
            anchor_chain.anchor_due(rt)
        found = anchor_chain.listing(rt)
        wanted = (bool(rt.settings.timestamp_url), bool(rt.settings.chain_mail_to))
    if as_json:
        emit(
            [
                {
                    "day": one.day.isoformat(),
                    "receipts": one.receipts,
                    "sha256": one.sha256,
                    "stamped_at": one.stamped_at.isoformat() if one.stamped_at else None,
                    "mailed_at": one.mailed_at.isoformat() if one.mailed_at else None,
                }
                for one in found
            ]
        )
    else:
        rows = [
            [
                one.day.isoformat(),
                str(one.receipts),
                one.sha256,
                f"{one.stamped_at:%Y-%m-%d %H:%M}" if one.stamped_at else "-",
                f"{one.mailed_at:%Y-%m-%d %H:%M}" if one.mailed_at else "-",
            ]
            for one in found
        ]
        table(["day", "receipts", "hash of the last", "stamped", "mailed"], rows)
    waits = any((wanted[0] and not one.stamp) or (wanted[1] and not one.mailed_at) for one in found)
    return 1 if waits else 0


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
