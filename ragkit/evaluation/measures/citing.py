"""What an answer cites: gold paragraphs, exact quotes, and enough to support its sentences. Called by `metrics`.

Whether a text supports a sentence is said by a judge that is given; everything else is counted. None means that there
is nothing to judge.
"""

from collections.abc import Callable, Sequence

from ragkit.evaluation.gold import GoldQuestion, is_same_document
from ragkit.records import Answer, Citation, Paragraph, Sentence

TextOf = Callable[[str], str | None]
"""A document's path to its text as read anew, or None if it is not to be had."""

Judge = Callable[[str, str], bool]
"""A sentence and a source text to whether the text supports the sentence."""


def first_citation_right(gold: GoldQuestion, answer: Answer) -> float | None:
    """Whether the first citation is a gold paragraph; None for abstentions and where there is no gold paragraph."""
    return None if answer.abstained else first_citation_right_all(gold, answer)


def first_citation_right_all(gold: GoldQuestion, answer: Answer) -> float | None:
    """The same over all answerable questions: an abstention counts as wrong."""
    if not (gold.answerable and gold.evidence):
        return None
    return float(bool(answer.citations) and not answer.abstained and _is_gold(gold, answer.citations[0]))


def citation_precision(gold: GoldQuestion, answer: Answer) -> float | None:
    """Share of the cited paragraphs that are gold; None without citations or gold paragraphs."""
    cited = {(c.paragraph.document.path, c.paragraph.number): c for c in answer.citations}
    if not (gold.answerable and gold.evidence and cited) or answer.abstained:
        return None
    return sum(_is_gold(gold, citation) for citation in cited.values()) / len(cited)


def citation_recall(gold: GoldQuestion, answer: Answer) -> float | None:
    """Share of the gold paragraphs that are cited; None for abstentions and without gold paragraphs.

    Where any one of several gold paragraphs would do, a good answer cites fewer than all: read it against another run.
    """
    if not (gold.answerable and gold.evidence) or answer.abstained:
        return None
    wanted = {(evidence.document, evidence.paragraph) for evidence in gold.evidence}
    return sum(any(_is_at(citation, *place) for citation in answer.citations) for place in wanted) / len(wanted)


def _is_gold(gold: GoldQuestion, citation: Citation) -> bool:
    return any(_is_at(citation, evidence.document, evidence.paragraph) for evidence in gold.evidence)


def _is_at(citation: Citation, document: str, number: int) -> bool:
    return citation.paragraph.number == number and is_same_document(citation.paragraph.document.path, document)


def quotes_exact(answer: Answer, text_of: TextOf) -> float | None:
    """Share of the citations whose quote is what stands at their offsets; None if no document cited is to be had."""
    texts = [(citation, text_of(citation.paragraph.document.path)) for citation in answer.citations]
    exact = [text[c.start : c.end] == c.quote and bool(c.quote) for c, text in texts if text is not None]
    return sum(exact) / len(exact) if exact else None


def citations_support(answer: Answer, judge: Judge) -> float | None:
    """Share of the sentences that all the paragraphs they cite support together; None where nothing is said.

    Citation recall of ALCE (Gao et al. 2023, section 4.3): a sentence that cites nothing is not supported.
    """
    if answer.abstained or not answer.sentences:
        return None
    supported = [supports(cited_by(sentence, answer), sentence, judge) for sentence in answer.sentences]
    return sum(supported) / len(supported)


def citations_needed(answer: Answer, judge: Judge) -> float | None:
    """Share of the citations that are needed; None without citations.

    Citation precision of ALCE (Gao et al. 2023, section 4.3). A citation is needed if its sentence is supported by all
    that it cites together and either by this paragraph alone or not by the others without it. A paragraph that a
    sentence cites for several quotes counts once.
    """
    needed = []
    for sentence in () if answer.abstained else answer.sentences:
        cited = cited_by(sentence, answer)
        is_supported = supports(cited, sentence, judge)
        needed += [is_supported and _is_needed(paragraph, cited, sentence, judge) for paragraph in cited]
    return sum(needed) / len(needed) if needed else None


def _is_needed(paragraph: Paragraph, cited: Sequence[Paragraph], sentence: Sentence, judge: Judge) -> bool:
    others = [other for other in cited if other is not paragraph]
    return supports([paragraph], sentence, judge) or not supports(others, sentence, judge)


def cited_by(sentence: Sentence, answer: Answer) -> tuple[Paragraph, ...]:
    """The paragraphs that a sentence of the answer cites, in the order of its labels, each once."""
    places = {citation.label: citation.paragraph for citation in answer.citations}
    cited = [places[label] for label in sentence.citations if label in places]
    return tuple({(paragraph.document.path, paragraph.number): paragraph for paragraph in cited}.values())


def supports(paragraphs: Sequence[Paragraph], sentence: Sentence, judge: Judge) -> bool:
    """Whether the paragraphs, read as one text, support a sentence; no paragraphs support none."""
    return bool(paragraphs) and judge(sentence.text, "\n\n".join(paragraph.text for paragraph in paragraphs))
