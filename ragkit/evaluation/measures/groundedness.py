"""How much of an answer stands in what it cites: as the answer itself says, and judged anew. Called by `metrics`.

The second does not trust the verdicts that an answer carries: a judge is asked again. None means that nothing is said.
"""

from dataclasses import dataclass

from ragkit.evaluation.measures.citing import Judge, cited_by, supports
from ragkit.records import Answer, Sentence


@dataclass(frozen=True, slots=True)
class Verdicts:
    """How many sentences of an answer were judged how; each counts in one.

    Attributes:
        supported: What they cite supports them together, or one paragraph that the answer cites does alone.
        unsupported: They cite something, but nothing that the answer cites supports them.
        not_cited: They cite nothing.
    """

    supported: int
    unsupported: int
    not_cited: int


def count_verdicts(answer: Answer, judge: Judge) -> Verdicts:
    """The sentences of an answer by verdict, as judged anew; none for an abstention.

    A sentence may cite the wrong one of the paragraphs that the answer cites and still be supported: whether its own
    citations are enough is for `citations_support` to say.
    """
    said = () if answer.abstained else answer.sentences
    cited = [sentence for sentence in said if cited_by(sentence, answer)]
    supported = sum(_stands(sentence, answer, judge) for sentence in cited)
    return Verdicts(supported, len(cited) - supported, len(said) - len(cited))


def _stands(sentence: Sentence, answer: Answer, judge: Judge) -> bool:
    if supports(cited_by(sentence, answer), sentence, judge):
        return True
    return any(supports([citation.paragraph], sentence, judge) for citation in answer.citations)


def grounded(answer: Answer, judge: Judge) -> float | None:
    """Share of the sentences that the paragraphs cited in the answer support, judged anew."""
    return _share(count_verdicts(answer, judge).supported, answer)


def not_supported(answer: Answer, judge: Judge) -> float | None:
    """Share of the sentences that cite something, though nothing that the answer cites supports them."""
    return _share(count_verdicts(answer, judge).unsupported, answer)


def not_cited(answer: Answer) -> float | None:
    """Share of the sentences that cite nothing."""
    return _share(sum(not cited_by(sentence, answer) for sentence in answer.sentences), answer)


def sentences_supported(answer: Answer) -> float | None:
    """Share of the sentences that the answer itself says are supported."""
    return _share(sum(sentence.verdict == "supported" for sentence in answer.sentences), answer)


def model_wording(answer: Answer) -> float | None:
    """Share of the sentences that are the model's words, not quoted ones."""
    return _share(sum(not sentence.quoted for sentence in answer.sentences), answer)


def _share(count: int, answer: Answer) -> float | None:
    return count / len(answer.sentences) if answer.sentences and not answer.abstained else None
