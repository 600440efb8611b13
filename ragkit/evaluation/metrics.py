"""One gold question and the answer it got, to numbers. Pure functions, called by `run`.

Each returns a value for the one question (a claim is 1.0 or 0.0), or None where it cannot judge, and such a question
then counts in no mean. `METRICS` lists them all with their stable names, in the order of reports.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from ragkit.evaluation.gold import GoldQuestion, is_same_document
from ragkit.records import Answer, Citation

TextOf = Callable[[str], str | None]
LABELS = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")
NUMBER_MARKS = re.compile(r"(?<=\d)[^\w\s](?=\d)")
_ROUGE_WORD = re.compile(r"[a-z0-9]+")
ARTICLES = frozenset({"a", "an", "the"})
LONG_DASHES = str.maketrans({"–": " ", "—": " ", "―": " "})


def normalise(text: str) -> list[str]:
    """Words in lower case without punctuation and articles, as SQuAD compares answers (Rajpurkar et al. 2016, 6.1).

    Beyond that: compatibility forms are folded, long dashes part words, and punctuation outside ASCII goes as well.
    """
    words = _fold(text).translate(LONG_DASHES)
    return _drop_articles("".join(c for c in words if not _is_punctuation(c)).split())


def normalise_parts(text: str) -> list[str]:
    """The same, but punctuation parts words unless it stands in a number: "Rollo's six-time" is rollo s six time."""
    folded = _fold(text)
    kept = (" " if _is_punctuation(c) else c for c in NUMBER_MARKS.sub("", folded))
    return _drop_articles("".join(kept).split())


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character)[0] == "P"


def _drop_articles(words: list[str]) -> list[str]:
    return [word for word in words if word not in ARTICLES]


def spoken_text(answer: Answer) -> str:
    """What an answer says, without its labels; nothing if it abstained."""
    if answer.abstained:
        return ""
    if answer.sentences:
        return " ".join(sentence.text for sentence in answer.sentences)
    return LABELS.sub("", answer.text)


def includes(text: str, wording: str) -> bool:
    """Whether the normalised words of `wording` stand next to one another in the text, normalised in either way.

    A wording of which normalising leaves nothing, such as "A", must stand in the text as it is.
    """
    if not normalise(wording):
        return _has_run(text.split(), wording.split())
    return any(_has_run(split(text), split(wording)) for split in (normalise, normalise_parts))


def _has_run(words: list[str], wanted: list[str]) -> bool:
    return bool(wanted) and any(words[i : i + len(wanted)] == wanted for i in range(len(words) - len(wanted) + 1))


def contains_gold(gold: GoldQuestion, answer: Answer) -> float | None:
    """Whether the answer has an accepted answer in it, or everything it must include; None for long or no gold."""
    if not gold.answerable or gold.is_long:
        return None
    text = spoken_text(answer)
    if gold.must_include:
        return float(all(any(includes(text, wording) for wording in entry) for entry in gold.must_include))
    return float(any(includes(text, accepted) for accepted in gold.answers))


def answer_right(gold: GoldQuestion, answer: Answer) -> float | None:
    """Answerable: it says the gold answer; unanswerable: it abstained; None where gold is long."""
    return contains_gold(gold, answer) if gold.answerable else float(answer.abstained)


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
    return sum(
        any(_is_at(citation, evidence.document, evidence.paragraph) for citation in answer.citations)
        for evidence in gold.evidence
    ) / len(gold.evidence)


def _is_gold(gold: GoldQuestion, citation: Citation) -> bool:
    return any(_is_at(citation, evidence.document, evidence.paragraph) for evidence in gold.evidence)


def _is_at(citation: Citation, document: str, number: int) -> bool:
    return citation.paragraph.number == number and is_same_document(citation.paragraph.document.path, document)


def refused_rightly(gold: GoldQuestion, answer: Answer) -> float | None:
    """Whether an unanswerable question was refused; None for answerable ones."""
    return None if gold.answerable else float(answer.abstained)


def refused_wrongly(gold: GoldQuestion, answer: Answer) -> float | None:
    """Whether an answerable question was refused; None for unanswerable ones."""
    return float(answer.abstained) if gold.answerable else None


def says_forbidden(gold: GoldQuestion, answer: Answer) -> float | None:
    """Whether the answer holds words that it must not; None where there are none."""
    if not gold.must_not_include:
        return None
    return float(any(includes(spoken_text(answer), wording) for wording in gold.must_not_include))


def sentences_supported(answer: Answer) -> float | None:
    """Share of the sentences shown that verification found supported; None where there are none."""
    if answer.abstained or not answer.sentences:
        return None
    return sum(sentence.verdict == "supported" for sentence in answer.sentences) / len(answer.sentences)


def model_wording(answer: Answer) -> float | None:
    """Share of the sentences shown that are the model's words, not quoted ones; None where there are none."""
    if answer.abstained or not answer.sentences:
        return None
    return sum(not sentence.quoted for sentence in answer.sentences) / len(answer.sentences)


def quotes_exact(answer: Answer, text_of: TextOf) -> float | None:
    """Share of the citations whose quote is what stands at their offsets in the document.

    Args:
        answer: The answer to judge.
        text_of: A document's path to its text as read anew, or None if it is not to be had; None if none of them is.
    """
    texts = [(citation, text_of(citation.paragraph.document.path)) for citation in answer.citations]
    exact = [text[c.start : c.end] == c.quote and bool(c.quote) for c, text in texts if text is not None]
    return sum(exact) / len(exact) if exact else None


