"""The pages' message catalogue: English sentences as ids, Chinese beside them.

`python -m outage_notify.web.catalogues` collects the sentences of the sources and templates,
carries `messages.po` along and compiles `messages.mo`; a test keeps them in step. At run
time only the compiled file is read, by Flask-Babel.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).parent
# Babel's own name of zh_CN, under which Flask-Babel looks for it.
LOCALE = "zh_Hans_CN"
PO = HERE / "translations" / LOCALE / "LC_MESSAGES" / "messages.po"
MO = PO.with_suffix(".mo")

_METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
_OPTIONS = {pattern: {"trimmed": "true", "encoding": "utf-8"} for pattern, _ in _METHODS}
# `pgettext` is for a word that means two things: its first argument says which, and each is translated by itself.
_KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "_l": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}


class _Plain(Catalog):
    """A catalogue whose header holds no dates and versions: the same sentences give the same bytes."""

    mime_headers = (
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
        ("Plural-Forms", "nplurals=1; plural=0;"),
    )


def extract() -> Catalog:
    """Every sentence of the pages, in the order of the files."""
    catalog = _new()
    for _name, _line, message, _comments, context in extract_from_dir(
        str(HERE), _METHODS, _OPTIONS, keywords=_KEYWORDS
    ):
        catalog.add(message, None, (), context=context)
    return catalog


def written() -> Catalog:
    """The catalogue as it was translated."""
    if not PO.exists():
        return _new()
    with PO.open("rb") as source:
        return read_po(source, locale=LOCALE)


def compiled() -> bytes:
    """What `messages.mo` has to hold."""
    plain = _new()
    for message in written():
        if message.id and complete(message.string):
            plain.add(message.id, message.string, context=message.context)
    out = BytesIO()
    write_mo(out, plain)
    return out.getvalue()


def update() -> list[str]:
    """Carry the catalogue along and compile it; returns the sentences that lack a translation."""
    before, after = written(), extract()
    for message in after:
        known = before.get(message.id, message.context) if message.id else None
        if known is not None:
            message.string = known.string
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as target:
        write_po(target, after, no_location=True, width=100, sort_output=True)
    MO.write_bytes(compiled())
    return [str(message.id) for message in after if message.id and not complete(message.string)]


def _new() -> Catalog:
    return _Plain(locale=LOCALE, charset="utf-8", header_comment="", fuzzy=False)


def complete(string: str | tuple[str, ...] | list[str] | None) -> bool:
    """Whether a message has every form that it needs."""
    return all(string) if isinstance(string, tuple | list) else bool(string)


if __name__ == "__main__":
    for sentence in update():
        print("not translated:", sentence)
