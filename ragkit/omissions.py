"""What was left out of a sentence of the source, and whether what remains still says the same.

A sentence made by leaving words out holds nothing new, so it looks like the source to every model; but who won, who
only said so, and under which condition may be among the words that are gone. The rules here find omissions that change
what is said: of what a statement begins with, of an owner's property, of exceptions, shares, conditions and denials,
and of the verb that makes a thing suffer rather than do. Called by `verification`.
"""

import re
from collections.abc import Iterator, Sequence

from ragkit.alignment import APART, DETERMINERS, Gap, align, find_gaps, tokens_of
from ragkit.sentences import split_sentences
from ragkit.terms import NEGATIONS, STOP_WORDS, stem

_OPENERS = frozenset(
    "in on at during after before since by for with from as although though while when because despite under over "
    "between throughout following starting later earlier today yesterday also however then moreover still meanwhile "
    "finally eventually soon once dear".split()
)
_JOINTS = frozenset("and but yet while whereas though although so".split())
_RELATIVE = frozenset("who whom whose which that where".split())
_CONDITIONS = frozenset("if unless until except excepting provided whether lest".split())
_ALTERNATIVES = frozenset({"or", "nor"})
_EXCEPTS = frozenset("except excepting instead rather other".split())
_TAKES_BACK = _EXCEPTS | frozenset("half most few less fewer neither false untrue rarely seldom".split())
_PREPOSITIONS = frozenset(
    "of in on at by to from with for into onto over under between among against through within without near beside "
    "than as".split()
)
_KINDS = frozenset(
    "port island town city village district state province county region kingdom republic river lake mountain street "
    "form kind type sort number group team firm company month year university".split()
)
"""Nouns that may go with their "of", since what follows names the same thing."""

_SUBORDINATE = frozenset("before after while when because although though that as since until whereas".split())
_SAYING = frozenset(
    map(
        stem,
        "say says said present presents put puts see sees describe describes claim claims claimed tell told think "
        "thought believe believed suggest suggested argue argued "
        "allege alleged report reported hint hinted hope hoped fear feared deny denied doubt doubted assume assumed "
        "estimate estimated forecast predict predicted write wrote insist insisted warn warned promise promised expect "
        "expected according rumour rumours myth legend evidence accusation accused charge view opinion announce "
        "announced explain explained declare declared admit admitted suspect suspected supposed".split(),
    )
)
_TURNING = frozenset(
    map(
        stem,
        "refuse refused decline declined fail failed cease ceased stop stopped avoid avoided prevent prevented forbid "
        "forbade reject rejected plan planned intend intended want wanted wish wished try tried attempt attempted ask "
        "asked demand demanded offer offered threaten threatened propose proposed consider considered former formerly "
        "nearly almost hardly barely unable mainly mostly largely partly partially chiefly usually often sometimes "
        "generally typically primarily perhaps possibly probably".split(),
    )
)
_AUXILIARIES = frozenset(
    "was were is are be been being may might can could would should will must had has have to".split()
)
_ABOUT_NUMBERS = frozenset("before after until since around about by over under nearly almost than least most".split())
_LIMITING = (
    ["other", "than"],
    ["rather", "than"],
    ["to", "be"],
    ["to", "have"],
    ["such", "that"],
    ["so", "that"],
)
_CONCEDES = frozenset("while although though whereas despite".split())
_SHARES = frozenset("much most many some part parts half few several certain".split())
_GO_WITH = {"not only": "but", "both": "and", "either": "or", "mainly": "and", "only": "and", "solely": "and"}
"""What a statement has not said in full without what that word begins: "both the king" lacks somebody."""

_MOST_TITLE_WORDS, _MOST_SAYING_WORDS = 4, 6


