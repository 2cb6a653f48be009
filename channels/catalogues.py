"""The message catalogues: gettext, English sentences as ids, one catalogue per language.

`python -m channels.catalogues` collects the sentences of the sources and templates into
`locales/notices.pot`, carries each `.po` along and compiles the `.mo` files; a test keeps
all of them in step. At run time only the `.mo` files are read.
"""

from __future__ import annotations

import gettext as stdlib_gettext
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from channels.model import Language

HERE = Path(__file__).parent
LOCALES = HERE / "locales"
DOMAIN = "notices"
FOLDERS = {Language.ZH: "zh_CN", Language.EN: "en"}

_METHODS = [("templates/**.txt", "jinja2"), ("templates/**.html", "jinja2"), ("**.py", "python")]
_OPTIONS = {pattern: {"trimmed": "true", "encoding": "utf-8"} for pattern, _ in _METHODS}
_KEYWORDS: dict[str, tuple[int, ...] | None] = dict.fromkeys(("_", "N_", "gettext", "translate", "say"))


class _Plain(Catalog):
    """A catalogue whose header names the character set alone: no dates, no versions, so that the same
    sentences always compile to the same bytes."""

    mime_headers = (("Content-Type", "text/plain; charset=utf-8"),)


@cache
def translations(language: Language) -> stdlib_gettext.NullTranslations:
    """The compiled catalogue of a language. FileNotFoundError if the installation lacks it."""
    return stdlib_gettext.translation(DOMAIN, str(LOCALES), [FOLDERS[language]])


def N_(message: str) -> str:
    """Marks a sentence for the catalogue where it is only named; it is translated where it is used."""
    return message


def po_path(language: Language) -> Path:
    return LOCALES / FOLDERS[language] / "LC_MESSAGES" / f"{DOMAIN}.po"


def extract() -> Catalog:
    """Every sentence of the sources and templates, in the order of their files."""
    catalog = Catalog(project="outage-notify", charset="utf-8")
    for file, _line, message, comments, context in _found():
        catalog.add(message, None, [(file, 0)], auto_comments=comments, context=context)
    return catalog


def compile_mo(language: Language) -> bytes:
    """What the `.mo` file of a language must hold, from its `.po`."""
    with po_path(language).open("rb") as source:
        written = read_po(source, locale=FOLDERS[language], domain=DOMAIN)
    catalog = _Plain(locale=FOLDERS[language], domain=DOMAIN)
    for message in written:
        if message.id and message.string and not message.fuzzy:
            catalog.add(message.id, message.string)
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def update() -> None:
    """Bring `.pot`, `.po` and `.mo` up to date with the sources. Called twice it changes nothing more."""
    template = extract()
    LOCALES.mkdir(exist_ok=True)
    _write(LOCALES / f"{DOMAIN}.pot", template)
    for language, folder in FOLDERS.items():
        path = po_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        catalog = Catalog(locale=folder, domain=DOMAIN, project="outage-notify", charset="utf-8")
        if path.exists():
            with path.open("rb") as source:
                catalog = read_po(source, locale=folder, domain=DOMAIN)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        if language is Language.EN:
            for message in catalog:
                if message.id and not message.string:
                    message.string = message.id
        _write(path, catalog)
        path.with_suffix(".mo").write_bytes(compile_mo(language))


def _found() -> Iterator[tuple[str, int, str, list[str], str | None]]:
    for item in extract_from_dir(str(HERE), _METHODS, _OPTIONS, keywords=_KEYWORDS):
        file, line, message, comments, context = item
        if isinstance(message, str) and message:
            yield f"channels/{file}", line, message, comments, context


def _write(path: Path, catalog: Catalog) -> None:
    # Without a header and line numbers, so that the file changes only when a sentence does.
    out = BytesIO()
    write_po(out, catalog, omit_header=True, include_lineno=False, width=110, sort_by_file=True)
    head = b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    head += b'"Content-Transfer-Encoding: 8bit\\n"\n\n'
    path.write_bytes(head + out.getvalue())


if __name__ == "__main__":
    update()
