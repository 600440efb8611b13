"""Answers, the steps that led to them, hits and citations, as text for a terminal. Called by `cli`."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ragkit.evidence import Candidate
from ragkit.odds import probability
from ragkit.readers.opening import printable
from ragkit.recheck import Rechecked, SavedCitation
from ragkit.records import Answer, Citation, Hit, Paragraph
from ragkit.retrieval import Located
from ragkit.screening import GIVES_ORDERS
from ragkit.trace import Trace

MOST_PARAGRAPHS, MOST_SENTENCES = 20, 12
"""So many rows of each a person is shown; JSON has them all."""

_REASONS = {
    "nothing-retrieved": "no paragraph that it may be answered from comes near it",
    "no-evidence": "no sentence found answers it surely enough",
    "unsupported": "what the model wrote is not supported by the documents, or it found no answer in them",
}


def answer_text(answer: Answer) -> RenderableType:
    """The answer, and under it each cited sentence with its place; for a refusal the reason and what came closest."""
    if answer.abstained:
        reason = Text(f"  Reason: {_REASONS[answer.reason or 'no-evidence']}.", style="dim")
        return Group(Text(answer.text, style="bold yellow"), reason, *_nearest(answer.nearest))
    return Group(Text(answer.text, style="bold"), Text(), *(_citation(citation) for citation in answer.citations))


def _place(paragraph: Paragraph) -> str:
    """Where a reader finds a paragraph: file, number, and page, slide, row or mail, else the heading above it."""
    page = f"page {paragraph.page}" if paragraph.page is not None else ""
    under = f"under “{_shorten(' > '.join(paragraph.headings), 80)}”" if paragraph.headings else ""
    place = paragraph.place or page
    is_said = any(heading in place for heading in paragraph.headings)
    places = (printable(paragraph.document.path), f"paragraph {paragraph.number}", place, "" if is_said else under)
    return ", ".join(place for place in places if place)


def _citation(citation: Citation) -> Text:
    text = Text(f"  [{citation.label}] ", style="cyan")
    text.append(_place(citation.paragraph), style="cyan")
    return text.append(f"\n      “{' '.join(citation.quote.split())}”", style="default")


def _nearest(hits: Sequence[Hit]) -> list[Text]:
    if not hits:
        return []
    lines = [Text("  Nearest paragraphs:", style="dim")]
    return lines + [Text(f"    {_place(hit.paragraph)}: {_shorten(hit.paragraph.text)}", style="dim") for hit in hits]


def _shorten(text: str, width: int = 100) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1].rstrip() + "…"


def trace_text(trace: Trace) -> RenderableType:
    """Every step that led to an answer, in order, and the answer."""
    return Group(
        *_searched(trace),
        *_read(trace),
        *_decided(trace),
        *_written(trace),
        Text("\nAnswer", style="bold"),
        answer_text(trace.answer),
    )


def _searched(trace: Trace) -> list[RenderableType]:
    corrected = trace.retrieved.question
    note = [] if corrected == trace.answer.question else [Text(f"Searched for: {corrected}")]
    rows = [
        (str(hit.rank), _place(hit.paragraph), _number(hit.dense), _number(hit.keyword), f"{hit.score:.3f}", outcome)
        for hit, outcome in trace.paragraphs()[:MOST_PARAGRAPHS]
    ]
    header = ("", "paragraph", "vectors", "keywords", "score", "")
    return [*note, _table(header, rows, "Paragraphs that came up")]


def _read(trace: Trace) -> list[RenderableType]:
    rows = [(_sentence_row(c), why) for c, why in trace.weighed]
    read = [(*row, why or "evidence") for row, why in rows if why != GIVES_ORDERS]
    ordered = [row for row, why in rows if why == GIVES_ORDERS]
    header = ("sentence", "where", "answers?", "score")
    shown = [_table((*header, ""), read[:MOST_SENTENCES], "Sentences that were read, best first")] if read else []
    if ordered:
        shown.append(_table(header, ordered[:MOST_SENTENCES], "Left out, since their paragraphs give orders"))
    return list(shown)


def _sentence_row(candidate: Candidate) -> tuple[str, str, str, str]:
    likely = f"{probability(candidate.log_odds):.2f}"
    return _shorten(candidate.text, 80), _place(candidate.paragraph), likely, f"{candidate.score:.1f}"


def _decided(trace: Trace) -> list[RenderableType]:
    confidence, least = trace.answer.confidence, trace.min_confidence
    said = "refused" if trace.answer.abstained and not trace.draft.prompt else "answered"
    features = ", ".join(f"{name} {value:.2f}" for name, value in trace.features.items())
    return [Text(f"Confidence {confidence:.2f} ({features}); below {least:g} it is refused: {said}.")]


def _written(trace: Trace) -> list[RenderableType]:
    if not trace.draft.prompt:
        return []
    shown = [
        Text(f"\nThe model was shown\n{trace.draft.prompt}\n\nIt wrote\n{trace.draft.written.strip() or 'nothing'}")
    ]
    for checked in trace.checked:
        verdict = "; ".join(checked.reasons) or f"supported by {''.join(f'[{label}]' for label in checked.labels)}"
        shown.append(Text(f"Checked: “{checked.text}”: {verdict}"))
    for text, decision in trace.decided:
        shown.append(Text(f"Yes {decision.yes:.2f}, no {decision.no:.2f}, says the evidence of “{_shorten(text, 80)}”"))
    return [*shown, *([] if trace.checked else [Text("Nothing of it had the form of a whole sentence.")])]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def located_text(name: str, located: Located) -> Text:
    """Where one paragraph stands for a question."""
    places = [
        f"by {way} its best chunk is number {rank} of {located.total}" if rank else f"by {way} it is not found at all"
        for way, rank in (("vectors", located.dense), ("keywords", located.keyword))
    ]
    return Text(f"\n{name}: {', '.join(places)}; the best {located.pool} of each are looked at.")


def rechecked_text(citation: SavedCitation, found: Rechecked) -> Text:
    """What became of one citation, and its words as they are now if they changed."""
    colour = "cyan" if found.status == "moved" else "red"
    text = Text(f"{citation_name(citation)}: {found.status}", style=colour)
    if found.now is not None:
        text.append(f" to {found.now.document}, paragraph {found.now.paragraph}" if found.status == "moved" else "")
    return text.append(f"\n      {found.change or citation.quote}", style="default")


def citation_name(citation: SavedCitation) -> str:
    """Whose citation it is and to what."""
    question = f"{citation.answer_id} " if citation.answer_id is not None else ""
    return f"{question}[{citation.label}] {citation.document}"


def rechecked_line(counted: Mapping[str, int]) -> str:
    """How many citations are the same, moved, edited and gone."""
    parts = [f"{counted[status]} {status}" for status in ("same", "moved", "edited", "gone") if counted.get(status)]
    total = sum(counted.values())
    return f"{total} citation{'' if total == 1 else 's'}: {', '.join(parts)}."


def hits_text(hits: Sequence[Hit]) -> RenderableType:
    """Each hit with its rank, score, place and text."""
    if not hits:
        return Text("Nothing found.")
    lines = []
    for hit in hits:
        head = Text(f"{hit.rank}. {_place(hit.paragraph)}", style="cyan").append(f"  {hit.score:.3f}", style="dim")
        lines += [head, Text(f"   {' '.join(hit.paragraph.text.split())}")]
    return Group(*lines)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in header:
        table.add_column(name, justify="left" if name in (header[0],) else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))  # as a string, words in brackets would be read as markup
    return table
