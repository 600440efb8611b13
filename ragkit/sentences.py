"""A paragraph's text enters, the spans of its sentences leave, in code points.

The library sentencex finds the ends (its offsets are code points, too); this module shows it a view of the text that
hides what misleads it, takes back the ends it should not have found and adds some that it misses. Called by `chunking`
to cut long paragraphs and by `evidence` and `verification` to quote single sentences.
"""

import re
from collections.abc import Iterator, Sequence

import sentencex

MAX_SENTENCE_CHARS = 1000
"""A longer stretch without a sentence end (a list in prose, a log line, a blob) is cut at a clause or a space."""

WINDOW_CHARS = 4000
"""sentencex takes quadratic time over unclosed quotation marks, so it never sees more than this at once."""

LONG_QUOTATION_CHARS = 300
"""sentencex ends no sentence inside quotation marks; a whole speech is no sentence, so from here on we look inside."""

QUOTATION_MARKS = '"“”„«»‹›「」『』'

_MARK = r"\[(?:\d{1,4}(?:\s?[,;–-]\s?\d{1,4})*|[a-z]|note \d+|citation needed)\]"
# Reference marks such as "[1], [2]", but not at the start of a line, where "[1]" numbers an entry of a reference list.
_MARKS = re.compile(rf"(?<=\S)[ \t]?{_MARK}(?:[ \t]?,?[ \t]?{_MARK})*")
_ENTRY_MARK = re.compile(rf"^[ \t]*{_MARK}", re.M)
# The apostrophe of "it’s" looks like a closing single quotation mark.
_APOSTROPHE = re.compile(r"(?<=\w)’(?=\w)")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_TABLE_ROW_BREAK = re.compile(r"\|[ \t]*\n(?=[ \t]*\|)")
_SPACES = re.compile(r"\s*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ODD_SPACE = re.compile(r"[^\S\n ]|[\x80-\x9f]")

# What may stand before a sentence end found in error, at the very end of the text so far.
_TITLE = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|Gen|Lt|Col|Capt|Maj|Sgt|Cpl|Rev|Hon|Gov|Sen|Rep|Pres|Mt|Ft|Messrs) ?\.$")
_BEFORE_ANYTHING = re.compile(
    r"\b(?:e\.g|i\.e|cf|vs|viz|approx|incl|esp|resp|ca|Mon|Tue|Tues|Wed|Thu|Thurs|Fri) ?\.$", re.I
)
_BEFORE_NUMBER = re.compile(
    r"\b(?:Nos?|Vols?|pp?|Figs?|Eqs?|Secs?|Chs?|Arts?|Nr|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec) ?\.$", re.I
)
_SPACED_NUMBER = re.compile(r"\d \.$")  # "3 . 5" in tokenised text
_SPACED_INITIAL = re.compile(r"(?:^|[\s.])[A-Z] \.$")  # "J . R . Smith" in tokenised text
_ENUMERATOR = re.compile(r"\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]")
_WORD = re.compile(r"\w")

# A quotation's end and what follows it when the two are one sentence: “Only direct engagement!” Zelenskyy said [1].
_EXCLAIMED_QUOTE_END = re.compile(r"[!?…]\s?[\"”’»›]+$")
_STOPPED_QUOTE_END = re.compile(r"\.\s?[\"”’»›]+$")
_SAYING = (
    r"(?:said|says|say|asked|asks|cried|replied|replies|answered|wrote|writes|added|adds|told|exclaimed|shouted|declared|"
    r"announced|whispered|thought|warned|noted|demanded|insisted|argued|explained|continued|stated|remarked|called|yelled)"
)
_ATTRIBUTION = re.compile(rf"(?:[\w'’.-]+,? ){{1,6}}?{_SAYING}\b(?! that\b)")
# After a full stop only if nothing else is said in the sentence; else it is a new one: “... better.” He said that ...
_SHORT_ATTRIBUTION = re.compile(rf"(?:[\w'’-]+,? ){{1,5}}?{_SAYING}(?: [\w'’-]+){{0,3}}(?: ?{_MARK},?)*\s?(?:[.!?]|$)")
_ATTRIBUTION_CHARS = 120
_QUOTATIVE = re.compile(r"[」』]$")  # 「はい。」と言った: the particle ties the quotation to its verb

_OPENING_MARKS = re.compile(r"(?<=\s)[\"“„«‹「『]+$")

_CLAUSE_END = re.compile(r"\n|[;:,—–](?=\s)|[、，；：]")


# Words that stand for something which an earlier sentence names.
_REFERRING = re.compile(
    r"\b(?:he|him|his|she|her|hers|it|its|they|them|their|theirs|this|these|those|such|there|then|we|our|us|i|my|"
    r"both|neither|another|others?|latter|former|same|here|so)\b",
    re.IGNORECASE,
)


