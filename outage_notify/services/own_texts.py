"""Texts of notices as an administrator words them: seen, tried, saved as a version, put back.

Promises: a version is saved only if each of its sentences may stand and the whole still fits its channel; each has
its author, time and reason, none is ever lost; what was made before a change keeps its words. Called
twice with the same `seen`, the second is told that somebody was faster. Dies midway: nothing is changed.
Leaves to `channels.texts` which words may stand, to `words_in_force` how they come into messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from channels import texts
from channels.model import Channel, Language, NoticeFacts
from channels.own_words import OwnWords, facts_in, shown
from outage_notify.domain.errors import Conflict, InvalidInput, NotFound
from outage_notify.domain.notice import NoticeKind
from outage_notify.services import preview_texts, words_in_force
from outage_notify.services.given_reason import given_reason
from outage_notify.services.runtime import Runtime
from outage_notify.store import own_text_queries, user_lookup
from outage_notify.store.outage_tables import Outage
from outage_notify.store.own_text_tables import OwnText
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record

KINDS = tuple(NoticeKind(one) for one in texts.KINDS)


class SentenceRefused(InvalidInput):
    """Words of one sentence can't stand; `sentence` is its number."""

    def __init__(self, sentence: int, message: str, remedy: str) -> None:
        super().__init__(f"Sentence {sentence}: {message}", remedy)
        self.sentence = sentence


@dataclass(frozen=True)
class TextId:
    """Which text: one channel, one kind of notice, one language."""

    channel: Channel
    kind: NoticeKind
    language: Language

    @property
    def name(self) -> str:
        """As addresses name it: "sms.SEVEN_DAY.zh-CN"."""
        return ".".join((self.channel.value, self.kind.value, self.language.value))

    @classmethod
    def named(cls, name: str) -> TextId:
        """The text of a name. NotFound for what no text is written for."""
        channel, _, rest = name.partition(".")
        kind, _, language = rest.partition(".")
        if channel not in set(Channel) or kind not in texts.KINDS or language not in set(Language):
            raise NotFound("There is no such text.", "Choose one of the list.")
        return cls(Channel(channel), NoticeKind(kind), Language(language))


@dataclass(frozen=True)
class Sentence:
    """One sentence of a text. `number` is its place, from 1 on; `own` None: as delivered. Facts stand in braces;
    `must_tell` are those that it has to name, `facts` all that it may."""

    number: int
    delivered: str
    own: str | None
    must_tell: tuple[str, ...]
    facts: tuple[str, ...]
    may_be_empty: bool

    @property
    def words(self) -> str:
        return self.delivered if self.own is None else self.own


@dataclass(frozen=True)
class Listed:
    """One text of the list: its version (0: as delivered), how many sentences are the utility's own."""

    id: TextId
    number: int
    own: int
    version: OwnText | None


@dataclass(frozen=True)
class Shown:
    """One text, whole. `left_over`: own words for sentences that this release does not say any more."""

    id: TextId
    number: int
    sentences: tuple[Sentence, ...]
    versions: Sequence[OwnText]
    left_over: tuple[str, ...]


def listing(rt: Runtime) -> list[Listed]:
    """Every text there is, by kind, channel and language."""
    with rt.database.read() as session:
        number = own_text_queries.newest_number(session)
        rows = {
            (one.channel, one.kind, one.language): one
            for one in own_text_queries.standing_at(session, number)
        }
        session.expunge_all()
    found = []
    for kind in KINDS:
        for channel in Channel:
            for language in Language:
                row = rows.get((channel, kind, language))
                own = len(words_in_force.sayable(row)) if row else 0
                found.append(Listed(TextId(channel, kind, language), row.number if row else 0, own, row))
    return found


def show(rt: Runtime, text: TextId) -> Shown:
    """One text with the words that stand and all its versions, the newest first."""
    with rt.database.read() as session:
        versions = own_text_queries.versions(session, text.channel, text.kind, text.language)
        session.expunge_all()
    own = words_in_force.sayable(versions[0]) if versions else {}
    left = [words for one, words in versions[0].words.items() if one not in own] if versions else []
    number = versions[0].number if versions else 0
    return Shown(text, number, _sentences(text, own), versions, tuple(left))


def version(rt: Runtime, text: TextId, number: int) -> tuple[Sentence, ...]:
    """The sentences as one version worded them; 0: as delivered. NotFound."""
    if number == 0:
        return _sentences(text, {})
    with rt.database.read() as session:
        return _sentences(text, words_in_force.sayable(_version(session, text, number)))


def examples(
    rt: Runtime, text: TextId, typed: Mapping[int, str] | None = None
) -> tuple[str, tuple[texts.Example, ...]]:
    """(reference of the outage that the facts are from, the text for each kind of addressee), with the words
    that stand or with the `typed` ones. The facts are those of the newest outage that affects somebody, of an
    invented one (and an empty reference) while there is none. InvalidInput for words that can't stand."""
    with rt.database.read() as session:
        standing = words_in_force.now(session, rt)
        words = standing if typed is None else _tried(session, standing, text, typed)
        reference, facts = _facts(session, rt, text)
    return reference, texts.examples(text.channel, replace(facts, words=words))


def save(
    rt: Runtime,
    by: str,
    text: TextId,
    seen: int,
    typed: Mapping[int, str],
    reason: str,
    everywhere: bool = False,
) -> int:
    """Save the words as the next version and return its number; the same words again change nothing.

    `seen`: the version that was on the page, 0 for the delivered text. `typed`: words by the number of their
    sentence; a sentence that is left out stays as it is. `everywhere`: what is changed is changed in all kinds of
    notice of this channel and language that say the sentence. InvalidInput, Conflict.
    """
    why = given_reason(reason, "Say why the text is changed.")
    with rt.database.write() as session:
        user_lookup.require(session, by, Role.ADMIN)
        return _add(
            session, rt, by, text, seen, _worded(text, typed, _standing(session, text)), why, everywhere
        )


