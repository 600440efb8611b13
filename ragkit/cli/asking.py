"""`ragkit ask`, `chat`, `explain` and `search`: one question, a file of them, or a conversation."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ragkit import display
from ragkit.cli.lines import parse_object, read_lines
from ragkit.cli.options import (
    INDEX_DEFAULT,
    CollectionsOption,
    EmbedderOption,
    IndexOption,
    JsonOption,
    LabelsOption,
    MaxWrongOption,
    ModelOption,
    OfflineOption,
    QuietOption,
    RerankerOption,
    SettingsOption,
    StyleOption,
    VerifierOption,
    WhereOption,
)
from ragkit.cli.screen import Screen
from ragkit.errors import InputError, QuestionError
from ragkit.index.filing import Within
from ragkit.index.index import Index
from ragkit.kit import Kit
from ragkit.records import Answer
from ragkit.settings import Settings


def ask(
    question: Annotated[str | None, typer.Argument(help="One question, in quotation marks.")] = None,
    index: IndexOption = INDEX_DEFAULT,
    questions: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help='Many questions, a line each: {"id": ..., "question": ...}.'),
    ] = None,
    model: ModelOption = None,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    verifier: VerifierOption = None,
    style: StyleOption = None,
    max_wrong: MaxWrongOption = None,
    where: WhereOption = None,
    collection: CollectionsOption = None,
    label: LabelsOption = None,
    settings: SettingsOption = None,
    offline: OfflineOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Answer a question from the indexed documents, with the sentences the answer rests on.

    Example: ragkit ask "Where did Putin suggest meeting?" --index indexes/seeds
    """
    screen = Screen.open(quiet)
    if (question is None) == (questions is None):
        raise InputError(
            'Give one question, or a file of them: ragkit ask "QUESTION", or ragkit ask --questions FILE.jsonl'
        )
    models = {"model": model, "embedder": embedder, "reranker": reranker, "verifier": verifier}
    within: Within = {"where": where, "collection": collection, "labels": label}
    with _open_kit(screen, index, settings, offline, within, models | {"style": style, "max_wrong": max_wrong}) as kit:
        if questions is None:
            _print_answer(screen, kit.ask(question or "", **within), as_json)
        else:
            _ask_file(screen, partial(kit.ask, **within), questions, as_json)


def _open_kit(
    screen: Screen, index: Path, settings: Path | None, offline: bool, within: Within, given: Mapping[str, Any]
) -> Kit:
    """The index with the settings of a file, overridden by what was given; what it is limited to is there."""
    chosen = Settings.load(settings, **given, offline=offline or None)
    kit = Kit(Index.open(index), chosen, on_message=screen.note)
    with kit.index.snapshot(kit.scope(within)):
        return kit


def _ask_file(screen: Screen, ask_one: Callable[..., Answer], file: Path, as_json: bool) -> None:
    """Every question of a file, in order; a line that cannot be asked is named and the rest answered."""
    answered = 0
    lines = read_lines(file, "questions")
    with screen.progress("Answering") as advance:
        for done, (number, line) in enumerate(lines, 1):
            try:
                question, question_id = _parse_question(line)
                answer = ask_one(question, id=question_id)
            except InputError as exc:
                screen.warn(f"{file}, line {number}: {exc}")
            else:
                answered += 1
                if not as_json:
                    name = "" if question_id is None else f"{question_id}: "
                    screen.out.print(f"{name}{question}", style="dim", markup=False)
                _print_answer(screen, answer, as_json)
            advance(done, len(lines))
    if not answered:
        raise InputError(f'No question in {file} could be asked. Each line is {{"id": "q1", "question": "Who ...?"}}')


def _parse_question(line: str) -> tuple[str, str | None]:
    given = parse_object(line)
    if not isinstance(given.get("question"), str):
        raise InputError('there is no "question" in it; it is left out')
    return given["question"], None if given.get("id") is None else str(given["id"])


def _print_answer(screen: Screen, answer: Any, as_json: bool) -> None:
    if as_json:
        screen.json(answer.to_dict())
    else:
        screen.out.print(display.answer_text(answer))


