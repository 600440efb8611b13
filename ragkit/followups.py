"""A follow-up question to a whole one: (question, the turns before) -> the question as it stands alone.

Whether something is missing is told by its words (pronouns, "And when?", "What about ...?"); what is missing, the
writing model fills in from the conversation alone. An earlier answer lends its words, never its authority: what comes
out is only a question, answered from the documents like any other. Called by `chat`.
"""

import re
from collections.abc import Callable, Sequence

from ragkit.models.generation import Generator
from ragkit.profiles import profile_of
from ragkit.prompts import Turn, followup_messages, followup_prompt
from ragkit.terms import STOP_WORDS, WORD, content_terms, stem, words

MOST_TURNS = 2
"""So many turns back a follow-up may refer; each more makes the prompt longer and the choice harder."""

MOST_TOKENS = 48

MOST_NEW_WORDS = 2
"""Words that nobody used before are other forms of verbs at best ("sold", "sell"); names and numbers never are."""

_REFERRING = frozenset(
    "he him his she her hers it its they them their theirs this that these those there then one ones other others "
    "another same former latter both either neither such else".split()
)
_PERSONAL = frozenset("he him his she her hers it its they them their theirs".split())
_CONTINUES = re.compile(
    r"^\W*(?:and|but|or|so|also|no|yes|ok|okay|what about|how about|why not|what else|who else|where else)\b",
    re.IGNORECASE,
)
_OTHER_THING = re.compile(r"^\W*(?:and\s+|but\s+)?(?:what|how) about\b", re.IGNORECASE)
_ASKS = frozenset("who whom whose what when where why how which".split())
_VERBS = frozenset("is are was were do does did has have had can could will would should may might must".split())
_LEAST_CONTENT = 2
"""A question with fewer content words hangs on what was said before: "How many?", "By whom?"."""

_OPENING = re.compile(r"^\W*(?:and|but|or|so|also|no|yes|ok|okay)\b[\s,]*", re.IGNORECASE)
_CORRECTING = re.compile(
    r"^\W*(?:(?:no|nope|sorry|wait)\b[\s,]*)+(?:i\s+(?:actually\s+)?meant?\b[\s,]*)?"
    r"|^\W*i\s+(?:actually\s+)?meant?\b[\s,]*",
    re.IGNORECASE,
)


def stands_alone(question: str) -> bool:
    """Whether nothing in the question points to something said before."""
    return not (_CONTINUES.match(question) or _refers(question)) and len(content_terms(question)) >= _LEAST_CONTENT


def _refers(question: str) -> bool:
    """Whether a word of it stands for something that the question itself does not name."""
    found = [match.group() for match in WORD.finditer(question)]
    folded = [word.casefold() for word in found]
    for n, word in enumerate(folded):
        before, after = folded[n - 1] if n else "", folded[n + 1] if n + 1 < len(folded) else ""
        if word == "that" and after and (after in STOP_WORDS or not found[n + 1].islower()):
            continue  # "did he say that the war ...", not "who said that?"
        if word == "there" and (before in _VERBS or after in _VERBS):
            continue
        if word == "one" and after:
            continue
        is_named = word in _PERSONAL and any(not w.islower() and w.casefold() not in STOP_WORDS for w in found[1:n])
        if word in _REFERRING and not is_named:
            return True
    return False


def complete(question: str, turns: Sequence[Turn], writer: Callable[[], Generator]) -> str:
    """The question as it stands alone; unchanged if it does already or if nothing was said before.

    Raises:
        ModelError: The writing model failed.
    """
    recent = turns[-MOST_TURNS:]
    if not recent or not words(question) or stands_alone(question):
        return question
    said = " ".join(f"{turn.question} {turn.answer}" for turn in recent)
    whole = _written(question, recent, writer())
    if _keeps(whole, question, said):
        return whole
    return question if _is_named(question) else _joined(question, recent[-1])


def _is_named(question: str) -> bool:
    """Whether it names something and says enough of it to be asked as it is."""
    names = [word for word in WORD.findall(question)[1:] if not word.islower() and word.casefold() not in STOP_WORDS]
    return bool(names) and len(content_terms(question)) > _LEAST_CONTENT and not _CONTINUES.match(question)


def _written(question: str, recent: Sequence[Turn], generator: Generator) -> str:
    """What the model makes of it: the first question that it writes."""
    if generator.is_chat:
        prompt = generator.render_chat(*followup_messages(question, recent))
        written = "".join(generator.stream(prompt, max_tokens=MOST_TOKENS))
    else:
        prompt = followup_prompt(question, recent, examples=not profile_of(generator.name).hinted)
        written = "".join(generator.stream(prompt, max_tokens=MOST_TOKENS, stop=["\n"]))
    first = written.strip().partition("\n")[0].partition("?")[0].strip()
    return f"{first[:1].upper()}{first[1:]}?" if first else ""


def _keeps(whole: str, question: str, said: str) -> bool:
    """Whether it asks what the follow-up asks, of things that were named in the conversation."""
    opening, asked = words(whole)[:3], set(words(question)) & _ASKS
    if not (set(opening) & _ASKS or set(opening[:1]) & _VERBS) or len(words(whole)) < 3:
        return False
    if not (_OTHER_THING.match(question) or asked <= set(words(whole))):
        return False
    known = set(content_terms(question)) | set(content_terms(said))
    content = [word for word in WORD.findall(whole) if word.casefold() not in STOP_WORDS]
    new = [word for word in content if stem(word.casefold()) not in known]
    invented = len(new) > MOST_NEW_WORDS or any(not word.islower() for word in new)
    return not invented and set(content_terms(question)) <= {stem(word.casefold()) for word in content}


def _joined(question: str, last: Turn) -> str:
    """This question alone if it says what it is about, else the one before and this one as one.

    Two questions in one lead to sentences for the first. So only what hangs on it altogether is joined: "Why?".
    """
    corrected = _CORRECTING.sub("", question)
    rest = _OPENING.sub("", corrected)
    is_other = corrected != question or bool(_OTHER_THING.match(rest))
    names = any(not word.islower() for word in WORD.findall(rest)[1:]) or (rest[:1].isupper() and rest != question)
    if len(content_terms(rest)) >= (1 if is_other or names else _LEAST_CONTENT):
        return f"{rest[:1].upper()}{rest[1:]}"
    first = words(rest)[:1]
    lowered = f"{rest[:1].lower()}{rest[1:]}" if first and first[0] in STOP_WORDS | _ASKS | _VERBS else rest
    return f"{last.question.rstrip('?. ')}, and {lowered}"
