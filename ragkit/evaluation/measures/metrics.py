"""One gold question and the answer it got, to numbers. Pure functions, called by `run`.

Each returns a value for the one question (a claim is 1.0 or 0.0), or None where it cannot judge, and such a question
then counts in no mean. Here is what the words of an answer say; `citing`, `groundedness` and `refusals` judge the rest.
`METRICS` lists all of them with their stable names, in the order of reports.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from rapidfuzz.distance import LCSseq

from ragkit.evaluation.gold import GoldQuestion
from ragkit.evaluation.measures.citing import (
    Judge,
    TextOf,
    citation_precision,
    citation_recall,
    citations_needed,
    citations_support,
    first_citation_right,
    first_citation_right_all,
    quotes_exact,
)
from ragkit.evaluation.measures.groundedness import (
    grounded,
    model_wording,
    not_cited,
    not_supported,
    sentences_supported,
)
from ragkit.evaluation.measures.refusals import refused_rightly, refused_wrongly
from ragkit.records import Answer

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
    if not _has_short_gold(gold):
        return None
    if gold.must_include:
        return float(item_recall(gold, answer) == 1.0)
    return float(any(includes(spoken_text(answer), accepted) for accepted in gold.answers))


def _has_short_gold(gold: GoldQuestion) -> bool:
    return gold.answerable and not gold.is_long and bool(gold.must_include or gold.answers)


def answer_right(gold: GoldQuestion, answer: Answer) -> float | None:
    """Answerable: it says the gold answer; unanswerable: it abstained; None where gold is long."""
    return contains_gold(gold, answer) if gold.answerable else float(answer.abstained)


def item_recall(gold: GoldQuestion, answer: Answer) -> float | None:
    """Share of the entries that the answer says, each in any of its wordings; None where none are asked for."""
    if not (gold.answerable and gold.must_include):
        return None
    text = spoken_text(answer)
    return sum(_holds(text, entry) for entry in gold.must_include) / len(gold.must_include)


def item_precision(gold: GoldQuestion, answer: Answer) -> float | None:
    """Share of the answer's sentences, or lines where one has several, that hold an entry; None for abstentions.

    Entries that share one sentence do not raise it, and other things that it says do not lower it.
    """
    said = [sentence.text for sentence in answer.sentences] or [spoken_text(answer)]
    items = [line for text in said for line in text.splitlines() if normalise(line)]
    if not (gold.answerable and gold.must_include and items) or answer.abstained:
        return None
    return sum(any(_holds(item, entry) for entry in gold.must_include) for item in items) / len(items)


def _holds(text: str, entry: Iterable[str]) -> bool:
    return any(includes(text, wording) for wording in entry)


def says_forbidden(gold: GoldQuestion, answer: Answer) -> float | None:
    """Whether the answer holds words that it must not; None where there are none."""
    if not gold.must_not_include:
        return None
    return float(any(includes(spoken_text(answer), wording) for wording in gold.must_not_include))


def words(answer: Answer) -> float | None:
    """Words of the answer without its labels; None for an abstention."""
    return None if answer.abstained else float(len(spoken_text(answer).split()))


def exact_match(gold: GoldQuestion, answer: Answer) -> float | None:
    """Whether the answer is an accepted answer and nothing else, normalised; None without accepted answers."""
    if not (gold.answerable and gold.answers):
        return None
    said = normalise(spoken_text(answer))
    return float(not answer.abstained and any(said == normalise(accepted) for accepted in gold.answers))


def token_f1(gold: GoldQuestion, answer: Answer) -> float | None:
    """Harmonic mean of word precision and recall against the accepted answer that fits best; None without any."""
    if not (gold.answerable and gold.answers):
        return None
    if answer.abstained:
        return 0.0
    said = normalise(spoken_text(answer))
    return max(_f1(said, normalise(accepted)) for accepted in gold.answers)


def _f1(said: list[str], accepted: list[str]) -> float:
    if not said or not accepted:
        return float(said == accepted)
    return 2 * sum((Counter(said) & Counter(accepted)).values()) / (len(said) + len(accepted))


def rouge_l(gold: GoldQuestion, answer: Answer) -> float | None:
    """F-measure of the longest common subsequence of words with the long answer that fits best (Lin 2004, ROUGE-L).

    Words are runs of ASCII letters and digits in small letters, unstemmed; None where gold is short, and for
    abstentions.
    """
    return _best_overlap(gold, answer, LCSseq.similarity)


def unigram_f1(gold: GoldQuestion, answer: Answer) -> float | None:
    """The same of the words that they share, in whatever order (Lin 2004, ROUGE-1)."""
    return _best_overlap(gold, answer, lambda said, accepted: sum((Counter(said) & Counter(accepted)).values()))


def _best_overlap(
    gold: GoldQuestion, answer: Answer, count_shared: Callable[[list[str], list[str]], int]
) -> float | None:
    if not (gold.is_long and gold.answerable and gold.answers) or answer.abstained:
        return None
    said = _ROUGE_WORD.findall(spoken_text(answer).lower())
    accepted = [_ROUGE_WORD.findall(text.lower()) for text in gold.answers]
    return max(2 * count_shared(said, words) / (len(said) + len(words) or 1) for words in accepted)


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
        judge: None for those that need more than the answer: the documents' text, the clock, a judge.
        is_share: Whether a question's value is 0 or 1, so that the mean is a proportion.
        weigh: In place of `judge`, for those that need a judge.
    """

    name: str
    meaning: str
    judge: Callable[[GoldQuestion, Answer], float | None] | None
    is_share: bool = False
    less_is_better: bool = False
    weigh: Callable[[Answer, Judge], float | None] | None = None


