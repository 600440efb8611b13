import json
import re

import pytest

from ragkit.errors import GoldError
from ragkit.evaluation.datasets import find_problems, load_suite
from ragkit.evaluation.formats.documents import DocumentWriter
from ragkit.evaluation.gold import GoldEvidence
from ragkit.readers import read_document


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = text if isinstance(text, str) else "\n".join(json.dumps(row, ensure_ascii=False) for row in text) + "\n"
    file.write_text(rows, encoding="utf-8")
    return file


def load(place, tmp_path, **given):
    return load_suite(place, tmp_path / "work", **given)


def texts(suite):
    return {path.split("/")[-1]: file.read_text(encoding="utf-8") for path, file in suite.list_files().items()}


def rgb(answer, positive=("Norway won most medals.",), **more):
    return {
        "id": 1,
        "query": "Who won?",
        "answer": answer,
        "positive": positive,
        "negative": ["Games of 2018."],
        **more,
    }


def hotpot(**more):
    context = [["Alpha", ["Alpha is a band.", " It is from Leeds."]], ["Leeds", ["Leeds is in Yorkshire."]]]
    facts = [["Alpha", 1], ["Leeds", 0]]
    asked = {"_id": "h1", "question": "Where is the band from?", "answer": "Yorkshire", "type": "bridge"}
    return {**asked, "context": context, "supporting_facts": facts, **more}


@pytest.mark.parametrize(
    ("answer", "answers", "must_include"),
    [
        pytest.param("Norway", ("Norway",), (), id="one"),
        pytest.param([["Norway", "the Norwegians"]], ("Norway", "the Norwegians"), (), id="alternatives"),
        pytest.param(["6.4%", "18%"], (), (("6.4%",), ("18%",)), id="all needed"),
        pytest.param([["6.4%", "6.4"], "18%"], (), (("6.4%", "6.4"), ("18%",)), id="all needed by any wording"),
        pytest.param(2018, ("2018",), (), id="number"),
    ],
)
def test_rgb_answers_are_alternatives_or_all_needed(tmp_path, answer, answers, must_include):
    suite = load(write(tmp_path / "en.json", [rgb(answer)]), tmp_path)
    question = suite.questions[0]
    assert (question.id, question.answers, question.must_include) == ("1", answers, must_include)


def test_every_rgb_passage_is_a_document_but_for_those_made_wrong(tmp_path):
    line = rgb("Norway", [["Norway won."], ["Norway led.", "Norway won."]], positive_wrong=["Italy won."])
    unanswered = rgb("Norway", [], id=2)
    suite = load(write(tmp_path / "en_int.json", [line, unanswered]), tmp_path)
    assert sorted(texts(suite).values()) == ["Games of 2018.\n", "Norway led.\n", "Norway won.\n"]
    assert [len(q.evidence) for q in suite.questions] == [2, 0]
    assert [(q.answerable, q.tags) for q in suite.questions] == [(True, ("answerable",)), (False, ("unanswerable",))]


@pytest.mark.parametrize("layout", ["list", "lines", "columns"])
def test_hotpot_passages_are_documents_and_facts_are_sentences(tmp_path, layout):
    entry = hotpot()
    if layout == "columns":
        entry["context"] = {"title": ["Alpha", "Leeds"], "sentences": [s for _, s in entry["context"]]}
        entry["supporting_facts"] = {"title": ["Alpha", "Leeds"], "sent_id": [1, 0]}
    file = write(tmp_path / "dev.json", json.dumps([entry]) if layout == "list" else [entry])
    suite = load(file, tmp_path)
    assert texts(suite) == {
        "Alpha.txt": "Alpha is a band. It is from Leeds.\n",
        "Leeds.txt": "Leeds is in Yorkshire.\n",
    }
    assert suite.questions[0].evidence == (
        GoldEvidence("Alpha.txt", 1, "Alpha is a band. It is from Leeds.", "It is from Leeds."),
        GoldEvidence("Leeds.txt", 1, "Leeds is in Yorkshire.", "Leeds is in Yorkshire."),
    )
    assert suite.questions[0].tags == ("answerable", "bridge")


def test_a_supporting_fact_that_is_not_in_the_context_is_named(tmp_path):
    with pytest.raises(GoldError, match=r"entry 1: the supporting fact 'Beta' is not in the context"):
        load(write(tmp_path / "dev.json", json.dumps([hotpot(supporting_facts=[["Beta", 0]])])), tmp_path)
    beyond = load(write(tmp_path / "dev.json", json.dumps([hotpot(supporting_facts=[["Alpha", 9]])])), tmp_path)
    assert [e.sentence for e in beyond.questions[0].evidence] == [""]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param(
            "q.csv", "ID,Question,Answer,Tags\nx,Who won?,Denver|Broncos,\nq2,Who sang?,Gaga,music\n", id="commas"
        ),
        pytest.param(
            "q.tsv",
            'id\tuser_input\tground_truth\ttag\nx\tWho won?\t["Denver", "Broncos"]\t\n\nq2\tWho sang?\tGaga\tmusic',
            id="tabs",
        ),
        pytest.param(
            "q.csv",
            '\n"id";"query";"Expected Answer";"category"\n"x";"Who\nwon?";"Denver | Broncos";\n;Who sang?;Gaga;music',
            id="semicolons",
        ),
        pytest.param(
            "q.jsonl",
            [
                {"id": "x", "question": "Who won?", "answers": ["Denver", "Broncos"]},
                {"question": "Who sang?", "answers": "Gaga", "tags": ["music"]},
            ],
            id="lines",
        ),
    ],
)
def test_plain_questions_and_answers_are_read_whatever_their_columns_are_called(tmp_path, name, text):
    write(tmp_path / "documents" / "a.txt", "Denver won. Gaga sang.\n")
    suite = load(write(tmp_path / name, text), tmp_path)
    assert [(q.id, q.question, q.answers, q.tags) for q in suite.questions] == [
        ("x", "Who won?", ("Denver", "Broncos"), ("answerable",)),
        ("q2", "Who sang?", ("Gaga",), ("music",)),
    ]
    assert suite.documents == (tmp_path / "documents",)
    assert not (tmp_path / "work").exists()


