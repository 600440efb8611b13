"""Documents to a gold file of drafted questions, and back to their paragraphs for a review. Called by `cli`."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from ragkit.errors import DocumentError
from ragkit.evaluation.drafting.draft import DraftLimits, draft_questions
from ragkit.evaluation.drafting.goldfile import save_questions
from ragkit.evaluation.drafting.prompting import Asker
from ragkit.evaluation.drafting.review import ParagraphOf
from ragkit.evaluation.gold import GoldQuestion
from ragkit.evaluation.suite import Suite
from ragkit.index.index import Index
from ragkit.ingest import index_paths
from ragkit.kit import Kit, ingest_options
from ragkit.models.loading import load_asker, load_embedder
from ragkit.models.reading import SentencedText
from ragkit.sentences import split_sentences
from ragkit.settings import Settings

NEVER = 1.0
"""A confidence that no answer reaches: what is found is told, and nothing is written or verified."""


def draft_file(
    documents: Sequence[Path],
    out: Path,
    settings: Settings,
    limits: DraftLimits,
    *,
    index: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[GoldQuestion]:
    """The questions that were drafted from documents and written to a new gold file.

    Args:
        documents: Files and folders.
        out: The gold file.
        settings: Of the models, and the confidence below which ragkit refuses.
        limits: How many questions.
        index: Where the documents are indexed; by default in a temporary folder.
        on_progress: Told (kept, wanted).

    Raises:
        InputError: A document is not there, or the gold file is.
        GoldError: No question could be drafted.
    """
    if out.exists():
        save_questions([GoldQuestion("", "")], out)  # raises before anything is asked
    embedder = load_embedder(settings.embedder, offline=settings.offline)
    with ExitStack() as stack:
        folder = index or Path(stack.enter_context(TemporaryDirectory(prefix="ragkit-"))) / "index"
        index_paths(documents, folder, embedder, ingest_options(settings))
        asking = settings.model_copy(update={"min_confidence": NEVER, "max_wrong": None})
        kit = stack.enter_context(Kit(Index.open(folder), asking, embedder=embedder))
        read = [found for ref in kit.index.documents() if (found := kit.index.document(ref.path))]
        drafted = draft_questions(
            read,
            kit.explain,
            min_confidence=settings.min_confidence,
            asker=_choose_asker(kit),
            limits=limits,
            on_progress=on_progress,
        )
    save_questions(drafted, out)
    return drafted


def _choose_asker(kit: Kit) -> Asker:
    """The model of the settings or, where they name none, the one that was taught to ask."""

    def log_odds(claim: str, text: str) -> float:
        return kit.verifier.judge(SentencedText(text, tuple(split_sentences(text))), [claim]).support[0]

    if kit.settings.model:
        return Asker(kit.generator, log_odds=log_odds)
    return Asker(load_asker(), is_taught=True, log_odds=log_odds)


def read_paragraphs_of(documents: Sequence[Path]) -> ParagraphOf:
    """A function from a document's path, as gold evidence names it, and a number to the paragraph's text."""
    read = Suite("documents", tuple(documents), ()).open_reader()

    def paragraph_of(path: str, number: int) -> str | None:
        try:
            document = read(path)
        except DocumentError:
            return None
        return next((p.text for p in document.paragraphs if p.number == number), None) if document else None

    return paragraph_of