METRICS = (
    Metric("answers_right", "says the gold answer, or refuses where there is none", answer_right, True),
    Metric("contains_gold", "answerable: the answer contains the gold answer", contains_gold, True),
    Metric("item_recall", "lists: share of entries that are said", item_recall),
    Metric("item_precision", "lists: share of sentences that hold an entry", item_precision),
    Metric("first_citation_right", "answered: the first citation is a gold paragraph", first_citation_right, True),
    Metric("first_citation_right_all", "the same, refusals counted as wrong", first_citation_right_all, True),
    Metric("citation_precision", "answered: share of cited paragraphs that are gold", citation_precision),
    Metric("citation_recall", "answered: share of gold paragraphs that are cited", citation_recall),
    Metric("citations_support", "share of sentences that their citations support", None, weigh=citations_support),
    Metric("citations_needed", "share of citations that support and are needed", None, weigh=citations_needed),
    Metric("refused_rightly", "unanswerable: refused", refused_rightly, True),
    Metric("refused_wrongly", "answerable: refused", refused_wrongly, True, less_is_better=True),
    Metric("says_forbidden", "says what it must not", says_forbidden, True, less_is_better=True),
    Metric("sentences_supported", "share of sentences verified", lambda _gold, answer: sentences_supported(answer)),
    Metric("grounded", "share of sentences that what is cited supports, verified anew", None, weigh=grounded),
    Metric("not_supported", "share that it does not", None, less_is_better=True, weigh=not_supported),
    Metric("not_cited", "share that cite nothing", lambda _gold, answer: not_cited(answer), less_is_better=True),
    Metric("quotes_exact", "share of citations that quote the document exactly", None),
    Metric("model_wording", "share of sentences in the model's own words", lambda _gold, answer: model_wording(answer)),
    Metric("exact_match", "the answer is a gold answer and nothing else", exact_match, True),
    Metric("token_f1", "word overlap with the gold answer", token_f1),
    Metric("rouge_l", "common subsequence of words with the long gold answer", rouge_l),
    Metric("unigram_f1", "word overlap with the long gold answer", unigram_f1),
    Metric("evidence_sentence_f1", "quoted sentences against the gold ones", evidence_sentence_f1),
    Metric("words", "words of an answer", lambda _gold, answer: words(answer), less_is_better=True),
    Metric("seconds", "seconds from question to answer", None, less_is_better=True),
)
METRIC_NAMES = tuple(metric.name for metric in METRICS)


def judge_answer(
    gold: GoldQuestion, answer: Answer, text_of: TextOf, judge: Judge | None = None
) -> dict[str, float | None]:
    """Every metric's value for one answer, by name in the order of `METRICS`.

    Args:
        gold: What was asked.
        answer: What was said.
        text_of: Reads the documents that are cited.
        judge: Asked once for each sentence and text; without it the metrics that need one cannot judge.
    """
    measured = {"quotes_exact": quotes_exact(answer, text_of), "seconds": answer.seconds.total}
    if judge is not None:
        once = cache(judge)
        measured |= {metric.name: metric.weigh(answer, once) for metric in METRICS if metric.weigh}
    return {m.name: m.judge(gold, answer) if m.judge else measured.get(m.name) for m in METRICS}


def judge_failure(gold: GoldQuestion) -> dict[str, float | None]:
    """The values of a question that ended in an error: wrong wherever right or wrong is asked, else None."""
    wrong = {
        "answers_right": _has_short_gold(gold) or not gold.answerable,
        "contains_gold": _has_short_gold(gold),
        "item_recall": gold.answerable and bool(gold.must_include),
        "first_citation_right_all": gold.answerable and bool(gold.evidence),
        "refused_rightly": not gold.answerable,
    }
    return {name: 0.0 if wrong.get(name) else None for name in METRIC_NAMES}
