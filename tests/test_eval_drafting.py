import pytest
from fakes import ScriptedGenerator, WordEmbedder, WordReader, WordVerifier

import ragkit
from ragkit.evaluation.drafting.draft import DraftLimits, draft_questions, overlap
from ragkit.evaluation.drafting.goldfile import save_questions
from ragkit.evaluation.drafting.prompting import Asker
from ragkit.evaluation.gold import GoldEvidence, check_evidence, load_questions
from ragkit.prompts import REFUSAL

BRIDGE = (
    "The old iron bridge was opened on 14 June 1998 [1]. It is painted red.\n\n"
    "The bridge keeper Anna Voss sold the licence to a Swedish firm.\n\n"
    "Having lost 340 rare birds, which nobody had counted, the wardens closed the reserve.\n"
)
MILL = (
    "The stone mill was sold in Malmö to Ida Holm. The miller, whom nobody had seen, left in silence.\n\n"
    "The production of flour ended early because the maker of the sieves had closed.\n"
)
SHOP = "# The shop\n\nThe opening hours of the shop are:\n\n- Monday to Friday: 8 to 18\n- Saturday: 9 to 12\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    for name, text in {"bridge.txt": BRIDGE, "mill.txt": MILL, "shop.md": SHOP}.items():
        (tmp_path / "docs" / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def kit(place):
    models = {"embedder": WordEmbedder(), "reader": WordReader(), "verifier": WordVerifier()}
    with ragkit.build("docs", "index", generator=ScriptedGenerator([]), min_confidence=1.0, **models) as kit:
        yield kit


def draft(kit, *, most=40, unanswerable=0.0, per_paragraph=2, seed=0, **given):
    documents = [kit.index.document(ref.path) for ref in kit.index.documents()]
    limits = DraftLimits(most, per_paragraph, unanswerable, seed)
    return draft_questions(documents, kit.explain, limits=limits, **({"min_confidence": 0.2} | given))


def test_questions_come_with_answer_and_evidence_in_the_order_of_the_documents(kit):
    questions = draft(kit)
    assert [(q.question, q.answers) for q in questions] == [
        ("When was the old iron bridge opened?", ("14 June 1998",)),
        ("What did the bridge keeper Anna Voss sell to a Swedish firm?", ("the licence",)),
        ("Who sold the licence to a Swedish firm?", ("the bridge keeper Anna Voss", "Anna Voss")),
        ("Where was the stone mill sold to Ida Holm?", ("Malmö",)),
        ("Why did the production of flour end early?", ("the maker of the sieves had closed",)),
        ("What are the opening hours of the shop?", ()),
    ]
    first = questions[0]
    assert first.tags == ("unreviewed", "when")
    assert first.evidence == (
        GoldEvidence(
            "docs/bridge.txt",
            1,
            "The old iron bridge was opened on 14",
            "The old iron bridge was opened on 14 June 1998 [1].",
        ),
    )


def test_a_list_needs_all_its_entries_and_a_reason_is_a_long_answer(kit):
    why, hours = draft(kit)[-2:]
    assert hours.must_include == (("Monday to Friday",), ("Saturday",))
    assert len(hours.evidence) == 2
    assert why.is_long
    assert why.evidence_sentences == (why.evidence[0].sentence,)


def test_what_is_drafted_is_a_gold_file_that_fits_its_documents(kit, place):
    questions = draft(kit, unanswerable=0.5)
    save_questions(questions, place / "q.jsonl")
    assert load_questions(place / "q.jsonl") == tuple(questions)
    check_evidence(questions, kit.index.paragraphs)


def test_a_question_that_leads_somewhere_else_is_dropped(kit, place):
    (place / "docs" / "copy.txt").write_text("When was the old iron bridge opened? When the old iron bridge was.\n")
    kit.update("docs")
    assert "When was the old iron bridge opened?" not in [q.question for q in draft(kit)]


def test_a_question_whose_short_answer_is_another_one_is_dropped(kit):
    class Beginnings(WordReader):
        """Points at the first word of each sentence."""

        def read(self, question, texts):
            for reading in super().read(question, texts):
                yield type(reading)(reading.log_odds, tuple((start, start + 3) for start, _ in reading.answers))

    given = ragkit.open("index", embedder=WordEmbedder(), reader=Beginnings(), verifier=WordVerifier())
    assert [q.question for q in draft(given)] == ["What are the opening hours of the shop?"]


def test_unanswerable_questions_ask_for_what_is_missing_and_are_kept_where_ragkit_refuses(kit):
    asked = draft(kit, most=20, unanswerable=1.0, min_confidence=1.01)
    assert sorted(q.question for q in asked) == sorted(
        [
            "By whom was the old iron bridge opened on 14 June 1998?",
            "Where was the old iron bridge opened on 14 June 1998?",
            "When did the bridge keeper Anna Voss sell the licence to a Swedish firm?",
            "Where did the bridge keeper Anna Voss sell the licence to a Swedish firm?",
            "By whom was the stone mill sold in Malmö to Ida Holm?",
            "When was the stone mill sold in Malmö to Ida Holm?",
        ]
    )
    assert asked[0].tags == ("unreviewed", "unanswerable")
    assert asked[0].answers == ()
    assert asked[0].evidence[0].paragraph == 1
    assert draft(kit, most=20, unanswerable=1.0, min_confidence=0.0) == []


def test_the_model_words_what_the_rules_cannot(kit):
    writer = ScriptedGenerator(lambda prompt: "How many rare birds had the wardens lost?")
    worded = [q for q in draft(kit, asker=Asker(writer)) if "worded-by-model" in q.tags]
    assert [(q.question, q.answers) for q in worded] == [("How many rare birds had the wardens lost?", ("340",))]
    assert any("Text: Having lost 340 rare birds" in prompt for prompt in writer.prompts)
    useless = ScriptedGenerator(lambda prompt: REFUSAL)
    assert draft(kit, asker=Asker(useless)) == draft(kit)


def test_the_same_seed_gives_the_same_questions_and_no_paragraph_or_document_gives_them_all(kit):
    assert draft(kit, most=3, seed=5) == draft(kit, most=3, seed=5)
    few = draft(kit, most=3)
    assert len(few) == 3
    assert len({q.evidence[0].document for q in few}) == 3
    places = [(q.evidence[0].document, q.evidence[0].paragraph) for q in draft(kit, per_paragraph=1)]
    assert len(places) == len(set(places)) == 5


def test_progress_is_told_after_each_question_that_was_tried(kit):
    told = []
    kept = draft(kit, most=4, on_progress=lambda done, most: told.append((done, most)))
    assert told[-1] == (len(kept), 4) == (4, 4)


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        pytest.param("the 14 June 1998", "1998", 1.0, id="a part"),
        pytest.param("14 June", "14 May 1998", 0.5, id="half"),  # 14 of 14, June
        pytest.param("Malmö", "Bergen", 0.0, id="nothing"),
        pytest.param("", "Bergen", 0.0, id="no answer"),
    ],
)
def test_overlap_is_the_share_of_the_shorter_answer(one, other, share):
    assert overlap(one, other) == share