def words(answer: Answer) -> float | None:
    """Words of the answer without its labels; None for an abstention."""
    return None if answer.abstained else float(len(spoken_text(answer).split()))


def exact_match(gold: GoldQuestion, answer: Answer) -> float | None:
    """Whether the answer is an accepted answer and nothing else, normalised; None without accepted answers."""
    if not (gold.answerable and gold.answers):
        return None
    said = normalise(spoken_text(answer))
    return float(any(said == normalise(accepted) for accepted in gold.answers))


def token_f1(gold: GoldQuestion, answer: Answer) -> float | None:
    """Harmonic mean of word precision and recall against the accepted answer that fits best; None without any."""
    if not (gold.answerable and gold.answers):
        return None
    said = normalise(spoken_text(answer))
    return max(_f1(said, normalise(accepted)) for accepted in gold.answers)


def _f1(said: list[str], accepted: list[str]) -> float:
    shared = sum((Counter(said) & Counter(accepted)).values())
    return 2 * shared / (len(said) + len(accepted)) if shared else 0.0


def rouge_l(gold: GoldQuestion, answer: Answer) -> float | None:
    """F-measure of the longest common subsequence of words with the long answer that fits best (Lin 2004, ROUGE-L).

    Words are runs of ASCII letters and digits in small letters, unstemmed; None where gold is short, and for
    abstentions.
    """
    if not gold.is_long or answer.abstained:
        return None
    said = _ROUGE_WORD.findall(spoken_text(answer).lower())
    return max(_common_f1(said, _ROUGE_WORD.findall(accepted.lower())) for accepted in gold.answers)


def _common_f1(said: list[str], accepted: list[str]) -> float:
    common = LCSseq.similarity(said, accepted)
    return 2 * common / (len(said) + len(accepted)) if common else 0.0


def evidence_sentence_f1(gold: GoldQuestion, answer: Answer) -> float | None:
    """Harmonic mean of precision and recall of the quoted sentences against the gold ones; None without any."""
    if not gold.evidence_sentences or not gold.answerable or answer.abstained:
        return None
    wanted = {" ".join(normalise(sentence)) for sentence in gold.evidence_sentences}
    cited = {" ".join(normalise(citation.quote)) for citation in answer.citations}
    return 2 * len(wanted & cited) / (len(wanted) + len(cited)) if cited else 0.0


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric under its stable name.

    Attributes:
        judge: None for the two that need more than the answer: the documents' text, the clock.
        is_share: Whether a question's value is 0 or 1, so that the mean is a proportion.
    """

    name: str
    meaning: str
    judge: Callable[[GoldQuestion, Answer], float | None] | None
    is_share: bool = False
    less_is_better: bool = False


METRICS = (
    Metric("answers_right", "says the gold answer, or refuses where there is none", answer_right, True),
    Metric("contains_gold", "answerable: the answer contains the gold answer", contains_gold, True),
    Metric("first_citation_right", "answered: the first citation is a gold paragraph", first_citation_right, True),
    Metric("first_citation_right_all", "the same, refusals counted as wrong", first_citation_right_all, True),
    Metric("citation_precision", "answered: share of cited paragraphs that are gold", citation_precision),
    Metric("citation_recall", "answered: share of gold paragraphs that are cited", citation_recall),
    Metric("refused_rightly", "unanswerable: refused", refused_rightly, True),
    Metric("refused_wrongly", "answerable: refused", refused_wrongly, True, less_is_better=True),
    Metric("says_forbidden", "says what it must not", says_forbidden, True, less_is_better=True),
    Metric("sentences_supported", "share of sentences verified", lambda _gold, answer: sentences_supported(answer)),
    Metric("quotes_exact", "share of citations that quote the document exactly", None),
    Metric("model_wording", "share of sentences in the model's own words", lambda _gold, answer: model_wording(answer)),
    Metric("exact_match", "the answer is a gold answer and nothing else", exact_match, True),
    Metric("token_f1", "word overlap with the gold answer", token_f1),
    Metric("rouge_l", "common subsequence of words with the long gold answer", rouge_l),
    Metric("evidence_sentence_f1", "quoted sentences against the gold ones", evidence_sentence_f1),
    Metric("words", "words of an answer", lambda _gold, answer: words(answer), less_is_better=True),
    Metric("seconds", "seconds from question to answer", None, less_is_better=True),
)
METRIC_NAMES = tuple(metric.name for metric in METRICS)


def judge_answer(gold: GoldQuestion, answer: Answer, text_of: TextOf) -> dict[str, float | None]:
    """Every metric's value for one answer, by name in the order of `METRICS`."""
    measured = {"quotes_exact": quotes_exact(answer, text_of), "seconds": answer.seconds.total}
    return {m.name: m.judge(gold, answer) if m.judge else measured[m.name] for m in METRICS}


def judge_failure(gold: GoldQuestion) -> dict[str, float | None]:
    """The values of a question that ended in an error: wrong wherever right or wrong is asked, else None."""
    short = gold.answerable and not gold.is_long
    wrong = {
        "answers_right": short or not gold.answerable,
        "contains_gold": short,
        "first_citation_right_all": gold.answerable and bool(gold.evidence),
        "refused_rightly": not gold.answerable,
    }
    return {name: 0.0 if wrong.get(name) else None for name in METRIC_NAMES}