def test_a_table_in_an_encoding_of_the_office_is_read(tmp_path):
    file = tmp_path / "q.csv"
    file.write_bytes("Question;Answer\r\nWer siegte über München?;Köln\r\n".encode("cp1252"))
    assert load(file, tmp_path, documents=[file]).questions[0].answers == ("Köln",)


def test_a_column_says_which_questions_are_not_answerable(tmp_path):
    text = "question,answer,answerable\nWho won?,Denver,yes\nWho sang?,,No\nWho lost?,Carolina,\n"
    file = write(tmp_path / "q.csv", text)
    suite = load(file, tmp_path, documents=[file])
    assert [q.answerable for q in suite.questions] == [True, False, True]
    long = write(tmp_path / "q.csv", f"question,answer\nWhy?,{'because of many words ' * 3}\nWho?,Denver\n")
    assert [q.is_long for q in load(long, tmp_path, documents=[file]).questions] == [True, False]  # 12 words, 1 word


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        pytest.param("q.csv", "question,answer\nWho?,\n", "line 2: there is no answer.*'answerable'", id="no answer"),
        pytest.param("q.csv", "question,answer\n,x\n", "line 2: there is no question", id="no question"),
        pytest.param("q.csv", "question,answer\nWho?,x,y\n", "line 2: 3 cells, .* 2 columns", id="cells"),
        pytest.param("q.csv", "question,answer,answerable\nWho?,x,maybe\n", "Write true or false", id="neither"),
        pytest.param(
            "q.csv", "question,answer,answerable\nWho?,,yes\n", "said to be answerable", id="answer forgotten"
        ),
        pytest.param("q.csv", 'question,answer\n"Who?,x\n', "not a table", id="quote"),
        pytest.param("q.jsonl", '{"question": "Who?", "answer": "x"}\n[]', "line 2: not an object", id="list"),
        pytest.param("q.jsonl", '{"question": "Who?", "answer": "x"}\n{', "line 2: .* not valid JSON", id="JSON"),
    ],
)
def test_a_broken_row_stops_loading_but_not_checking(tmp_path, name, text, message):
    good = "Who won?,Denver" + "," * (text.partition("\n")[0].count(",") - 1)
    file = write(tmp_path / name, text if name == "q.jsonl" else f"{text}{good}\n")
    documents = [write(tmp_path / "docs" / "a.txt", "Denver won.\n")]
    with pytest.raises(GoldError, match=message):
        load(file, tmp_path, documents=documents)
    suite, problems = find_problems(file, tmp_path / "work", documents=documents)
    assert re.search(message, str(problems[0]))
    assert len(suite.questions) == (0 if "not a table" in message else 1)


def test_names_of_documents_are_safe_unique_and_the_same_each_time(tmp_path):
    def names():
        writer = DocumentWriter()
        titles = ["../a b", "a_b", "A B", "", "%41", "一" * 90]
        return [writer.add(title, [f"text {number}"]).name for number, title in enumerate(titles)]

    assert names() == names() == ["a_b.txt", "a_b-2.txt", "A_B-3.txt", "untitled.txt", "A.txt", "一" * 66 + ".txt"]


@pytest.mark.parametrize(
    ("blocks", "found"),
    [
        pytest.param(["One.", "Two."], [["One."], ["Two."]], id="paragraphs"),
        pytest.param(["1. First thing", "plain"], [["First thing"], ["plain"]], id="list mark"),
        pytest.param(["One.\n\nMore.", "Two."], [["One.", "More."], ["Two."]], id="several in one"),
        pytest.param(["\ufeffa\x00b\r\nc\ufffd", "  "], [["a b\nc"], []], id="strange characters"),
    ],
)
def test_where_a_text_will_stand_is_what_the_reader_finds(tmp_path, blocks, found):
    writer = DocumentWriter()
    places = writer.add("a", blocks).read_paragraphs()
    assert [[paragraph.text for paragraph in block] for block in places] == found
    read = read_document(writer.write("set", tmp_path) / "a.txt", "a.txt").paragraphs
    assert [(p.number, p.text) for p in read] == [(p.number, p.text) for block in places for p in block]