def restore(rt: Runtime, by: str, text: TextId, seen: int, number: int, reason: str) -> int:
    """Put a text back to one of its versions, or to the delivered words (0), as a new version."""
    why = given_reason(reason, "Say why the text is changed.")
    with rt.database.write() as session:
        user_lookup.require(session, by, Role.ADMIN)
        words = dict(_version(session, text, number).words) if number else {}
        return _add(session, rt, by, text, seen, words, why, False)


def _add(
    session: Session,
    rt: Runtime,
    by: str,
    text: TextId,
    seen: int,
    after: dict[str, str],
    why: str,
    everywhere: bool,
) -> int:
    now, follows = rt.now(session), own_text_queries.newest_number(session)
    rows = {
        (one.channel, one.kind, one.language): one for one in own_text_queries.standing_at(session, follows)
    }
    standing = rows.get((text.channel, text.kind, text.language))
    if (standing.number if standing else 0) != seen:
        raise _overtaken()
    before = standing.words if standing else {}
    changed = {one for one in {*before, *after} if before.get(one) != after.get(one)}
    words = words_in_force.at(session, rt, follows)
    made = None
    for kind in KINDS if everywhere else (text.kind,):
        row = rows.get((text.channel, kind, text.language))
        said = changed.intersection(texts.sentences(text.channel, kind)) if kind is not text.kind else changed
        old = row.words if row else {}
        new = {one: after.get(one) if one in said else old.get(one) for one in {*old, *said}}
        kept = {one: new[one] for one in sorted(new) if new[one] is not None}
        if kept == old:
            continue
        number = row.number + 1 if row else 1
        fresh = OwnText(
            follows=follows,
            channel=text.channel,
            kind=kind,
            language=text.language,
            number=number,
            words=kept,
            reason=why,
            made_at=now,
            made_by=by,
        )
        words = words_in_force.with_words(words, fresh)
        _check_length(TextId(text.channel, kind, text.language), words)
        session.add(fresh)
        try:
            session.flush()
        except IntegrityError:
            raise _overtaken() from None
        follows, made = fresh.id, number if kind is text.kind else made
        # Which sentences, not their words: those stand in the version itself.
        record(
            session,
            now,
            by,
            "text_worded",
            channel=text.channel.value,
            kind=kind.value,
            language=text.language.value,
            number=number,
            sentences=len(said),
            reason=why,
        )
    return seen if made is None else made


def _tried(session: Session, standing: OwnWords, text: TextId, typed: Mapping[int, str]) -> OwnWords:
    said = _worded(text, typed, _standing(session, text))
    row = OwnText(channel=text.channel, kind=text.kind, language=text.language, words=said)
    words = words_in_force.with_words(standing, row)
    _check_length(text, words)
    return words


def _standing(session: Session, text: TextId) -> dict[str, str]:
    versions = own_text_queries.versions(session, text.channel, text.kind, text.language)
    return words_in_force.sayable(versions[0]) if versions else {}


def _worded(text: TextId, typed: Mapping[int, str], before: Mapping[str, str]) -> dict[str, str]:
    """Words by delivered sentence, those alone that differ from the delivered ones."""
    found = dict(before)
    every = texts.sentences(text.channel, text.kind)
    for number, words in typed.items():
        if not 1 <= number <= len(every):
            raise InvalidInput(f"There is no sentence {number}.", f"This text has {len(every)}.")
        sentence = every[number - 1]
        plain = shown(texts.delivered(sentence, text.language))
        try:
            tidy = texts.checked(sentence, text.language, words)
        except texts.WordsRefused as error:
            raise SentenceRefused(number, error.message, error.remedy) from None
        found.pop(sentence, None)
        if tidy != plain:
            found[sentence] = tidy
    return found


def _check_length(text: TextId, words: OwnWords) -> None:
    try:
        texts.check_length(text.channel, text.kind, text.language, words)
    except texts.WordsRefused as error:
        raise InvalidInput(error.message, error.remedy) from None


def _sentences(text: TextId, own: Mapping[str, str]) -> tuple[Sentence, ...]:
    return tuple(
        Sentence(
            number,
            shown(texts.delivered(one, text.language)),
            own.get(one),
            facts_in(one),
            tuple(dict.fromkeys((*facts_in(one), *texts.EVERYWHERE))),
            texts.may_be_empty(one),
        )
        for number, one in enumerate(texts.sentences(text.channel, text.kind), 1)
    )


def _facts(session: Session, rt: Runtime, text: TextId) -> tuple[str, NoticeFacts]:
    affected = own_text_queries.newest_affected(session)
    if affected is not None:
        revision, who = affected
        outage = session.get_one(Outage, revision.outage_ref)
        return outage.reference, preview_texts.sample_facts(
            session, rt, outage, revision, who, text.kind, text.language
        )
    settings = rt.settings
    return "", texts.sample(
        text.kind,
        text.language,
        settings.utility,
        settings.hotline,
        settings.base_url,
        rt.zone,
        rt.now(session),
    )


def _version(session: Session, text: TextId, number: int) -> OwnText:
    every = own_text_queries.versions(session, text.channel, text.kind, text.language)
    found = next((one for one in every if one.number == number), None)
    if found is None:
        raise NotFound(f"This text has no version {number}.", "Choose one of the list.")
    return found


def _overtaken() -> Conflict:
    return Conflict("Somebody changed the texts in the meantime.", "Look at this one and decide again.")
