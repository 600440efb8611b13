import json

import pytest

from ragkit.errors import GoldError
from ragkit.evaluation.datasets import load_suite
from ragkit.evaluation.formats.topics import last_question
from ragkit.readers import read_document

CORPUS = [
    {"_id": "d1", "title": "Cats", "text": "Cats purr.\n\nThey sleep all day."},
    {"_id": "d2", "title": "", "text": "Dogs bark at night."},
    {"_id": "d3", "title": "Only a title", "text": ""},
]
QUERIES = [{"_id": "q1", "text": "what do cats do"}, {"_id": "q2", "text": "who barks"}, {"_id": "q3", "text": "never"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td2\t1\nq2\td3\t1\n"
TREC_QRELS = "301 0 FT-1 1\n301 0 FT-2 0\n302 0 FT-2 2\n"
TREC_DOCS = """<DOC>
<DOCNO> FT-1 </DOCNO>
<HEADLINE>Crime &amp; money</HEADLINE>
<TEXT>
<P>Gangs smuggle cars.</P>
<P>Banks <b>look</b> away.</P>
</TEXT>
</DOC>
<DOC><DOCNO>FT-2</DOCNO>
<TEXT>Poliomyelitis is nearly gone.</TEXT></DOC>
"""
TREC_TOPICS = """<top>
<num> Number: 301
<title> International Organized Crime
<desc> Description:
Identify organizations that
take part.
<narr> Narrative: Anything.
</top>

<top>
<num> Number: 302 <title> Polio
<desc> Description: Is polio under control?
</top>
"""


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = text if isinstance(text, str) else "\n".join(json.dumps(row, ensure_ascii=False) for row in text) + "\n"
    file.write_text(rows, encoding="utf-8")
    return file


def load(place, tmp_path, **given):
    return load_suite(place, tmp_path / "work", **given)


def texts(suite):
    return {path.split("/")[-1]: file.read_text(encoding="utf-8") for path, file in suite.list_files().items()}


def gold(suite):
    return [(q.id, q.question, [(e.document, e.paragraph, e.grade) for e in q.evidence]) for q in suite.questions]


def beir(root, corpus=CORPUS, queries=QUERIES, qrels=QRELS, split="test"):
    write(root / "corpus.jsonl", corpus)
    write(root / "queries.jsonl", queries)
    write(root / "qrels" / f"{split}.tsv", qrels)
    return root


def test_a_beir_folder_has_a_document_for_each_entry_and_grades_for_paragraphs(tmp_path):
    suite = load(beir(tmp_path / "tiny"), tmp_path)
    assert suite.name == "tiny"
    assert texts(suite) == {
        "Cats.txt": "Cats purr.\n\nThey sleep all day.\n",
        "d2.txt": "Dogs bark at night.\n",
        "Only_a_title.txt": "Only a title\n",
    }
    assert gold(suite) == [
        ("q1", "what do cats do", [("Cats.txt", 1, 2), ("Cats.txt", 2, 2)]),
        ("q2", "who barks", [("d2.txt", 1, 1), ("Only_a_title.txt", 1, 1)]),
    ]
    assert all(q.answerable and not q.answers for q in suite.questions)


def test_of_several_judgments_those_of_the_test_part_count_unless_others_are_given(tmp_path):
    folder = beir(tmp_path / "tiny")
    dev = write(folder / "qrels" / "dev.tsv", "query-id\tcorpus-id\tscore\nq3\td1\t1\n")
    assert [q.id for q in load(folder, tmp_path).questions] == ["q1", "q2"]
    chosen = load(dev, tmp_path)
    assert (chosen.name, [q.id for q in chosen.questions]) == ("tiny-dev", ["q3"])


def test_two_entries_with_the_same_text_are_one_document_with_the_higher_grade(tmp_path):
    corpus = [{"_id": name, "title": "Cats", "text": "Cats purr."} for name in ("d1", "d2")]
    qrels = "q1\td1\t1\nq1\td2\t3\n"
    suite = load(beir(tmp_path / "tiny", corpus, qrels=qrels), tmp_path)
    assert gold(suite) == [("q1", "what do cats do", [("Cats.txt", 1, 3)])]


def test_of_a_conversation_the_last_question_is_asked(tmp_path):
    queries = [
        {"_id": "q1", "text": "|user|: Who purrs?\n|agent|: Cats.\n|user|: And when\ndo they sleep?"},
        {"_id": "q2", "text": [{"speaker": "user", "text": "Who barks?"}, {"speaker": "agent", "text": "Dogs."}]},
    ]
    folder = tmp_path / "clapnq"
    write(folder / "clapnq.jsonl", CORPUS)
    asked = write(folder / "clapnq_questions.jsonl", queries)
    write(folder / "qrels" / "dev.tsv", QRELS)
    assert [q.question for q in load(folder, tmp_path).questions] == ["And when do they sleep?", "Who barks?"]
    write(folder / "clapnq_lastturn.jsonl", [{"_id": "q1", "text": "|user|: And when do they sleep?"}])
    with pytest.raises(GoldError, match=r"several files of questions: .*lastturn.*questions.*Give the one"):
        load(folder, tmp_path)
    assert len(load(asked, tmp_path).questions) == 2
    assert last_question("no turns\nat all") == "no turns at all"


@pytest.mark.parametrize("layout", ["marked", "table", "attributes"])
def test_trec_topics_are_read_with_judgments_and_documents(tmp_path, layout):
    topics = {
        "marked": TREC_TOPICS,
        "table": "301\tInternational Organized Crime\n302\tIs polio under control?\n",
        "attributes": '<topics><topic number="301"><query>International Organized Crime</query></topic>'
        '<topic number="302"><query>polio</query><question>Is polio under control?</question></topic></topics>',
    }
    write(tmp_path / "trec" / "topics.txt", topics[layout])
    write(tmp_path / "trec" / "qrels.txt", TREC_QRELS)
    write(tmp_path / "trec" / "docs" / "ft911", TREC_DOCS)
    suite = load(tmp_path / "trec", tmp_path)
    assert gold(suite) == [
        ("301", "International Organized Crime", [("Crime_money.txt", 1, 1), ("Crime_money.txt", 2, 1)]),
        ("302", "Is polio under control?", [("FT-2.txt", 1, 2)]),
    ]
    read = {path.split("/")[-1]: read_document(file, path) for path, file in suite.list_files().items()}
    assert [p.text for p in read["Crime_money.txt"].paragraphs] == ["Gangs smuggle cars.", "Banks  look  away."]


def test_trec_topics_go_with_a_corpus_in_json_even_where_ids_are_alike(tmp_path):
    write(tmp_path / "trec" / "some.jsonl", [{"docno": "1", "contents": "Cats purr."}])
    topics = write(tmp_path / "trec" / "asked.tsv", "1\twho purrs\n")
    write(tmp_path / "trec" / "judged.qrels", "1 0 1 1\n")
    assert gold(load(topics, tmp_path)) == [("1", "who purrs", [("1.txt", 1, 1)])]


@pytest.mark.parametrize(
    ("missing", "message"),
    [("corpus.jsonl", "no documents. Put them there"), ("d2", "there is no document 'd2', .* Add it to the corpus")],
)
def test_a_collection_that_lacks_a_part_is_an_error_with_the_cure(tmp_path, missing, message):
    folder = beir(tmp_path / "tiny", [entry for entry in CORPUS if entry["_id"] != missing])
    if missing == "corpus.jsonl":
        (folder / missing).unlink()
    with pytest.raises(GoldError, match=message):
        load(folder, tmp_path)
