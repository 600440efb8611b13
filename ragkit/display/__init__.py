"""What a person sees: answers, hits, indexes and results as text for a terminal; colours vanish in a pipe.

Called by `cli`. `answers` shows what was asked and found, `indexes` what an index holds and what was done to it.
"""

from ragkit.display.answers import (
    answer_text,
    citation_name,
    hits_text,
    located_text,
    rechecked_line,
    rechecked_text,
    trace_text,
)
from ragkit.display.indexes import (
    compacted_line,
    exported_line,
    history_table,
    info_text,
    ingest_line,
    plan_text,
    repaired_text,
)

__all__ = [
    "answer_text",
    "citation_name",
    "compacted_line",
    "exported_line",
    "history_table",
    "hits_text",
    "info_text",
    "ingest_line",
    "located_text",
    "plan_text",
    "rechecked_line",
    "rechecked_text",
    "repaired_text",
    "trace_text",
]
