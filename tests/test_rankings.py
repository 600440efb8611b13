import math
import random
from dataclasses import asdict

import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from ragkit.errors import GoldError, StorageError
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.evaluation.measures.rankings import (
    MEASURES,
    find_relevant,
    list_stages,
    read_qrels,
    read_run,
    retrieval_measures,
    score_run,
    write_qrels,
    write_run,
)
from ragkit.evaluation.results import Row

NAMES_OF_TREC = {
    "recall@1": "recall_1",
    "recall@5": "recall_5",
    "recall@10": "recall_10",
    "recall@20": "recall_20",
    "MRR": "recip_rank",
    "nDCG@10": "ndcg_cut_10",
    "MAP": "map",
}


def row(id, evidence=(), answerable=True, cluster=None, error=None, **retrieved):
    """A row whose gold paragraphs are (document, number) or (document, number, grade)."""
    question = GoldQuestion(id, "?", ("x",), evidence=tuple(GoldEvidence(*place[:2]) for place in evidence))
    gold = asdict(question) | {"answerable": answerable}
    for stored, place in zip(gold["evidence"], evidence, strict=True):
        stored["grade"] = place[2] if len(place) > 2 else 1
    return Row(id, "?", (), gold, cluster or id, None, error, {}, retrieved)


ROWS = (
    row("q1", [("a", 1), ("a", 2, 2)], fused=["b#1", "a#2", "c#1", "a#1"], dense=["a#1"]),
    row("q2", [("a", 3)], fused=["a#3"], dense=[]),
    row("q3", [("a", 4)], error="ModelError: out of memory"),
    row("none", [("a", 5)], answerable=False, fused=["a#5"], dense=["a#5"]),
)


def test_each_measure_is_the_mean_over_answerable_questions_with_gold_paragraphs():
    fused = retrieval_measures(ROWS)["fused"]
    # q1 has its two at ranks 2 and 4, q2 its one at rank 1, q3 ended in an error and found nothing
    assert list(fused) == ["recall@1", "recall@5", "recall@10", "recall@20", "MRR", "nDCG@10", "MAP"]
    assert {estimate.n for estimate in fused.values()} == {3}
    assert fused["recall@1"].mean == pytest.approx((0 + 1 + 0) / 3)
    assert fused["recall@5"].mean == fused["recall@20"].mean == pytest.approx((1 + 1 + 0) / 3)
    assert fused["MRR"].mean == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert fused["MAP"].mean == pytest.approx(((1 / 2 + 2 / 4) / 2 + 1 + 0) / 3)
    # q1: (2 / log2(3) + 1 / log2(5)) / (2 / log2(2) + 1 / log2(3)) = 1.69254 / 2.63093 = .64332
    graded = (2 / math.log2(3) + 1 / math.log2(5)) / (2 + 1 / math.log2(3))
    assert fused["nDCG@10"].mean == pytest.approx((graded + 1 + 0) / 3)


def test_a_stage_that_found_nothing_for_a_question_scores_zero_there():
    measured = retrieval_measures(ROWS)
    assert list(measured) == ["dense", "fused"]
    assert measured["dense"]["recall@20"].mean == pytest.approx((1 / 2 + 0 + 0) / 3)


def test_the_measures_agree_with_pytrec_eval():
    drawn = random.Random(7)
    paragraphs = [f"docs/{name}.txt#{number}" for name in "abcdef" for number in range(1, 11)]
    rows = []
    for number in range(60):
        gold = [(*key.split("#"), drawn.randint(1, 3)) for key in drawn.sample(paragraphs, drawn.randint(1, 4))]
        found = {stage: drawn.sample(paragraphs, drawn.randint(1, 40)) for stage in ("keyword", "reranked")}
        rows.append(row(f"q{number}", gold, **found))
    qrels = {one.id: {f"{e['document']}#{e['paragraph']}": e["grade"] for e in one.gold["evidence"]} for one in rows}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"recall.1,5,10,20", "recip_rank", "ndcg_cut.10", "map"})
    for stage, measured in retrieval_measures(rows).items():
        run = {one.id: {key: -float(rank) for rank, key in enumerate(one.retrieved[stage])} for one in rows}
        by_question = theirs.evaluate(run).values()
        for name in MEASURES:
            expected = sum(values[NAMES_OF_TREC[name]] for values in by_question) / len(rows)
            assert measured[name].mean == pytest.approx(expected, abs=1e-9)


