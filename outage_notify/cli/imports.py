"""import network, customers, service-points, addresses: a file as a whole, or every fault in it."""

from __future__ import annotations

from pathlib import Path

import click

from outage_notify.cli.common import json_option, runtime
from outage_notify.cli.output import emit, progress_bar, say, show, show_faults
from outage_notify.domain.errors import ImportRefused
from outage_notify.services.import_report import ImportReport, fault_dict

dry_run_option = click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
by_option = click.option("--by", default="system", metavar="USER", help="Who does this, for the record.")


@click.group("import")
def import_group() -> None:
    """Take over network, customers, service points or addresses from a file: all of it or nothing."""


@import_group.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--format",
    type=click.Choice(["auto", "pandapower", "geojson", "gis", "csv", "cim"]),
    default="auto",
    show_default=True,
    help="What kind of file it is.",
)
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    metavar="YAML",
    help="Which layer and column of a GIS file is what.",
)
@click.option("--suggest-mapping", is_flag=True, help="Print a first draft of a mapping for FILE and stop.")
@click.option("--undo", is_flag=True, help="Put the network before this one in force again.")
@dry_run_option
@by_option
@json_option
def network(
    file: Path | None,
    format: str,
    mapping: Path | None,
    suggest_mapping: bool,
    undo: bool,
    dry_run: bool,
    by: str,
    as_json: bool,
) -> int:
    """Put the network in FILE in force.

    pandapower JSON and GeoJSON (plain or gzipped), a GeoPackage, Shapefile or other GeoJSON with
    --mapping, or a folder or zip of CSV files or of CIM XML.
    """
    from outage_notify.services.import_network import draft_mapping, import_network, undo_import

    if undo == (file is not None):
        raise click.UsageError("Give either a FILE or --undo.")
    try:
        if file is None:
            with runtime() as rt, progress_bar("Network") as progress:
                report = undo_import(rt, dry_run, by, progress)
            return _report(report, as_json, "")
        if suggest_mapping:
            draft = draft_mapping(file)
            if as_json:
                emit({"mapping": draft})
            else:
                show(draft.rstrip())
            return 0
        with runtime() as rt, progress_bar("Network") as progress:
            report = import_network(rt, file, format, dry_run, by, progress, mapping)
    except ImportRefused as error:
        return _refused(error, as_json)
    return _report(report, as_json, "This very file is in force already; nothing was changed.")


@import_group.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--undo", is_flag=True, help="Take over the list before this one once more.")
@dry_run_option
@by_option
@json_option
def customers(file: Path | None, undo: bool, dry_run: bool, by: str, as_json: bool) -> int:
    """Take over the list of customers in FILE (CSV by RFC 4180, plain or gzipped).

    UTF-8 with or without BOM, or GB18030. The file is the whole truth: who is not in it any more
    is marked as gone. One row per service point, with these columns:

    customer_id, name, kind, tier, life_support, vulnerable, language, site_id, service_point_id,
    element, place, sms, voice, email, backup_name, backup_phone, grid_manager, grid_manager_phone
    """
    from outage_notify.services.import_customers import import_customers, undo_customers

    if undo == (file is not None):
        raise click.UsageError("Give either a FILE or --undo.")
    try:
        with runtime() as rt, progress_bar("Customers") as progress:
            if file is None:
                report = undo_customers(rt, dry_run, by, progress)
            else:
                report = import_customers(rt, file, dry_run, progress, by)
    except ImportRefused as error:
        return _refused(error, as_json)
    return _report(report, as_json, "Nothing in it differs from what is there.")


@import_group.command("service-points")
@click.argument("file", type=click.Path(path_type=Path))
@dry_run_option
@by_option
@json_option
def service_points(file: Path, dry_run: bool, by: str, as_json: bool) -> int:
    """Replace the halls, charging, water points and warm rooms that the public is shown by those in FILE (CSV)."""
    from outage_notify.services.service_places import import_places

    try:
        with runtime() as rt:
            number = import_places(rt, file, dry_run, by)
    except ImportRefused as error:
        return _refused(error, as_json)
    if as_json:
        emit({"places": number, "dry_run": dry_run})
    else:
        show(f"{number} service points{'; dry run, nothing was changed' if dry_run else ''}.")
    return 0


@import_group.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--undo", is_flag=True, help="Put the addresses before these in force again.")
@dry_run_option
@by_option
@json_option
def addresses(file: Path | None, undo: bool, dry_run: bool, by: str, as_json: bool) -> int:
    """Replace the table of addresses, which "Is my place affected?" looks into, by the one in FILE (CSV).

    One row per house, plain or gzipped: street, house_number, place, postcode, and where it hangs: element (such as
    load:7), or feeder, or latitude and longitude.
    """
    from outage_notify.services.import_addresses import import_addresses, undo_addresses

    if undo == (file is not None):
        raise click.UsageError("Give either a FILE or --undo.")
    try:
        with runtime() as rt, progress_bar("Addresses") as progress:
            if file is None:
                report = undo_addresses(rt, dry_run, by)
            else:
                report = import_addresses(rt, file, dry_run, progress, by)
    except ImportRefused as error:
        return _refused(error, as_json)
    return _report(report, as_json, "This very file is in force already; nothing was changed.")


def _refused(error: ImportRefused, as_json: bool) -> int:
    if not as_json:
        raise error
    emit({"faults": [fault_dict(one) for one in error.faults], "more": error.more})
    say(str(error))
    return error.exit_code


def _report(report: ImportReport, as_json: bool, same: str) -> int:
    show_faults(report.warnings)
    if as_json:
        emit(report.as_dict())
        return 0
    for name, found in report.counts.items():
        listed = ", ".join(f"{count} {word}" for word, count in found.items())
        show(f"{name.replace('_', ' ')}: {listed}")
    for word, names in report.named.items():
        show(f"{word}: {', '.join(names)}{' ...' if report.counts['changes'][word] > len(names) else ''}")
    if report.unchanged:
        show(same)
    elif report.dry_run:
        show("Dry run: no fault found, nothing was changed.")
    return 0
