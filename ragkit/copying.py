"""Is a sentence taken from the source as it stands? (sentence, source text) -> how closely, or what was changed.

Deterministic and strict: all its content words, names, numbers and dates must stand in one sentence of the source, in
that order, with the same negation, modality and bounds, and without a jump from one statement into another. What says
the same in other words is no copy; `verification` asks a model about that.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ragkit.neutral import without_labels
from ragkit.quantities import currencies, months, unify_quantities
from ragkit.sentences import split_sentences
from ragkit.terms import STOP_WORDS, WORD, stem

MIN_KEPT = 0.7
"""A sentence that draws on several clauses must keep this share of their content words."""

_NEGATIONS = frozenset("not no never none nobody nothing neither nor without cannot hardly barely scarcely".split())
_NARROW_NEGATIONS = frozenset({"no", "without"})  # of what follows them, not of the clause
_NEGATED = re.compile(r"n['’]t\b", re.IGNORECASE)
_MODALS = frozenset("may might can could would will shall should must if unless whether".split())
_TURNING = frozenset(
    "refus deni deny fail reject forbid prevent avoid doubt unlik want wish hope plan intend propos threaten claim "
    "alleg consid expect tri attempt seek sought demand suggest argu believ think thought promis offer rule exclud "
    "ban stop reported supposed allegedly reportedly likely probably perhaps possibly almost former false untru "
    "nearly partly few second third".split()
)
"""Stems of words that turn what follows them into something else than a fact, so that they may not be left out."""

_QUANTIFIERS = frozenset("all any both each every many much only some".split())
_NARROWING = frozenset({"any", "only", "some"})  # may not be left out, as "all" may
_DIRECTIONS = frozenset({"by", "from", "to"})
_QUALIFIERS = re.compile(
    r"\b(more than|less than|fewer than|at least|at most|no more than|no less than|over|under|up to|above|below)\s+"
    r"(?:minus)?(\d[\w.]*)",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"[;:–—]|,?\s+\b(?:whereas|while|but|although|though|yet|because)\b|,\s+(?:and|or|so|who|whose|which|where)\b",
    re.IGNORECASE,
)
_COORDINATION = frozenset({"and", "or", "but", "nor"})
_STRAIGHT = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "„": '"'})


@dataclass(frozen=True, slots=True)
class Copy:
    """How a sentence was taken from a source.

    Attributes:
        closeness: The share of its words that stand there, in [0, 1]; 1 if it stands there as it is.
        changes: What was changed or is not there; empty if it is a copy.
        is_whole: Whether it is one whole sentence of the source, nothing left out.
    """

    closeness: float
    changes: tuple[str, ...] = ()
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class _Term:
    """One content word.

    Attributes:
        key: By which two are compared: the stem, or the number.
        before: The function words between it and the content word before it.
        clause: Counted from 0 within the sentence.
        follows: Whether nothing but a space parts it from the content word before it.
    """

    key: str
    word: str
    before: tuple[str, ...]
    clause: int
    follows: bool

    @property
    def is_number(self) -> bool:
        return any(character.isdigit() for character in self.key)

    @property
    def is_capitalised(self) -> bool:
        return self.word[0].isupper()

    @property
    def negates(self) -> bool:
        return self.key in _NEGATIONS or any(word in _NEGATIONS or _NEGATED.search(word) for word in self.before)


def compare(sentence: str, source_text: str) -> Copy:
    """How one sentence, without citation labels, was taken from a text."""
    said = _terms(sentence)
    sources = [source_text[start:end] for start, end in split_sentences(source_text)] or [source_text]
    if any(_as_written(sentence) == _as_written(source) for source in sources) and said:
        return Copy(1.0, is_whole=True)
    if not said:
        return Copy(0.0, ("it has no content words",))
    known = {term.key for source in sources for term in _terms(source)}
    coverage = sum(term.key in known for term in said) / len(said)
    if missing := [_name_missing(term) for term in said if term.key not in known]:
        return Copy(coverage, tuple(dict.fromkeys(missing)))
    closest = sorted(sources, key=lambda source: -_shared(said, source))
    found = [_objections(sentence, said, source) for source in closest]
    if not all(found):
        best = closest[found.index(())]
        return Copy(1.0 if f" {_flat(sentence)} " in f" {_flat(best)} " else _closeness(sentence, best))
    return Copy(coverage, found[0])


def _as_written(text: str) -> str:
    """Every character but reference marks, the kind of quotation marks, spacing, and what ends the sentence."""
    straight = without_labels(text).translate(_STRAIGHT)
    return " ".join(straight.split()).strip("\"' ").removesuffix(".").strip("\"' ").casefold()


def _flat(text: str) -> str:
    """Words only, so that quotation marks, reference marks and spacing make no difference."""
    return " ".join(match.group().casefold() for match in WORD.finditer(unify_quantities(without_labels(text))))


def _closeness(sentence: str, source: str) -> float:
    """The share of all words of the sentence, function words too, that the source has; below 1."""
    wanted, known = _flat(sentence).split(), set(_flat(source).split())
    return min(0.99, sum(word in known for word in wanted) / len(wanted))


def _shared(said: Sequence[_Term], source: str) -> int:
    known = {term.key for term in _terms(source)}
    return sum(term.key in known for term in said)


def _terms(text: str) -> list[_Term]:
    """The content words of a text in order."""
    text = unify_quantities(without_labels(text)).replace("’", "'")
    ends = [match.start() for match in _CLAUSE_END.finditer(text)]
    shouts = text.isupper()
    terms: list[_Term] = []
    before: list[str] = []
    last_end = 0
    for match in re.finditer(rf"{WORD.pattern}(?:'t\b)?", text):
        word = match.group()
        folded = word.casefold()
        acronym = word.isupper() and len(word) > 1 and not shouts
        if (folded in STOP_WORDS and not acronym and word != "May") or folded.endswith("'t"):
            before.append("may" if folded == "may" else folded)
            continue
        clause = sum(end < match.start() for end in ends)
        follows = bool(terms) and not before and text[last_end : match.start()].isspace()
        key = f"{word}." if acronym and folded in STOP_WORDS else stem(folded)
        terms.append(_Term(key, word, tuple(before), clause, follows))
        before, last_end = [], match.end()
    return terms


def _name_missing(term: _Term) -> str:
    if term.is_number:
        return f"the number {term.word.replace('percent', ' %').replace('minus', '-')} is not in the source"
    kind = "name" if term.is_capitalised else "word"
    return f"the {kind} {term.word} is not in the source"


def _objections(sentence: str, said: Sequence[_Term], source: str) -> tuple[str, ...]:
    """What speaks against one sentence of the source as the support; nothing if it is."""
    there = _terms(source)
    known = {term.key for term in there}
    if elsewhere := [term.word for term in said if term.key not in known]:
        return (f"it joins words of different sentences: {', '.join(elsewhere)}",)
    facts = (*_other_facts(sentence, source),)
    if facts:
        return facts
    readings = [tuple(_misread(said, there, places)) for places in _alignments(said, there)]
    if not readings:
        return ("the words stand in another order in the source",)
    return min(readings, key=len)


def _other_facts(sentence: str, source: str) -> Iterator[str]:
    """Months, dates, currencies and bounds that the source has not, or has otherwise."""
    yield from (f"the month {month} is not in the source" for month in sorted(months(sentence) - months(source)))
    yield from (
        f"the currency {name} is not in the source" for name in sorted(currencies(sentence) - currencies(source))
    )
    bounds, source_bounds = _bounds(sentence), _bounds(source)
    for number in {number for _, number in bounds | source_bounds}:
        here = {bound for bound, n in bounds if n == number}
        there = {bound for bound, n in source_bounds if n == number}
        if here != there and f" {number} " in f" {_flat(sentence)} ":
            yield f"the source says {' or '.join(sorted(there)) or 'exactly'} {number}"


def _bounds(text: str) -> set[tuple[str, str]]:
    return {(match[1].lower(), match[2]) for match in _QUALIFIERS.finditer(unify_quantities(text))}


def _alignments(said: Sequence[_Term], there: Sequence[_Term]) -> Iterator[list[int]]:
    """Places in the source where the words stand one after another, one for each place where the first word does."""
    for start, term in enumerate(there):
        if term.key != said[0].key:
            continue
        places = [start]
        for wanted in said[1:]:
            place = next((n for n in range(places[-1] + 1, len(there)) if there[n].key == wanted.key), None)
            if place is None:
                break
            places.append(place)
        if len(places) == len(said):
            yield places


def _misread(said: Sequence[_Term], there: Sequence[_Term], places: Sequence[int]) -> Iterator[str]:
    """What the sentence changed by leaving out words between, or before, those it took over."""
    drawn = {there[place].clause for place in places}
    in_clauses = [n for n, term in enumerate(there) if term.clause in drawn]
    if len(drawn) > 1 and len(places) / len(in_clauses) < MIN_KEPT:
        yield "it joins words of different clauses"
    yield from _changed_negation(said, there, places, in_clauses)
    span = [n for n in in_clauses if n <= places[-1]]
    skipped = [n for n in span if n not in set(places)]
    yield from (f"it leaves out {there[n].word}" for n in skipped if _turns(there[n]))
    yield from _changed_modality(said, [there[n] for n in span if n >= places[0]], [there[n] for n in span])
    for term, place in zip(said, places, strict=True):
        ours, theirs = (set(words) & _DIRECTIONS for words in (term.before, there[place].before))
        if ours != theirs and (ours | theirs) & {"by", "from"} and place != places[0]:
            yield f"{term.word} has another role in the source"
    for n, (i, j) in enumerate(pairwise((-1, *places))):
        yield from _changed_quantity(said[n], there[max(i + 1, in_clauses[0]) : j + 1])
        if n:
            yield from _joined_apart(said[n - 1], said[n], there[i : j + 1])


def _changed_quantity(term: _Term, stretch: Sequence[_Term]) -> Iterator[str]:
    """A quantifier before a word that is not before it in the source; `stretch` ends with the word there."""
    ours = set(term.before) & _QUANTIFIERS
    theirs = {word for other in stretch for word in other.before} & _QUANTIFIERS
    yield from (f"the source does not say {word} {term.word}" for word in sorted(ours - theirs))
    yield from (f"it leaves out {word}" for word in sorted((theirs - ours) & _NARROWING))
    if term.key == "few" and ("a" in term.before) != ("a" in stretch[-1].before):
        yield "few and a few are not the same"


def _changed_negation(
    said: Sequence[_Term], there: Sequence[_Term], places: Sequence[int], in_clauses: Sequence[int]
) -> Iterator[str]:
    kept = set(places)
    negated = any(
        there[n].negates for n in in_clauses if n in kept or not _NARROW_NEGATIONS.issuperset(_negations_of(there[n]))
    )
    ours = any(term.negates for term in said)
    if negated and not ours:
        yield "the source negates this"
    elif ours and not negated:
        yield "the source does not negate this"


def _negations_of(term: _Term) -> set[str]:
    return {word for word in (*term.before, term.key) if word in _NEGATIONS or _NEGATED.search(word)}


def _turns(term: _Term) -> bool:
    return term.key in _TURNING or term.word.casefold() in _TURNING


def _changed_modality(said: Sequence[_Term], between: Sequence[_Term], all_before: Sequence[_Term]) -> Iterator[str]:
    ours = {word for term in said for word in term.before} & _MODALS
    theirs = {word for term in between for word in term.before} & _MODALS
    theirs |= {word for term in all_before for word in term.before} & {"if", "unless", "whether"}
    yield from (f"it leaves out {word}" for word in sorted(theirs - ours))
    yield from (f"the source does not say {word}" for word in sorted(ours - theirs))


def _joined_apart(first: _Term, second: _Term, stretch: Sequence[_Term]) -> Iterator[str]:
    """Two neighbours of the sentence that belong to different things in the source, where `stretch` lies between."""
    skipped = stretch[1:-1]
    if not skipped:
        return
    if (first.is_number or second.is_number) and any(term.is_number for term in skipped):
        yield f"{first.word} {second.word} do not belong together in the source"
    is_name = first.is_capitalised and second.is_capitalised and second.follows and stretch[0].is_capitalised
    if is_name and not all(term.is_capitalised and term.follows for term in stretch[1:]):
        yield f"the name {first.word} {second.word} is not in the source"
    joints = [n for n, term in enumerate(skipped) if _COORDINATION & set(term.before)]
    if any(n > 0 or len(skipped) > 1 for n in joints):
        yield "it joins words of different statements"