def test_questions_of_one_cluster_are_resampled_together():
    together = [row("q1", [("a", 1)], cluster="a", fused=["a#1"]), row("q2", [("a", 2)], cluster="a", fused=["a#1"])]
    found = retrieval_measures(together)["fused"]["MRR"]
    assert (found.mean, found.low, found.high) == (0.5, 0.5, 0.5)  # one cluster, so every draw is the same
    apart = retrieval_measures([row(r.id, [("a", n)], fused=["a#1"]) for n, r in enumerate(together, 1)])
    assert (apart["fused"]["MRR"].low, apart["fused"]["MRR"].high) == (0.0, 1.0)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="no rows"),
        pytest.param([row("q", [("a", 1)])], id="nothing known of retrieval"),
        pytest.param([row("q", [("a", 1)], error="x")], id="only errors"),
        pytest.param([row("q", fused=["a#1"])], id="no gold paragraphs"),
        pytest.param([row("q", [("a", 1, 0)], fused=["a#1"])], id="no relevant grade"),
        pytest.param([row("q", [("a", 1)], answerable=False, fused=["a#1"])], id="unanswerable"),
    ],
)
def test_nothing_is_measured_where_nothing_can_be(rows):
    assert retrieval_measures(rows) == {}


def test_stages_come_in_the_order_of_retrieval():
    assert list_stages([row("q", reranked=[], mine=[], dense=[]), row("r", fused=[])]) == [
        "dense",
        "fused",
        "reranked",
        "mine",
    ]


def test_gold_paragraphs_are_named_as_the_rankings_name_them():
    rows = [
        row("q1", [("a.txt", 1), ("a.txt", 1, 3), ("gone.txt", 2)], fused=["docs/a.txt#1", "more/b/a.txt#1"]),
        row("q2", [("more/b/a.txt", 4), ("ta.txt", 1)], fused=["docs/ata.txt#1"]),
    ]
    assert find_relevant(rows) == {
        "q1": {"docs/a.txt#1": 3, "gone.txt#2": 1},  # named twice: the higher grade
        "q2": {"more/b/a.txt#4": 1, "ta.txt#1": 1},
    }


def test_files_hold_one_line_a_paragraph(tmp_path):
    rows = [row("q 1", [("my notes.md", 2, 3)], fused=["docs/my notes.md#2", "100%.txt#1"]), row("q2", fused=[])]
    write_run(rows, "fused", tmp_path / "a.run", tag="my run")
    write_qrels(rows, tmp_path / "a.qrels")
    assert (tmp_path / "a.run").read_text() == (
        "q%201 Q0 docs/my%20notes.md#2 1 2 my%20run\nq%201 Q0 100%25.txt#1 2 1 my%20run\n"
    )
    assert (tmp_path / "a.qrels").read_text() == "q%201 0 docs/my%20notes.md#2 3\n"
    assert read_run(tmp_path / "a.run") == {"q 1": [("docs/my notes.md#2", 2.0), ("100%.txt#1", 1.0)]}
    assert read_qrels(tmp_path / "a.qrels") == {"q 1": {"docs/my notes.md#2": 3}}


@settings(max_examples=60, deadline=None)
@given(names=st.lists(st.text(min_size=1), min_size=1, unique=True), id=st.text(min_size=1))
def test_any_name_survives_a_run_file_and_back(tmp_path_factory, names, id):
    file = tmp_path_factory.mktemp("trec") / "a.run"
    keys = [f"{name}#1" for name in names]
    write_run([row(id, fused=keys)], "fused", file)
    assert {question: [key for key, _ in ranking] for question, ranking in read_run(file).items()} == {id: keys}


def test_names_that_are_not_even_unicode_survive_and_are_scored(tmp_path):
    rows = [row("q\udcff", [("\udce9.txt", 1)], fused=["\udce8.txt#1", "\udce9.txt#1"])]
    write_run(rows, "fused", tmp_path / "a.run")
    assert read_run(tmp_path / "a.run") == {"q\udcff": [("\udce8.txt#1", 2.0), ("\udce9.txt#1", 1.0)]}
    assert retrieval_measures(rows)["fused"]["MRR"].mean == 0.5


