"""Question answering over your own documents, on your own machine, with citations that are checked."""

from ragkit.kit import Kit, build, open
from ragkit.records import Answer, Citation, Hit, Sentence
from ragkit.settings import Settings
from ragkit.verification import Verdict, verify

__all__ = ["Answer", "Citation", "Hit", "Kit", "Sentence", "Settings", "Verdict", "build", "open", "verify"]