def left_out(sentence: str, source_text: str, *, strict: bool = False) -> tuple[str, ...] | None:
    """What was left out of a sentence of the source that changes what it says.

    Args:
        sentence: Without citation labels.
        source_text: The text it may be taken from.
        strict: Whether to object also to what mostly changes nothing, but may: the rest of a list or of a subject,
            concessions, and whatever ends a statement without being set apart, but for times and places.

    Returns:
        Nothing for a harmless omission; None if no sentence of the source has all the words in their order.
    """
    said = [token.casefold() for token in tokens_of(sentence) if token[0].isalnum()]
    found = [
        tuple(dict.fromkeys(_objections(gaps, places, tokens, strict=strict)))
        for start, end in split_sentences(source_text)
        if (tokens := tokens_of(source_text[start:end])) and (places := align(said, tokens))
        for gaps in [find_gaps(tokens, places)]
    ]
    return min(found, key=len, default=None)


def _objections(gaps: Sequence[Gap], places: Sequence[int], tokens: Sequence[str], *, strict: bool) -> Iterator[str]:
    kept = " ".join(tokens[place].casefold() for place in places)
    for gap in gaps:
        shown = " ".join(gap.tokens)
        if not gap.words:
            continue
        if not gap.before:
            if not _may_be_left_out_first(gap) or (strict and _concedes(gap)):
                yield f"it leaves out “{shown}”, with which the statement begins"
        elif (
            _is_half_said(gap, kept)
            or (strict and _belongs(gap))
            or (_changes(gap) if gap.after else _may_not_be_left_out_last(gap))
        ):
            yield f"it leaves out “{shown}”"
    if _mixes_clauses(places, tokens):
        yield "it joins words of different clauses"


def _is_half_said(gap: Gap, kept: str) -> bool:
    """Whether it begins with the "but" of a "not only", the "and" of a "both", and the like."""
    return any(re.search(rf"\b{word}\b", kept) and gap.words[0] == rest for word, rest in _GO_WITH.items())


def _may_be_left_out_first(gap: Gap) -> bool:
    """Whether a statement still says the same without its beginning."""
    words, last = gap.words, gap.tokens[-1].casefold()
    limits = bool(set(words) & (_CONDITIONS | {"that"})) or _says(gap)
    if _limits_all(gap):
        return False
    if all(word in DETERMINERS for word in words) or last == ";":
        return words != ["that"]
    if last in _JOINTS and len(gap.tokens) > 1 and gap.tokens[-2] in APART:
        return last != "and" or not limits
    if limits or set(words) & (NEGATIONS | _TAKES_BACK):
        return False
    is_named = gap.after[:1].isupper()
    if last in APART:
        return words[0] in _OPENERS or (is_named and words[0] in DETERMINERS)
    return _is_adjunct(words) or (is_named and _is_title(gap))


def _limits_all(gap: Gap) -> bool:
    """Whether it says of how much all of the rest is true, or that this is conceded: "in parts of ...", "although"."""
    end = next((n for n, token in enumerate(gap.tokens) if token in APART), len(gap.tokens))
    words = [token.casefold() for token in gap.tokens[:end]] or [""]
    is_conceded = words[0] in _CONCEDES and len(gap.tokens) == 1
    return is_conceded or (words[0] in _OPENERS and bool(_SHARES & set(words)))


def _concedes(gap: Gap) -> bool:
    """Whether it grants something that the rest is said in spite of: "while ..., "."""
    return gap.words[0] in _CONCEDES and gap.tokens[-1] in APART


def _belongs(gap: Gap) -> bool:
    """Whether it may belong to what was kept: more of a list or of a subject, or not set apart from it at all."""
    words = gap.words
    if gap.after:
        return words[0] == "and" and gap.tokens[0] not in APART
    is_apart = gap.tokens[0] in APART or words[0] in _JOINTS | (_SUBORDINATE - {"that"})
    return _goes_on_listing(gap) or not (is_apart or _is_dated(gap))


def _is_adjunct(words: Sequence[str]) -> bool:
    """Whether it only says when or where, as in "In 2008", or what sort of thing follows, as in "The island of"."""
    bare = [word for word in words if word not in DETERMINERS]
    if bare[-1] == "of":
        return len(bare) == 2 and bare[0] in _KINDS
    return words[0] in _OPENERS and len(words) <= _MOST_TITLE_WORDS and "of" not in words


