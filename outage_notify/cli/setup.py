"""migrate, user, keys: what is done once per installation."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from outage_notify.cli.common import json_option, runtime
from outage_notify.cli.output import emit, say, show, table
from outage_notify.domain.errors import InvalidInput


@click.command()
@json_option
def migrate(as_json: bool) -> int:
    """Bring the database's schema up to date."""
    from outage_notify.store import migrate as schema

    with runtime(migrated=False) as rt:
        before = schema.current(rt.database)
        schema.ensure(rt.database)
        after = schema.current(rt.database)
    if as_json:
        emit({"before": before, "after": after})
    elif before == after:
        show(f"The database is at schema {after} already.")
    else:
        show(f"The database went from schema {before or 'nothing'} to {after}.")
    return 0


@click.group()
def user() -> None:
    """People who work with the system."""


@user.command("add")
@click.argument("username")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(["planner", "approver", "desk", "field", "admin", "readonly"]),
    required=True,
    help="May be repeated.",
)
@click.option("--name", default="", help="Full name; by default the user name.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking."
)
@click.option("--by", default="system", metavar="USER", help="Who does this, for the record.")
@json_option
def add(
    username: str, roles: tuple[str, ...], name: str, password_stdin: bool, by: str, as_json: bool
) -> int:
    """Add a user. The password is asked for twice, or read from standard input."""
    from outage_notify.services.users import add_user

    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    with runtime() as rt:
        added = add_user(rt, username, password, roles, name, by)
    if as_json:
        emit({"username": added.username, "name": added.name, "roles": list(added.roles)})
    else:
        show(f"{added.username} was added ({', '.join(added.roles)}).")
    return 0


@user.command("list")
@json_option
def list_all(as_json: bool) -> int:
    """Show all users and their roles."""
    from outage_notify.services.users import list_users

    with runtime() as rt:
        users = list_users(rt)
    if as_json:
        emit(
            [
                {"username": one.username, "name": one.name, "roles": list(one.roles), "active": one.active}
                for one in users
            ]
        )
        return 0
    rows = [[one.username, one.name, ", ".join(one.roles), "yes" if one.active else "no"] for one in users]
    table(["user", "name", "roles", "active"], rows)
    return 0


@click.group()
def keys() -> None:
    """The key that signs receipts and links."""


@keys.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
def new(file: Path | None) -> int:
    """Write a new signing key to FILE (default: OUTAGE_NOTIFY_SIGNING_KEY_FILE, else signing-key.json).

    The file can be read by its owner only. An existing file is never overwritten: receipts
    that it signed could no longer be verified.
    """
    from channels.signing import new_key
    from outage_notify.settings import Settings

    place = file or Path(Settings.load().signing_key_file or "signing-key.json")
    _write_private(place, new_key())
    show(str(place))
    say(f"Set OUTAGE_NOTIFY_SIGNING_KEY_FILE={place} and keep a copy in a safe place.")
    return 0


@keys.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--name", default="", help="Name in the certificate (default: OUTAGE_NOTIFY_UTILITY).")
def certificate(file: Path | None, name: str) -> int:
    """Write a new key with a self-signed certificate to FILE, for the PDFs of receipts.

    Default: OUTAGE_NOTIFY_PDF_CERTIFICATE_FILE, else receipt-certificate.pem. Readers of the PDF
    have to be given the certificate; one of an authority that they trust may stand in its place.
    """
    from channels.pdf_signing import new_certificate
    from outage_notify.clock import machine_instant
    from outage_notify.settings import Settings

    settings = Settings.load()
    place = file or Path(settings.pdf_certificate_file or "receipt-certificate.pem")
    called = name or settings.utility
    if not called:
        raise InvalidInput("A certificate needs a name.", "Say --name, or set OUTAGE_NOTIFY_UTILITY.")
    _write_private(place, new_certificate(called, machine_instant()).decode("ascii"))
    show(str(place))
    say(f"Set OUTAGE_NOTIFY_PDF_CERTIFICATE_FILE={place}.")
    return 0


def _write_private(place: Path, text: str) -> None:
    """Write a file that only its owner can read and that is not there yet."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InvalidInput(
            f"{place} exists; it is not overwritten.", "Name another file, or move the old key away safely."
        ) from None
    except OSError as error:
        raise InvalidInput(f"{place} cannot be written: {error.strerror}.", "Name another file.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