def test_the_files_score_as_the_rows_do(tmp_path):
    rows = [*ROWS[:2], row("q3", [("a", 4)], fused=[])]
    write_run(rows, "fused", tmp_path / "a.run")
    write_qrels(rows, tmp_path / "a.qrels")
    assert (
        score_run(read_run(tmp_path / "a.run"), read_qrels(tmp_path / "a.qrels")) == retrieval_measures(rows)["fused"]
    )


def test_a_run_of_another_tool_is_ordered_by_its_scores_and_equal_ones_as_trec_eval_does(tmp_path):
    file = tmp_path / "bm25.run"
    file.write_text(
        "\ufeffq1\tQ0\td1\t1\t0.5\tbm25\r\n\nq1 Q0  d3 2 0.5 bm25\nq1 Q0 100%d2%ff 3 1e1 bm25\n", encoding="utf-8"
    )
    run = read_run(file)
    assert run == {"q1": [("100%d2%ff", 10.0), ("d3", 0.5), ("d1", 0.5)]}
    assert score_run(run, {"q1": {"d1": 1}})["MRR"].mean == pytest.approx(1 / 3)
    assert score_run(run, {"q1": {"d3": 1}})["MRR"].mean == pytest.approx(1 / 2)


def test_a_question_that_the_run_lacks_found_nothing_and_one_without_relevant_paragraphs_does_not_count():
    run = {"q1": [("a#1", 1.0)], "not judged": [("a#1", 1.0)]}
    found = score_run(run, {"q1": {"a#1": 1, "a#2": -1}, "q2": {"a#1": 1}, "q3": {"a#1": 0}})
    assert (found["recall@10"].mean, found["recall@10"].n) == (0.5, 2)


def test_qrels_of_beir_have_three_columns_under_a_heading(tmp_path):
    file = tmp_path / "test.tsv"
    file.write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n")
    assert read_qrels(file) == {"q1": {"d1": 2, "d2": 0}}


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        pytest.param(
            read_run, "q Q0 d 1 2.0 x\nq Q0 e 2 1.0\n", "line 2 has 5 columns, not 6.* such as: ", id="columns"
        ),
        pytest.param(read_run, "q Q0 d 1 high x\n", "line 1: 'high' is no number", id="score"),
        pytest.param(read_run, "q Q0 d 1 nan x\n", "line 1: 'nan' is no finite number", id="nan"),
        pytest.param(read_run, "q Q0 d 1 2 x\nq Q0 d 2 1 x\n", "line 2: 'd' came before.*Leave one", id="twice"),
        pytest.param(read_run, "\n \n", "is empty. Give a TREC file", id="empty"),
        pytest.param(read_qrels, "q d\n", "line 1 has 2 columns, not 4.* such as: ", id="qrels columns"),
        pytest.param(read_qrels, "q 0 d 1.5\n", "line 1: '1.5' is no whole number", id="grade"),
        pytest.param(read_qrels, "q 0 d 1\nq 0 d 0\n", "line 2: 'd' came before", id="judged twice"),
    ],
)
def test_a_broken_file_is_an_error_that_names_the_line(tmp_path, read, text, message):
    (tmp_path / "broken").write_text(text)
    with pytest.raises(GoldError, match=message):
        read(tmp_path / "broken")


def test_what_cannot_be_written_or_scored_names_the_cure(tmp_path):
    with pytest.raises(GoldError, match="no ranking of the stage 'mine'; known: dense, fused"):
        write_run(ROWS, "mine", tmp_path / "a.run")
    with pytest.raises(GoldError, match=r"no qrels. Add evidence"):
        write_qrels([ROWS[3]], tmp_path / "a.qrels")
    with pytest.raises(GoldError, match=r"first is 'q1', that of the qrels 'x'.*same questions"):
        score_run({"q1": [("d", 1.0)]}, {"x": {"d": 1}})
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Give another file"):
        write_run(ROWS, "fused", tmp_path / "file" / "a.run")
