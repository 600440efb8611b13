"""A good answer to one that has a single fault. Called by `sensitivity`.

`BREAKS` lists the faults by name; each takes a case and says what the answer is then, or None where it does not fit.
Everything that is not the fault stays as it was: quotes that are put in are exact, and the verdicts that an answer
carries are not taken back.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ragkit.citations import render
from ragkit.evaluation import GoldQuestion
from ragkit.evaluation.gold import is_same_document
from ragkit.prompts import REFUSAL
from ragkit.records import Answer, Citation, Paragraph, Sentence
from ragkit.sentences import split_sentences

FORBIDDEN = "BananaFlute"
"""Words that no answer may hold, put into the answers of one break."""

_NUMBER, _WORD = re.compile(r"\d+(?:[.,]\d+)*"), re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Case:
    """A question and an answer that is right."""

    gold: GoldQuestion
    answer: Answer


@dataclass(frozen=True, slots=True)
class Stock:
    """What can be put into an answer.

    Attributes:
        paragraphs: Of the documents that were asked, to be cited.
        sentences: Of other documents, to be said.
        answers: To other questions, to be given in place of a refusal.
    """

    paragraphs: tuple[Paragraph, ...]
    sentences: tuple[str, ...]
    answers: tuple[Answer, ...]


Part = tuple[Sentence, tuple[Citation, ...]]
Break = Callable[[Case, Stock, random.Random], Answer | None]


def swap_citation(case: Case, stock: Stock, rng: random.Random) -> Answer | None:
    """The first sentence cites another paragraph in place of its own."""
    parts, wrong = _parts(case.answer), _cite_another(case, stock, rng)
    place = next((n for n, (_, cited) in enumerate(parts) if cited), None)
    if place is None or wrong is None:
        return None
    parts[place] = parts[place][0], (wrong,)
    return _rebuild(case.answer, parts)


def add_citation(case: Case, stock: Stock, rng: random.Random) -> Answer | None:
    """A sentence cites another paragraph beside its own."""
    parts, more = _parts(case.answer), _cite_another(case, stock, rng)
    places = [n for n, (_, cited) in enumerate(parts) if cited]
    if not places or more is None:
        return None
    sentence, cited = parts[place := rng.choice(places)]
    parts[place] = sentence, (*cited, more)
    return _rebuild(case.answer, parts)


def drop_citation(case: Case, _: Stock, __: random.Random) -> Answer | None:
    """The last sentence that cites something cites nothing."""
    parts = _parts(case.answer)
    place = max((n for n, (_, cited) in enumerate(parts) if cited), default=None)
    if place is None:
        return None
    parts[place] = parts[place][0], ()
    return _rebuild(case.answer, parts)


def move_quote(case: Case, _: Stock, __: random.Random) -> Answer | None:
    """The first citation points one character further than its quote stands."""
    if not case.answer.citations:
        return None
    first, *others = case.answer.citations
    return replace(case.answer, citations=(replace(first, start=first.start + 1, end=first.end + 1), *others))


def put_sentence_in(case: Case, stock: Stock, rng: random.Random) -> Answer | None:
    """A sentence of another document stands at the end and cites what the last one cites."""
    parts = _parts(case.answer)
    if not parts or not stock.sentences:
        return None
    last, cited = parts[-1]
    return _rebuild(case.answer, [*parts, (replace(last, text=rng.choice(stock.sentences)), cited)])


def change_number(case: Case, _: Stock, rng: random.Random) -> Answer | None:
    """The last digit of one number is another."""
    parts = _parts(case.answer)
    found = [(n, match) for n, (sentence, _) in enumerate(parts) for match in _NUMBER.finditer(sentence.text)]
    if not found:
        return None
    place, match = rng.choice(found)
    (sentence, cited), last = parts[place], match.end() - 1
    digit = rng.choice([other for other in "123456789" if other != sentence.text[last]])
    parts[place] = replace(sentence, text=f"{sentence.text[:last]}{digit}{sentence.text[last + 1 :]}"), cited
    return _rebuild(case.answer, parts)


def cut_in_half(case: Case, _: Stock, __: random.Random) -> Answer | None:
    """The first half of the words; a sentence of which some are left keeps its citations."""
    parts, kept = _parts(case.answer), []
    left = sum(len(sentence.text.split()) for sentence, _ in parts) // 2
    for sentence, cited in parts:
        if words := list(_WORD.finditer(sentence.text))[:left]:
            kept.append((replace(sentence, text=sentence.text[: words[-1].end()]), cited))
        left -= len(words)
    return _rebuild(case.answer, kept) if kept else None


def refuse(case: Case, _: Stock, __: random.Random) -> Answer | None:
    """A refusal."""
    if case.answer.abstained:
        return None
    return replace(case.answer, text=REFUSAL, abstained=True, reason="unsupported", sentences=(), citations=())


def answer_refused(case: Case, stock: Stock, rng: random.Random) -> Answer | None:
    """In place of a refusal the answer to another question."""
    if not case.answer.abstained or not stock.answers:
        return None
    return replace(rng.choice(stock.answers), question=case.answer.question)


def say_forbidden(case: Case, _: Stock, __: random.Random) -> Answer | None:
    """The last sentence ends in words that must not be said."""
    parts = _parts(case.answer)
    if not parts:
        return None
    parts[-1] = replace(parts[-1][0], text=f"{parts[-1][0].text} {FORBIDDEN}"), parts[-1][1]
    return _rebuild(case.answer, parts)


def take_verdict_back(case: Case, _: Stock, __: random.Random) -> Answer | None:
    """The answer says of its last sentence that it is not supported."""
    parts = _parts(case.answer)
    if not parts:
        return None
    parts[-1] = replace(parts[-1][0], verdict="unsupported", support=0.0), parts[-1][1]
    return _rebuild(case.answer, parts)


BREAKS: dict[str, Break] = {
    "another citation": swap_citation,
    "a citation too many": add_citation,
    "a citation dropped": drop_citation,
    "a quote moved": move_quote,
    "a sentence of another document": put_sentence_in,
    "a number changed": change_number,
    "cut in half": cut_in_half,
    "a refusal": refuse,
    "an answer for a refusal": answer_refused,
    "forbidden words": say_forbidden,
    "a verdict taken back": take_verdict_back,
}


def _parts(answer: Answer) -> list[Part]:
    """The sentences, each with its own citations; none for a refusal."""
    places = {citation.label: citation for citation in answer.citations}
    said = () if answer.abstained else answer.sentences
    return [(s, tuple(places[label] for label in s.citations if label in places)) for s in said]


def _rebuild(answer: Answer, parts: Sequence[Part]) -> Answer:
    """The answer with these sentences, labels from 1 in order of appearance."""
    labels: dict[tuple[str, int, int, int], int] = {}
    citations: dict[int, Citation] = {}
    sentences = []
    for sentence, cited in parts:
        numbers = []
        for citation in cited:
            place = (citation.paragraph.document.path, citation.paragraph.number, citation.start, citation.end)
            numbers.append(labels.setdefault(place, len(labels) + 1))
            citations[numbers[-1]] = replace(citation, label=numbers[-1])
        sentences.append(replace(sentence, citations=tuple(numbers)))
    text = render(sentences)
    return replace(answer, text=text, sentences=tuple(sentences), citations=tuple(citations.values()))


def _cite_another(case: Case, stock: Stock, rng: random.Random) -> Citation | None:
    """A citation of the first sentence of a paragraph that is neither gold nor cited; None if there is none."""
    taken = [(evidence.document, evidence.paragraph) for evidence in case.gold.evidence]
    taken += [(citation.paragraph.document.path, citation.paragraph.number) for citation in case.answer.citations]
    others = [
        paragraph
        for paragraph in stock.paragraphs
        if not any(n == paragraph.number and is_same_document(path, paragraph.document.path) for path, n in taken)
    ]
    if not others:
        return None
    paragraph = rng.choice(others)
    start, end = split_sentences(paragraph.text)[0]
    return Citation(0, paragraph, paragraph.start + start, paragraph.start + end, paragraph.text[start:end], 0.0)
