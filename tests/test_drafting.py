from dataclasses import replace

import pytest
from fakes import ScriptedGenerator

from ragkit.citations import DraftSentence
from ragkit.drafting import Draft, draft_answer, is_complete
from ragkit.profiles import Profile
from ragkit.prompts import direct_prompt
from ragkit.records import DocumentRef, Evidence, Paragraph

TEXT = "Putin suggested Istanbul."
PARAGRAPH = Paragraph(DocumentRef("a.txt", "sha256:0"), 1, 0, len(TEXT), TEXT)
EVIDENCE = [Evidence(1, PARAGRAPH, 0, len(TEXT), TEXT, 2.0)]

TALKS = "Putin suggested Istanbul. Trump praised it [2]. Kyiv waited."
TALKS_PARAGRAPH = Paragraph(DocumentRef("a.txt", "sha256:0"), 1, 100, 100 + len(TALKS), TALKS)


def sentence_of_talks(label, text):
    start = 100 + TALKS.index(text)
    return Evidence(label, TALKS_PARAGRAPH, start, start + len(text), text, 2.0)


@pytest.fixture
def direct(monkeypatch):
    monkeypatch.setattr("ragkit.drafting.profile_of", lambda name: Profile("direct", hinted=True))


def test_a_base_model_is_tied_to_the_label_of_the_sentence_it_saw():
    writer = ScriptedGenerator([" Putin suggested Istanbul. And more.\nQuestion: again"])
    drafted = draft_answer("Where?", EVIDENCE, lambda: writer, 48)
    assert drafted.statements == ((DraftSentence("Putin suggested Istanbul.", (1,)),),)
    assert drafted.written == " Putin suggested Istanbul. And more."
    assert TEXT in drafted.prompt == writer.prompts[0]


@pytest.mark.usefixtures("direct")
def test_a_model_that_answers_directly_is_asked_for_each_piece_of_evidence():
    evidence = [sentence_of_talks(1, "Kyiv waited."), sentence_of_talks(2, "Putin suggested Istanbul.")]
    writer = ScriptedGenerator([" Kyiv has waited. And more.", " Istanbul was suggested.\nQuestion: again"])
    drafted = draft_answer("Who?", evidence, lambda: writer, 48)
    assert writer.prompts == [direct_prompt("Who?", item.text) for item in evidence]
    assert drafted.prompt == "\n\n".join(writer.prompts)
    assert drafted.written == "Kyiv has waited. And more.\nIstanbul was suggested."
    assert drafted.statements == (
        (DraftSentence("Kyiv has waited.", (1,), -0.1),),
        (DraftSentence("Istanbul was suggested.", (2,), -0.1),),
    )
    assert drafted.denied == ()


@pytest.mark.usefixtures("direct")
def test_the_sentence_before_is_shown_where_a_word_may_refer_to_it():
    writer = ScriptedGenerator([" Trump praised it."])
    draft_answer("Who?", [sentence_of_talks(1, "Trump praised it [2].")], lambda: writer, 48)
    assert writer.prompts == [direct_prompt("Who?", "Putin suggested Istanbul. Trump praised it.")]


@pytest.mark.usefixtures("direct")
def test_beside_what_the_model_wrote_stand_the_quotation_s_likeliest_shortenings():
    text = "Work took ten years, and Queen Margrethe opened the bridge on 14 June 1998, when it rained [2]."
    item = Evidence(1, replace(PARAGRAPH, end=len(text), text=text), 0, len(text), text, 2.0, "14 June 1998")
    (wordings,) = draft_answer("When?", [item], lambda: ScriptedGenerator([" In June 1998."]), 48).statements
    assert [wording.text for wording in wordings] == [
        "In June 1998.",
        "Queen Margrethe opened the bridge on 14 June 1998.",
        "Queen Margrethe opened the bridge on 14 June 1998, when it rained.",
    ]
    assert {wording.labels for wording in wordings} == {(1,)}
    (wordings,) = draft_answer("What?", [item], lambda: ScriptedGenerator([" In June 1998."]), 48).statements
    assert len(wordings) == 1  # what "and" joins to it may be asked for, too
    brief = draft_answer("What?", [item], lambda: ScriptedGenerator([" In June 1998."]), 48, brief=True)
    assert min(len(wording.text.split()) for wording in brief.statements[0][1:]) == 9
    (wordings,) = draft_answer("Why?", [item], lambda: ScriptedGenerator([" In June 1998."]), 48).statements
    assert len(wordings) == 1  # an explanation needs all of it


@pytest.mark.usefixtures("direct")
def test_a_model_may_deny_that_a_piece_of_evidence_answers():
    evidence = [sentence_of_talks(1, "Kyiv waited."), sentence_of_talks(2, "Putin suggested Istanbul.")]
    writer = ScriptedGenerator([" None.", " Putin suggested Istanbul."])
    drafted = draft_answer("Where?", evidence, lambda: writer, 48)
    assert drafted.denied == (1,)
    assert drafted.statements == ((DraftSentence("Putin suggested Istanbul.", (2,), -0.1),),)


@pytest.mark.usefixtures("direct")
@pytest.mark.parametrize(("question", "hint"), [("Where did they meet?", "Istanbul"), ("Did they meet there?", "")])
def test_the_readers_short_answer_is_a_hint_unless_yes_or_no_is_asked(question, hint):
    writer = ScriptedGenerator([" Putin suggested Istanbul."])
    draft_answer(question, [replace(EVIDENCE[0], short_answer="Istanbul")], lambda: writer, 48)
    assert writer.prompts == [direct_prompt(question, TEXT, hint)]


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
        ("No talk is credible without which no talk is credible.", False),
        ("He is an uncle of the king and an uncle of the queen.", True),
        ("That bridge is unsafe.", True),
        ("If rates fall, imports rise.", True),
        ("Istanbul.", False),
    ],
    ids=[
        "whole",
        "no end",
        "no beginning",
        "part of a sentence",
        "goes round",
        "says it twice",
        "a pair",
        "that one",
        "condition first",
        "one word",
    ],
)
def test_only_whole_sentences_are_kept(sentence, complete):
    assert is_complete(sentence) is complete