def _is_title(gap: Gap) -> bool:
    """Whether it says what the person or thing is that is named next, as in "The photographer"."""
    bare = [word for word in gap.words if word not in DETERMINERS]
    is_plain = "'" not in gap.tokens and not any(word in STOP_WORDS for word in bare)
    return is_plain and not APART & set(gap.tokens) and len(bare) <= _MOST_TITLE_WORDS


def _may_not_be_left_out_last(gap: Gap) -> bool:
    """Whether the end of a statement limits it: a condition, an exception, who says so, or whose it is."""
    words = gap.words
    limits = words[0] in _CONDITIONS | _ALTERNATIVES | {"than"} or words[:2] in _LIMITING
    if gap.tokens[:2] == ("'", "s") or limits:
        return True
    return _says(gap) and len(words) <= _MOST_SAYING_WORDS and words[0] not in _JOINTS | _RELATIVE | {"a", "an", "as"}


def _goes_on_listing(gap: Gap) -> bool:
    """Whether it is more of what a list names: "..., a passport or a card", "..., Bradley and Hughes"."""
    if gap.tokens[0] != ",":
        return False
    words = gap.words
    return words[0] not in _RELATIVE | _JOINTS | _SUBORDINATE and bool({"and", "or"} & set(words[1:]))


def _is_dated(gap: Gap) -> bool:
    """Whether it only says when or where, by a number or a name."""
    says_where = gap.words[0] in {"in", "on", "at", "near", "during", "since", "until", "by", "from", "between"}
    return says_where and any(token[0].isdigit() or token[0].isupper() for token in gap.tokens)


def _changes(gap: Gap) -> bool:
    """Whether what was kept on both sides belongs together otherwise without it."""
    words = gap.words
    bare = [word for word in words if word not in DETERMINERS]
    if words[0] in _ALTERNATIVES and not gap.is_aside:
        return True
    if gap.is_aside:
        return words[0] in _CONDITIONS | _EXCEPTS or (words[0] == "as" and _says(gap))
    if gap.tokens[:2] == ("'", "s") and gap.has_content:
        return True
    if not bare or words[-1] in _JOINTS:
        return False
    turns = bool(set(words) & (_CONDITIONS | NEGATIONS | _TAKES_BACK)) or any(stem(word) in _TURNING for word in words)
    return turns or _says(gap) or _parts(bare, gap.after) or _ends_with_auxiliaries(gap.tokens)


def _parts(bare: Sequence[str], after: str) -> bool:
    """Whether the word after it belonged to a word that is gone: "smaller than", "his father who", "years before"."""
    last = bare[-1]
    if last in _PREPOSITIONS and len(bare) > 1:
        return not (last == "of" and bare[-2] in _KINDS)
    if last in _RELATIVE or "whose" in bare or (last in _ABOUT_NUMBERS and after[:1].isdigit()):
        return True
    return any(word in _SUBORDINATE and 0 < n < len(bare) - 1 for n, word in enumerate(bare))


def _ends_with_auxiliaries(tokens: Sequence[str]) -> bool:
    """Whether its last part is no more than "was", "had to" and the like, on which the next word hangs."""
    begins = max((n + 1 for n, token in enumerate(tokens) if token in APART), default=0)
    end = [token.casefold() for token in tokens[begins:]]
    return bool(end) and all(word in STOP_WORDS for word in end) and bool(set(end) & _AUXILIARIES)


def _says(gap: Gap) -> bool:
    return any(stem(word) in _SAYING for word in gap.words)


def _mixes_clauses(places: Sequence[int], tokens: Sequence[str]) -> bool:
    """Whether words of a relative clause whose pronoun was left out stand with words after that clause."""
    kept = set(places)
    for n, token in enumerate(tokens):
        opens = token.casefold() in _RELATIVE and n and tokens[n - 1] == "," and n not in kept
        if not opens:
            continue
        end = next((m for m in range(n + 1, len(tokens)) if tokens[m] == ","), len(tokens))
        if any(n < place < end for place in places) and any(place > end for place in places):
            return True
    return False
