"""The shipped weights over the seed documents, from files to a checked answer, without a network."""

import socket
from pathlib import Path

import pytest

import ragkit
from ragkit.prompts import REFUSAL

pytestmark = pytest.mark.model

SEEDS = Path(__file__).parents[1] / "seeds"


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """The seed documents, indexed by the shipped embedder."""
    folder = tmp_path_factory.mktemp("seeds") / "index"
    documents = sorted(SEEDS.glob("*.txt"))
    ragkit.build(documents, folder).close()
    return folder


@pytest.fixture(scope="module")
def kit(index):
    with ragkit.open(index) as opened:
        yield opened


@pytest.fixture(autouse=True)
def hub_not_switched_off(monkeypatch):
    """It must be ragkit that stays off the network, not a variable of the environment."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


def test_a_question_is_answered_from_the_paragraph_that_says_it(kit):
    answer = kit.ask("Where did Putin suggest meeting?")
    assert not answer.abstained
    assert "Istanbul" in answer.text
    places = [(Path(c.paragraph.document.path).name, c.paragraph.number) for c in answer.citations]
    assert ("zelenskyy-letter-report.txt", 5) in places


@pytest.mark.parametrize(
    "question",
    [
        "On which day was the letter released?",
        "Who is Putin's spokesman?",
        "What does Europe have to back its support with?",
    ],
)
def test_every_sentence_cites_and_every_quotation_stands_in_its_document(kit, question):
    answer = kit.ask(question)
    assert not answer.abstained
    assert all(sentence.citations and sentence.verdict == "supported" for sentence in answer.sentences)
    for citation in answer.citations:
        document = kit.index.document(citation.paragraph.document.path)
        assert document.text[citation.start : citation.end] == citation.quote


@pytest.mark.parametrize("question", ["How do I bake sourdough bread?", "Who won the football world cup in 1998?"])
def test_what_the_documents_do_not_tell_is_refused(kit, question):
    answer = kit.ask(question)
    assert (answer.abstained, answer.text, answer.citations) == (True, REFUSAL, ())


def test_the_same_question_gets_the_same_answer(kit):
    first, second = kit.ask_many(["What did Zelenskyy propose?"] * 2)
    assert (first.text, first.confidence) == (second.text, second.confidence)


def test_the_network_is_denied_while_these_tests_run(attempts):
    with pytest.raises(ConnectionError):
        socket.getaddrinfo("huggingface.co", 443)
    assert attempts == ["huggingface.co"]
    attempts.clear()
