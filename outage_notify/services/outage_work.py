"""Long work on one outage that the worker does: approving a big audience, and all papers as one file.

Promises: each is done whole or not at all, and may be begun anew; progress is told on the way, by phases. Who asked
is who did it: roles and the second person are checked when it is done, not only when it is asked for. Leaves
waiting, lease and state to `long_work`, the approval itself to `approve_outage`, the papers to `papers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from channels.document import letter_batch_pdf, sheet_pdf
from channels.model import Language, NoticeFacts
from channels.papers import Paper
from channels.render import render_notice_text
from outage_notify.domain.errors import NotFound
from outage_notify.services import papers
from outage_notify.services.approve_outage import approve
from outage_notify.services.customer_file import Progress
from outage_notify.services.runtime import Runtime
from outage_notify.store import outage_queries, view_queries

# Of so many customers an approval takes longer than somebody waits for a page.
MANY = 5_000
# Letters in one file: typesetting them together costs memory.
LETTERS = 200


def is_big(rt: Runtime, reference: str) -> bool:
    """Whether approving this is left to the worker."""
    with rt.database.read() as session:
        revision = outage_queries.outage_by_reference(session, reference).newest
        customers, _ = view_queries.customers_in(session, [revision.id]).get(revision.id, (0, 0))
        return customers > MANY


def approve_asked(
    rt: Runtime, by: str, reference: str, options: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Approve on the version that the asker saw; how many messages were planned."""
    planned = approve(
        rt,
        by,
        reference,
        bool(options["accept_exception"]),
        version=options["version"],
        override_reason=options["override_reason"],
        progress=progress,
    )
    return {"messages": planned}


def write_papers(rt: Runtime, reference: str, target: Path, progress: Progress) -> dict[str, Any]:
    """Every paper in both languages and every key customer's letter, as PDF and text, in one ZIP file at `target`."""
    letters = _letters(rt, reference)
    parts = [letters[at : at + LETTERS] for at in range(0, len(letters), LETTERS)]
    steps = len(Paper) * len(Language) + len(parts)
    with ZipFile(target, "w", ZIP_DEFLATED) as file:
        for done, (name, body) in enumerate(_files(rt, reference, parts)):
            file.writestr(f"{reference}/{name}", body)
            progress("typesetting", min(done // 2 / steps, 1.0))
    return {"letters": len(letters), "files": 2 * steps}


def _letters(rt: Runtime, reference: str) -> list[NoticeFacts]:
    try:
        return papers.key_facts(rt, reference)
    except NotFound:
        # It hits no key customer; the other papers are there all the same.
        return []


def _files(rt: Runtime, reference: str, parts: list[list[NoticeFacts]]) -> Iterator[tuple[str, bytes]]:
    for which, in_languages in papers.all_papers(rt, reference).items():
        for language, made in in_languages.items():
            name = f"{reference}-{which.value}-{language.value}"
            yield f"{name}.pdf", sheet_pdf(made.sheet)
            yield f"{name}.txt", made.text.encode()
    for number, part in enumerate(parts, 1):
        name = f"{reference}-key-customers" + (f"-{number}" if len(parts) > 1 else "")
        yield f"{name}.pdf", letter_batch_pdf(part)
        yield f"{name}.txt", "\n\n".join(render_notice_text(one) for one in part).encode()