def in_context(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Sentences of a paragraph in its order and on one line, with what they need to be understood.

    That is the sentence before, where a word may stand for something that only that one names.

    Args:
        text: The paragraph.
        spans: Some of those that `split_sentences` gives.
    """
    sentences = split_sentences(text)
    shown = set()
    for number, span in enumerate(sentences):
        if span in spans:
            shown |= {number, number - 1} if _REFERRING.search(text, *span) else {number}
    return " ".join(" ".join(text[slice(*span)] for n, span in enumerate(sentences) if n in shown).split())


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of a paragraph, half-open, in code points, in order.

    The spans are trimmed, do not overlap, and hold every non-space code point; none is longer than
    `MAX_SENTENCE_CHARS`. A single newline (hard-wrapped prose) ends no sentence; a blank line and the end of a table
    row do.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for end in [*_ends(text), len(text)]:
        for span in _pieces(text, start, end):
            if spans and not _WORD.search(text, *span) and span[1] - spans[-1][0] <= MAX_SENTENCE_CHARS:
                spans[-1] = (spans[-1][0], span[1])  # dots, dashes and brackets alone belong to what they follow
            else:
                spans.append(span)
        start = end
    return spans


def _ends(text: str) -> Iterator[int]:
    """Where sentences end within the text: the places at which the next one starts."""
    breaks = [match.end() for pattern in (_BLANK_LINE, _TABLE_ROW_BREAK) for match in pattern.finditer(text)]
    start = 0
    for end in [*sorted(breaks), len(text)]:
        yield from _repaired(text, start, end)
        if end < len(text):
            yield end
        start = end


def _repaired(text: str, start: int, stop: int) -> Iterator[int]:
    """The sentence ends strictly inside one block of text that stand after all repairs."""
    view, view_start = _view(text[start:stop]), start
    for found in [*_library_ends(view), len(view)]:
        end = view_start + found
        if end < stop and _is_false_end(text, start, end):
            continue
        yield from _missed_ends(text, start, end)
        if end < stop:
            yield end
        start = end


def _view(text: str) -> str:
    """The text as the library should see it, code point for code point.

    Reference marks become spaces, so that the one in "... the war. [1] Next" stays with the sentence before it; those
    that begin a line become a word.
    """
    text = _SURROGATE.sub("\ufffd", text)  # the library takes whole characters only
    text = _ODD_SPACE.sub(" ", text)  # it stops the program at some that take several bytes
    without_marks = _MARKS.sub(lambda marks: " " * len(marks.group()), text)
    with_entries = _ENTRY_MARK.sub(lambda mark: "A" * len(mark.group()), without_marks)
    return _APOSTROPHE.sub("'", with_entries)


def _library_ends(view: str) -> Iterator[int]:
    """Ends found by sentencex inside the view, each moved over the spaces that follow it; in linear time."""
    start = 0
    while start < len(view):
        window = view[start : start + WINDOW_CHARS]
        is_last = start + WINDOW_CHARS >= len(view)
        ends = [boundary["end_index"] for boundary in sentencex.get_sentence_boundaries("en", window)]
        inner = [end for end in ends if 0 < end < len(window)]
        if not inner and not is_last:
            inner = [_last_cut(window, WINDOW_CHARS // 2, WINDOW_CHARS)]
        place = start
        for end in inner:
            if start + end > place:
                place = _after_spaces(view, start + end)
                yield place
        if is_last:
            return
        start = place


def _after_spaces(text: str, position: int) -> int:
    match = _SPACES.match(text, position)
    return match.end() if match else position


def _is_false_end(text: str, start: int, end: int) -> bool:
    """Whether the sentence that began at `start` goes on over the end found by the library."""
    before = text[max(start, end - 40) : end].rstrip()
    after = text[end : end + _ATTRIBUTION_CHARS]
    return bool(
        _TITLE.search(before)
        or _BEFORE_ANYTHING.search(before)
        or (_BEFORE_NUMBER.search(before) and after[:1].isdigit())
        or (_SPACED_NUMBER.search(before) and after[:1].isdigit())
        or (_SPACED_INITIAL.search(before) and after[:1].isupper())
        or (len(before) <= 6 and end - start <= 40 and _ENUMERATOR.fullmatch(before))  # the "1." of "1. First"
        or (_EXCLAIMED_QUOTE_END.search(before) and _ATTRIBUTION.match(after))
        or (_STOPPED_QUOTE_END.search(before) and _SHORT_ATTRIBUTION.match(after))
        or (_QUOTATIVE.search(before) and after.startswith(("と", "って")))
    )


def _missed_ends(text: str, start: int, end: int) -> Iterator[int]:
    """Ends inside what the library takes for one sentence."""
    if text.startswith("(", start):  # "(That was odd.) Then he left."
        close = text.find(")", start, end)
        after = _after_spaces(text, close + 1)
        is_sentence = close > start and text[close - 1] in ".!?" and " " in text[start:close]
        if is_sentence and after < end and text[after].isupper():
            yield after
            start = after
    if end - start > LONG_QUOTATION_CHARS and any(mark in text[start:end] for mark in QUOTATION_MARKS):
        yield from _ends_in_quotation(text, start, end)


def _ends_in_quotation(text: str, start: int, end: int) -> Iterator[int]:
    """Ends found when the quotation marks are hidden from the library."""
    unquoted = _view(text[start:end]).translate({ord(mark): " " for mark in QUOTATION_MARKS})
    begin = start
    for found in _library_ends(unquoted):
        place = start + found
        opening = _OPENING_MARKS.search(text[max(begin, place - 10) : place])
        if opening:
            place -= len(opening.group())
        if begin < place < end and not _is_false_end(text, begin, place):
            yield place
            begin = place


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The trimmed span, cut where it is too long: at a clause end in its second half, else a space, else anywhere."""
    while True:
        start = min(_after_spaces(text, start), end)
        limit = start + MAX_SENTENCE_CHARS
        if end <= limit:
            break
        cut = _last_cut(text, start + MAX_SENTENCE_CHARS // 2, limit)
        yield start, start + len(text[start:cut].rstrip())
        start = cut
    stop = start + len(text[start:end].rstrip())
    if stop > start:
        yield start, stop


def _last_cut(text: str, low: int, high: int) -> int:
    clauses = [match.end() for match in _CLAUSE_END.finditer(text, low, high)]
    if clauses:
        return clauses[-1]
    return next((place for place in range(high, low, -1) if text[place - 1].isspace()), high)
