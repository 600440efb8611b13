import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragkit.readers.front_matter import MAX_CHARS, MAX_FACTS, MAX_VALUE_CHARS, facts_of, front_matter_facts, iso_date


def told(text):
    return [(fact.name, fact.value) for fact in front_matter_facts(text)]


def yaml(*lines):
    return "\n".join(["---", *lines, "---", "", "# Text"])


def test_names_that_mean_the_same_are_one():
    text = yaml(
        'title: "Talks: the end"',
        "by: Ann Lee",
        "created: 1 June 2026",
        "tags: [peace, talks]",
        "keywords: geneva, march",
        "lang: en",
    )

    assert told(text) == [
        ("title", "Talks: the end"),
        ("author", "Ann Lee"),
        ("date", "2026-06-01"),
        *[("tag", tag) for tag in ("peace", "talks", "geneva", "march")],
        ("language", "en"),
    ]


def test_other_scalars_keep_their_names_in_lower_case():
    text = yaml("Draft: no", "weight: 010", "aliases: [a, b]", "nested: {a: 1}", "nothing:", "list: [[1], {a: b}]")

    assert told(text) == [("draft", "no"), ("weight", "010"), ("aliases", "a"), ("aliases", "b")]


def test_authors_may_be_a_list_or_have_an_address():
    text = yaml("authors:", "  - Ann Lee", "  - name: Bob Ray", "    email: bob@example.org")

    assert told(text) == [("author", "Ann Lee"), ("author", "Bob Ray")]


def test_the_date_itself_counts_more_than_when_the_file_was_created():
    text = yaml("created: 2020-01-02", "date: 2026-06-01T10:00:00+02:00", "updated: June 3, 2026")

    assert told(text) == [("created", "2020-01-02"), ("date", "2026-06-01"), ("updated", "2026-06-03")]


def test_toml_is_read_as_well():
    text = (
        '+++\ntitle = "Talks"\ndate = 2026-06-01T10:00:00Z\ntags = ["a", "b"]\ndraft = true\n[params]\nx = 1\n+++\nText'
    )

    assert told(text) == [("title", "Talks"), ("date", "2026-06-01"), ("tag", "a"), ("tag", "b"), ("draft", "true")]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-6-1", "2026-06-01"),
        ("2026/06/01", "2026-06-01"),
        ("20260601", "2026-06-01"),
        ("2026-06-01 10:00", "2026-06-01"),
        ("01.06.2026", "2026-06-01"),
        ("1st June 2026", "2026-06-01"),
        ("Mon, 01 Jun 2026 10:00:00 +0200", "2026-06-01"),
        ("Sept. 3, 2026", "2026-09-03"),
        ("25/06/2026", "2026-06-25"),
        ("06/25/2026", "2026-06-25"),
        ("06/06/2026", "2026-06-06"),
        ("01/06/2026", "01/06/2026"),
        ("2026-13-01", "2026-13-01"),
        ("June 2026", "June 2026"),
        ("last year", "last year"),
    ],
)
def test_a_date_is_normalised_if_it_can_mean_only_one_day(written, expected):
    assert iso_date(written) == expected


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("title: a: b", id="broken"),
        pytest.param("title: {", id="open"),
        pytest.param("- title: a", id="list"),
        pytest.param("title: &a x\nother: *a", id="alias"),
        pytest.param("title: " + "[" * 5000, id="deep"),
        pytest.param('title: "\\UFFFFFFFF"', id="no-character"),
        pytest.param("? [a]\n: b", id="key-that-is-a-list"),
        pytest.param("title: x\n" * (MAX_CHARS // 9 + 1), id="long"),
    ],
)
def test_broken_or_hostile_front_matter_gives_no_facts(block):
    assert front_matter_facts(f"---\n{block}\n---\n\nText.") == ()


@pytest.mark.parametrize("block", ["a = 1\na = 2", "a = " + "[" * 8000, "a = " + "9" * 9000, "a"])
def test_broken_toml_gives_no_facts(block):
    assert front_matter_facts(f"+++\n{block}\n+++\n") == ()


def test_nothing_is_made_of_what_yaml_calls_an_object():
    assert told(yaml("a: !!python/object/apply:os.getcwd []", "b: !!int x")) == [("b", "x")]


def test_a_rule_in_the_text_is_no_front_matter():
    assert front_matter_facts("Text\n---\ntitle: x\n---\n") == ()
    assert front_matter_facts("---\n\nText: a\n---\n") == ()


def test_there_are_not_too_many_facts_and_they_are_not_too_long():
    many = yaml(*[f"k{number}: v" for number in range(100)])
    long = yaml("k: " + "x" * 2000)

    assert len(front_matter_facts(many)) == MAX_FACTS
    assert [len(fact.value) for fact in front_matter_facts(long)] == [MAX_VALUE_CHARS]


def test_values_hold_no_control_characters():
    assert told(yaml('title: "a\\0b\\nc\\u00add\\ud800"')) == [("title", "a b cd")]


def test_fields_may_come_from_elsewhere():
    assert [fact.value for fact in facts_of({"Authors": ["Ann", "Ann", "Bob"]})] == ["Ann", "Bob"]
    assert facts_of({1: "x", "": "y", "a": object()}) == ()


@given(st.text(alphabet="a:-[]{}&*!|>'\"\\\n #,%?0\t", max_size=200))
def test_no_text_makes_it_fail(block):
    for fence in ("---", "+++"):
        for fact in front_matter_facts(f"{fence}\n{block}\n{fence}\n"):
            assert fact.name == fact.name.lower().strip()
            assert fact.value.strip()
