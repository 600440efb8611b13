import pytest
from fakes import ScriptedGenerator

from ragkit.citations import DraftSentence
from ragkit.drafting import Draft, draft_answer, is_complete
from ragkit.records import DocumentRef, Evidence, Paragraph

TEXT = "Putin suggested Istanbul."
PARAGRAPH = Paragraph(DocumentRef("a.txt", "sha256:0"), 1, 0, len(TEXT), TEXT)
EVIDENCE = [Evidence(1, PARAGRAPH, 0, len(TEXT), TEXT, 2.0)]


def test_a_base_model_is_tied_to_the_label_of_the_sentence_it_saw():
    writer = ScriptedGenerator([" Putin suggested Istanbul. And more.\nQuestion: again"])
    drafted = draft_answer("Where?", EVIDENCE, lambda: writer, 48)
    assert drafted.sentences == (DraftSentence("Putin suggested Istanbul.", (1,)),)
    assert drafted.written == " Putin suggested Istanbul. And more."
    assert TEXT in drafted.prompt == writer.prompts[0]


def test_no_model_is_called_where_none_may_write():
    def never():
        raise AssertionError

    assert draft_answer("Where?", EVIDENCE, never, 0) == Draft()


@pytest.mark.parametrize(
    ("sentence", "complete"),
    [
        ("Putin suggested Istanbul.", True),
        ("Putin suggested", False),
        ("suggested it there.", False),
        ("That he asks for a summit.", False),
        ("It is the one that is the one that is the one.", False),
        ("Istanbul.", False),
    ],
    ids=["whole", "no end", "no beginning", "part of a sentence", "goes round", "one word"],
)
def test_only_whole_sentences_are_kept(sentence, complete):
    assert is_complete(sentence) is complete
