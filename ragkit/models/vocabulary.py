"""Which tokens a model may write when its words shall come from a given text. Called by `generation`.

A small model that may only use the words of the evidence, of the question and of the language's own glue invents no
names and no numbers; and where the vocabulary is large, scoring a few hundred tokens is several times faster.
"""

import re
from typing import Any

GLUE = (
    "a an the this that these those he she it they we his her its their who which what where when as at by for from in "
    "into of on to with about after before between during over under and or but because so if than then not no is are "
    "was were be been being has have had do does did will would can could may might must should also only more most "
    "there one all both each any some such said says"
)
"""Function words, always allowed."""

_WORD = re.compile(r"\w+(?:['’]\w+)?|[^\w\s]")


def allowed_tokens(tokenizer: Any, text: str) -> list[int]:
    """Ids of the tokens that the words of a text, in either case and after a space or not, are made of."""
    words = dict.fromkeys(_WORD.findall(f"{text} {GLUE} . , ; ' \" ?"))
    spellings = [
        spelling
        for word in words
        for form in dict.fromkeys((word, word[:1].upper() + word[1:], word.lower()))
        for spelling in (form, f" {form}")
    ]
    encoded = tokenizer([*spellings, text, "\n", ".\n"], add_special_tokens=False, split_special_tokens=True)
    return sorted({token for tokens in encoded["input_ids"] for token in tokens})
