"""The pages say what is: commands parse, settings exist with these defaults, named files and targets are there."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from pathlib import Path

import click
import pytest

from channels.simulator.script import PRESETS
from outage_notify.cli import cli
from outage_notify.domain.delivery import DELIVERY_MOVES
from outage_notify.services.customer_row import COLUMNS, REQUIRED
from outage_notify.settings import PREFIX, Settings
from outage_notify.store.tables import metadata
from tests.house.documents import Words, blocks, inline, lines, marked, pages, rows
from tests.house.files import ROOT, place

README = ROOT / "README.md"
PROGRAM = "outage-notify"


def arguments(line: str) -> list[str]:
    """The words after the program's name; what a shell does with its output is no matter of ours."""
    words = shlex.split(line, comments=True)[1:]
    shell = [at for at, word in enumerate(words) if re.match(r"[|<>;&]|\d>", word)]
    return words[: shell[0]] if shell else words


def walk(words: list[str]) -> tuple[click.Command, click.Context, list[str]]:
    """From the program to the command that the words lead to, and what is left for it."""
    command: click.Command = cli
    context = click.Context(cli, info_name=PROGRAM)
    while isinstance(command, click.Group):
        _, rest, _ = command.make_parser(context).parse_args(list(words))
        if not rest:
            return command, context, []
        found = command.get_command(context, rest[0])
        if found is None:
            raise click.UsageError(f"No such command {rest[0]!r}.", context)
        context = click.Context(found, info_name=rest[0], parent=context)
        command, words = found, rest[1:]
    return command, context, words


def parse(words: list[str]) -> None:
    """Parse a whole command line as the program would, and stop before it does anything."""
    command, context, rest = walk(words)
    if not isinstance(command, click.Group) and not {"--help", "-h"} & set(rest):
        command.make_context(context.info_name, rest, parent=context.parent)


def full_lines() -> list[Words]:
    """Every command line in a code block."""
    return [
        Words(block.where, line)
        for page in pages()
        for block in blocks(page)
        for line in lines(block.text)
        if line.startswith(PROGRAM + " ")
    ]


def mentions() -> list[Words]:
    """Every command that is named within a sentence or a table, with what is typed after it."""
    return [one for page in pages() for one in inline(page) if one.text.startswith(PROGRAM + " ")]


def named(page: Path) -> list[str]:
    return [one.text for one in [*blocks(page), *inline(page)]]


@pytest.mark.parametrize("shown", full_lines(), ids=lambda shown: f"{shown.where}: {shown.text[:60]}")
def test_commands_in_blocks_parse_as_they_stand(shown: Words) -> None:
    try:
        parse(arguments(shown.text))
    except click.UsageError as error:
        pytest.fail(f"{shown.where}: {shown.text}: {error.format_message()}")


@pytest.mark.parametrize("shown", mentions(), ids=lambda shown: f"{shown.where}: {shown.text[:60]}")
def test_commands_named_in_sentences_exist_with_their_options(shown: Words) -> None:
    """`...` and words in capitals stand for what is left out; options that are named must exist."""
    words = [word for word in shown.text.replace("...", "").split()[1:] if not re.match(r"[A-Z\[]", word)]
    command, _, _ = walk([word for word in words if not word.startswith("-")] or ["--help"])
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    assert {word for word in words if word.startswith("--")} <= known, shown


@pytest.mark.parametrize(
    "wrong", ["foo", "resolve --wrok line:1", "outage approve --by li.na", "user add x --role king"]
)
def test_a_wrong_command_is_seen(wrong: str) -> None:
    with pytest.raises(click.UsageError):
        parse(wrong.split())


def test_every_command_is_in_the_overview() -> None:
    context = click.Context(cli)
    overview = marked(README, "commands")
    shown = {tuple(one.split()[1:]) for one in re.findall(rf"`({PROGRAM} [^`]+)`", overview)}
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None, name
        if command.hidden:
            continue
        names = command.list_commands(context) if isinstance(command, click.Group) else []
        for words in [(name, sub) for sub in names] or [(name,)]:
            assert any(one[: len(words)] == words for one in shown), (
                f"{' '.join(words)} is not in the overview"
            )


def default_text(name: str) -> str:
    value = getattr(Settings(), name)
    if value is False or value is True:
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_the_table_of_settings_is_complete_with_the_same_defaults() -> None:
    shown = {row[0]: row[1] for row in rows(marked(README, "settings"))}
    real = {PREFIX + field.name.upper(): default_text(field.name) or "-" for field in fields(Settings)}
    assert shown == real


def test_settings_named_anywhere_exist() -> None:
    real = {PREFIX + field.name.upper() for field in fields(Settings)}
    for page in pages():
        for name in set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", page.read_text(encoding="utf-8"))):
            assert name in real, f"{place(page)}: {name}"


def test_make_targets_exist() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    asked = {
        target
        for page in pages()
        for text in named(page)
        for line in lines(text)
        for target in re.findall(r"^make ([a-z][a-z-]*)", line)
    }
    assert {"demo", "test"} <= asked <= set(phony[1].split())


PATH = re.compile(r"^(?:outage_notify|geo|channels|migrations|tests|docs|\.ci)/[\w./*{},-]*$")


@pytest.mark.parametrize("page", pages(), ids=place)
def test_files_that_are_named_exist(page: Path) -> None:
    wanted = {one.text.rstrip("/") for one in inline(page) if PATH.match(one.text)}
    assert [path for path in sorted(wanted) if not list(ROOT.glob(path))] == []


def test_the_customers_columns_are_those_of_the_importer() -> None:
    shown = rows(marked(ROOT / "docs" / "formats.md", "columns"))
    assert [row[0] for row in shown] == list(COLUMNS)
    assert {row[0] for row in shown if row[1] == "needed"} == set(REQUIRED)
    assert ",".join(COLUMNS) in (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")


def test_every_table_and_every_preset_is_explained() -> None:
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert [name for name in metadata.tables if f"`{name}`" not in architecture] == []
    formats = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    assert [name for name in PRESETS if f"`{name}`" not in formats] == []


def test_the_moves_of_a_delivery_are_drawn_as_the_table_has_them() -> None:
    drawn = next(one.text for one in blocks(ROOT / "docs" / "deliveries.md") if "[*] --> READY" in one.text)
    found = set(re.findall(r"^ *([A-Z_]+) --> ([A-Z_]+):", drawn, re.MULTILINE))
    assert found == {(origin.value, to.value) for origin, moves in DELIVERY_MOVES.items() for to in moves}


def test_every_page_is_linked_from_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    assert [place(page) for page in pages()[1:] if f"({place(page)})" not in text] == []