def chat(
    index: IndexOption = INDEX_DEFAULT,
    model: ModelOption = None,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    verifier: VerifierOption = None,
    style: StyleOption = None,
    max_wrong: MaxWrongOption = None,
    where: WhereOption = None,
    collection: CollectionsOption = None,
    label: LabelsOption = None,
    settings: SettingsOption = None,
    offline: OfflineOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Ask one question after another; a follow-up such as "And when?" is made whole, shown, and answered.

    Example: ragkit chat --index indexes/seeds
    """
    screen = Screen.open(quiet)
    models = {"model": model, "embedder": embedder, "reranker": reranker, "verifier": verifier}
    within: Within = {"where": where, "collection": collection, "labels": label}
    with _open_kit(screen, index, settings, offline, within, models | {"style": style, "max_wrong": max_wrong}) as kit:
        conversation = kit.chat(**within)
        screen.note("Ask a question; an empty line ends the conversation.")
        while question := screen.ask():
            try:
                answer = conversation.ask(question)
            except QuestionError as exc:
                screen.warn(str(exc))
                continue
            if as_json:
                screen.json({"asked": question, **answer.to_dict()})
                continue
            if answer.question != question:
                screen.out.print(f"Asked as: {answer.question}", style="dim", markup=False)
            _print_answer(screen, answer, as_json)


def explain(
    question: Annotated[str, typer.Argument(help="One question, in quotation marks.")],
    index: IndexOption = INDEX_DEFAULT,
    paragraph: Annotated[
        str | None, typer.Option(metavar="FILE:N", help="Say also why this paragraph did not come up.")
    ] = None,
    model: ModelOption = None,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    verifier: VerifierOption = None,
    style: StyleOption = None,
    max_wrong: MaxWrongOption = None,
    where: WhereOption = None,
    collection: CollectionsOption = None,
    label: LabelsOption = None,
    settings: SettingsOption = None,
    offline: OfflineOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Answer a question and show every step: what came up and what did not, the scores, the draft, the checks.

    Example: ragkit explain "Where did Putin suggest meeting?" --index indexes/seeds
    """
    screen = Screen.open(quiet)
    models = {"model": model, "embedder": embedder, "reranker": reranker, "verifier": verifier}
    within: Within = {"where": where, "collection": collection, "labels": label}
    place = _parse_place(paragraph) if paragraph is not None else None
    with _open_kit(screen, index, settings, offline, within, models | {"style": style, "max_wrong": max_wrong}) as kit:
        trace = kit.explain(question, **within)
        located = kit.locate(trace.retrieved.question, *place, **within) if place is not None else None
    if place is not None and located is None:
        raise InputError(f"There is no paragraph {place[1]} of {place[0]} in {index}. ragkit info lists the documents")
    if as_json:
        screen.json(trace.to_dict() | ({} if located is None else {"located": asdict(located)}))
    else:
        screen.out.print(display.trace_text(trace))
        if located is not None:
            screen.out.print(display.located_text(paragraph or "", located))


def _parse_place(given: str) -> tuple[str, int]:
    path, _, number = given.rpartition(":")
    if not path or not number.isdecimal():
        raise InputError(f"--paragraph {given} names no paragraph. Give a file and a number: --paragraph notes.txt:3")
    return path, int(number)


def search(
    question: Annotated[str, typer.Argument(help="What to look for.")],
    index: IndexOption = INDEX_DEFAULT,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many paragraphs.")] = 5,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    where: WhereOption = None,
    collection: CollectionsOption = None,
    label: LabelsOption = None,
    settings: SettingsOption = None,
    offline: OfflineOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show the paragraphs that come closest to a question, best first.

    Example: ragkit search "prisoner exchange" --index indexes/seeds -k 3
    """
    screen = Screen.open(quiet)
    models = {"embedder": embedder, "reranker": reranker}
    within: Within = {"where": where, "collection": collection, "labels": label}
    with _open_kit(screen, index, settings, offline, within, models) as kit:
        hits = kit.search(question, k, **within)
    if as_json:
        screen.json([hit.to_dict() for hit in hits])
    else:
        screen.out.print(display.hits_text(hits))
