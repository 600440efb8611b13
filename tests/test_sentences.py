import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ragkit.sentences import MAX_SENTENCE_CHARS, split_sentences


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param(["He came.", "She left!", "Did he?", "i went home.", "then i slept"], id="plain"),
        pytest.param(["Curly “quotes” — and 😀 come.", "Then é."], id="code-points"),
        pytest.param(["“Only direct engagement!” Zelenskyy said [1].", "He left."], id="quotation-with-attribution"),
        pytest.param(['"Why?" the old man asked.', '"No idea."', "He left."], id="quotation-then-a-sentence"),
        pytest.param(["“The war is over.” Grant said [1].", "He left."], id="stopped-quotation-with-attribution"),
        pytest.param(['Life is "infinitely better."', 'He said that "it ended" [2].'], id="stopped-quotation"),
        pytest.param(["「はい。」と言った。", "明日は雨。"], id="japanese-quotation"),
        pytest.param(["It ended the war. [1]", "Next [2].", "Then it came.[3][4]", "So. [5], [6]", "End."], id="marks"),
        pytest.param(["A fact.[citation needed]", "Next."], id="named-mark"),
        pytest.param(["Mr. Smith met Dr. Jones.", "They left at 5 p.m. on Jan. 5.", "No. 5 won."], id="abbreviations"),
        pytest.param(["The U.S. is e.g. big, i.e. wide.", "See Vol. 3 and Fig. 2.", "It took approx. Ten."], id="more"),
        pytest.param(["On Fri. June 3 they met Gen. Grant at St. Mary.", "He stayed."], id="titles-and-days"),
        pytest.param(["J. R. Smith and John F. Kennedy came.", "It cost $3.5 million."], id="initials-and-decimals"),
        pytest.param(["He left.", "(It was late.)", "She stayed (she was ill).", "(Mr.) Smith came."], id="brackets"),
        pytest.param(["Grant ' s army .", "It went 3 . 5 miles .", 'Then " Yes . " he said .'], id="spaced-out"),
        pytest.param(["A hard\nwrapped line\nends here.", "And\nends."], id="single-newlines"),
        pytest.param(["1. First thing.", "2. Second thing."], id="enumerated"),
        pytest.param(["It’s over.", "‘Go!’ he said.", "Wait ... what?"], id="apostrophes-and-dots"),
        pytest.param(["| a. b | c |", "| d | e |"], id="table-rows"),
    ],
)
def test_sentences_end_where_a_reader_says(expected):
    separator = "\n" if expected[0].startswith(("1.", "|")) else "" if expected[0].startswith("「") else " "
    assert sentences(separator.join(expected)) == expected


def test_a_long_speech_is_split_inside_its_quotation_marks():
    speech = ["“It was a long war and it went on for many years."] + ["Nobody knew how it would end."] * 10
    assert sentences(" ".join(speech) + "” He sat down.") == [*speech[:-1], speech[-1] + "”", "He sat down."]


def test_blank_lines_end_sentences_and_reference_entries_begin_them():
    assert sentences("A title\n\nThe text") == ["A title", "The text"]
    assert sentences("Smith, 2010.\n[2] Jones, 2011.") == ["Smith, 2010.", "[2] Jones, 2011."]


def test_a_very_long_sentence_is_cut_at_a_clause_or_a_space():
    clauses = sentences("this goes on and on; " * 200)
    words = sentences("word " * 1_000)

    assert all(clause.endswith("on;") for clause in clauses)
    assert all(set(stretch.split()) == {"word"} for stretch in words)
    assert [len(stretch) for stretch in sentences("x" * 2_500)] == [1_000, 1_000, 500]


@pytest.mark.parametrize("unit", ["«", '("“', "é. “", "\n", "[1] ", "x", "A b. ", "| a |\n"])
def test_long_input_takes_linear_time(unit):
    def seconds(length: int) -> float:
        started = time.process_time()
        split_sentences(unit * (length // len(unit)))
        return time.process_time() - started

    assert seconds(200_000) < 20 * seconds(20_000) + 0.2  # quadratic would be 100 times


PIECES = st.lists(
    st.sampled_from(
        ["Mr. ", "“", "”", '"', "(", ")", ". ", "! ", "? ", "\n", "\n\n", " ", "[1]", "。", "said ", "He ", "3"]
    )
    | st.text(max_size=20)
    | st.sampled_from(["x" * 700, "a b, " * 150, "1. ", "| a |\n", "「", "」", "と", "’", "…", " . "]),
    max_size=30,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(PIECES)
@example("")
@example(" \n ")
def test_spans_are_ordered_trimmed_bounded_and_hold_everything_visible(text):
    position = 0
    for start, end in split_sentences(text):
        assert not text[position:start].strip()
        assert position <= start < end <= start + MAX_SENTENCE_CHARS
        assert text[start:end] == text[start:end].strip()
        position = end
    assert not text[position:].strip()


def test_characters_that_take_several_bytes_are_as_good_as_spaces():
    text = "Who?\x85 He said so.\u2028Then\u00a0he left."
    assert " ".join(sentences(text)).split() == text.split()
