"""Text of documents as plain data: without what a model or a reader could take for something else than its words.

Bracketed numbers read as labels of an answer, tags of chat templates as a new speaker, and characters that nobody sees
can hide either. Called by `prompts`, `citations` and the models that read pairs of texts.
"""

import re

_LABELS = re.compile(r"\s*\[\s*[1-9]\d{0,2}(?:\s*[,;–-]\s*\d{1,3})*\s*\](?:\s*,(?=\s*\[\s*\d))?")
"""Not "[1998]", which somebody put in to say when."""

_TAGS = re.compile(
    r"<\s*/?\s*(?:start_of_turn|end_of_turn|s|bos|eos|pad|system|user|assistant|tool|think|im_start|im_end)\s*>"
    r"|<\|[^<>|\n]{1,40}\|>|\[/?(?:INST|SYS|SEP|CLS|MASK|PAD|AVAILABLE_TOOLS|TOOL_CALLS)\]|<</?SYS>>",
    re.IGNORECASE,
)
"""What the chat templates of well-known models, and the separators of cross-encoders, are made of."""

_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
    "|(?<![\u0250-\U0010ffff])[\u200c\u200d]|[\u200c\u200d](?![\u0250-\U0010ffff])"
)
"""Marks of direction, fillers, variation selectors and tags; joiners where no script or emoji needs them."""


def as_data(text: str) -> str:
    """The text on one line, without bracketed numbers, tags of chat templates and characters that nobody sees."""
    visible = _UNSEEN.sub("", _BREAKS.sub(" ", text))
    return " ".join(without_labels(without_tags(visible)).split())


def without_tags(text: str) -> str:
    """The text with a space for each tag of a chat template or separator of a model's input."""
    return _TAGS.sub(" ", text)


def without_labels(text: str) -> str:
    """The text without bracketed numbers."""
    return _LABELS.sub("", text)
