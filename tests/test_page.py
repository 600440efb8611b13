import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from ragkit.evaluation.compare import compare_results
from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.report.page import FOLDER, render, render_comparison
from ragkit.evaluation.robustness.perturb import Effect, Robustness
from ragkit.records import DocumentRef, Paragraph
from tests.browser import PROGRAM, Browser
from tests.runs import DOCUMENT, HOSTILE, PARAGRAPH, answer, citation, mixed_rows, result, row, write

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
VOID = {"meta", "input", "col", "br", "img", "link"}
in_browser = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here: apt-get install chromium")


def paragraph_of(document, number):
    text = PARAGRAPH if number == 1 else HOSTILE
    return Paragraph(DocumentRef(DOCUMENT, "sha256:0"), number, 0, len(text), text)


class Elements(HTMLParser):
    """Every element of a page with its attributes and the text right inside it; unclosed ones are an error."""

    def __init__(self, page):
        super().__init__()
        self.found, self._open = [], []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.found.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag):
        assert self._open.pop()["tag"] == tag

    def handle_data(self, data):
        if self._open:
            self._open[-1]["text"] += data

    def all(self, *tags):
        return [element for element in self.found if element["tag"] in tags]


@pytest.fixture(scope="module")
def pages():
    """A page of one run and one of two, with hostile words wherever words come from outside."""
    odd = row("<b>odd</b>", 0.0, answer(HOSTILE, citations=[citation(HOSTILE, start=0, paragraph=2)]), tags=("<i>",))
    after = [*mixed_rows(), odd]
    before = [row("right", 0.0, answer("Carolina [1]")), *mixed_rows()[1:], odd]
    changed = result(before, settings={"top_k": "<u>"})
    now = result(after)
    return {
        "one run": render(now, paragraph_of),
        "two runs": render_comparison(compare_results(changed, now), paragraph_of),
        "one run without documents": render(now),
    }


EACH = pytest.mark.parametrize("name", ["one run", "two runs", "one run without documents"])


@EACH
def test_a_page_holds_all_it_needs_and_reaches_for_nothing(pages, name):
    elements = Elements(pages[name])
    (policy,) = (meta["content"] for meta in elements.all("meta") if "http-equiv" in meta)
    assert policy.startswith(POLICY)
    assert all(element["href"].startswith("#") for element in elements.found if "href" in element)
    assert not any("src" in element for element in elements.found)
    assert not re.search(r"https?://|@import|url\(|fetch\(|innerHTML|\beval\(", pages[name])


@EACH
def test_words_of_documents_stay_words(pages, name):
    elements = Elements(pages[name])
    assert elements.all("img", "b", "i", "u") == []
    data, _script = elements.all("script")
    question = json.loads(data["text"])["questions"][-1]
    assert question["id"] == "<b>odd</b>"
    assert question["runs"][-1]["text"] == HOSTILE


@EACH
def test_a_page_can_be_read_by_a_screen_reader(pages, name):
    elements = Elements(pages[name])
    ids = [element["id"] for element in elements.found if "id" in element]
    assert len(ids) == len(set(ids))
    assert elements.all("html")[0]["lang"] == "en"
    assert [len(elements.all(tag)) for tag in ("header", "nav", "main", "footer", "h1")] == [1] * 5
    levels = [int(element["tag"][1]) for element in elements.all("h1", "h2", "h3", "h4")]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    linked = {element["href"][1:] for element in elements.all("a")}
    assert linked == {section["id"] for section in elements.all("section")}
    assert {label["for"] for label in elements.all("label")} == {e["id"] for e in elements.all("select", "input")}
    assert all(table["scope"] in ("col", "row") for table in elements.all("th"))
    assert len(elements.all("caption")) == len(elements.all("table"))
    assert all(svg.get("role") == "img" or svg.get("aria-hidden") == "true" for svg in elements.all("svg"))
    (count,) = (element for element in elements.found if element.get("aria-live"))
    assert (count["id"], count["role"], count["aria-live"]) == ("count", "status", "polite")


def test_the_page_of_a_run_tells_the_figures_in_plain_words(pages):
    page = pages["one run"].replace("\xa0", " ")
    assert "2 of 6 questions were answered rightly. The others: 2 answered wrongly, 1 refused without need" in page
    assert '<p class="figure">33.3 %</p>' in page  # 2 of 6
    assert "95 % interval: 9.7 to 70.0 %" in page  # Wilson's of 2 in 6
    assert '<tr><th scope="row">the documents answer</th><td>3</td><td>1</td></tr>' in page
    assert "The paragraph was read, but other sentences were chosen as evidence." in page
    assert '<th scope="row">by meaning (dense)</th><td>0.0 %' in page  # recall@1: the gold paragraph came second


def test_what_a_change_of_the_questions_did_is_a_part_of_the_page_where_it_was_measured():
    effect = Effect("typos", 4, {"answers_right": Estimate(-0.25, 4, -0.5, 0.0)}, fell=("a",))
    page = render(result(mixed_rows()), robustness=Robustness("tiny", "sha256:1", 0, (effect,)))
    assert '<tr><th scope="row">typos</th><td>answers_right</td><td>−0.250</td>' in page


def test_parts_that_a_run_has_nothing_for_are_left_out():
    page = render(result([row("long", 1.0, answer())], retrieval={}, by_tag={}, curves=None))
    sections = {section["id"] for section in Elements(page).all("section")}
    assert sections == {"short", "time", "figures", "settings", "questions"}


def test_the_page_of_two_runs_tells_what_changed(pages):
    page = pages["two runs"].replace("\xa0", " ")
    assert "Changed: top_k &quot;&lt;u&gt;&quot; → 5." in page
    assert "6 questions were asked both times. 1 went from wrong to right, 0 from right to wrong." in page
    assert "no difference that 6 questions could show: " in page
    assert '<p class="figure">16.7 % → 33.3 %</p>' in page  # 1 and 2 of 6
    assert "<strong>&lt;u&gt;</strong>" in page


def test_half_a_surrogate_pair_does_not_keep_a_page_from_being_written(tmp_path):
    page = render(result([row("odd", 1.0, answer("\ud800 half"))]))
    assert "? half" in write(tmp_path, page).read_text(encoding="utf-8")


def colours(scheme):
    css = (FOLDER / "page.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    pairs = dict(re.findall(r"--(\w+): (#\w{6})", light))
    return pairs | (dict(re.findall(r"--(\w+): (#\w{6})", dark)) if scheme == "dark" else {})


def contrast(one, other):
    """The contrast of two colours (WCAG 2.2, 1.4.3)."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_edges_stand_out_from_what_lies_behind_them(scheme):
    named = colours(scheme)
    for paper in ("paper", "raised"):
        for words in ("text", "note", "accent", "good", "bad", "care"):
            assert contrast(named[words], named[paper]) >= 4.5, (words, paper)
        assert contrast(named["edge"], named[paper]) >= 3
    assert contrast(named["marked"], named["mark"]) >= 4.5


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def count(browser):
    return browser.run("document.getElementById('count').textContent")


def shown(browser):
    return browser.run("[...document.querySelectorAll('#list .asked')].map((asked) => asked.textContent)")


@in_browser
@EACH
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360], ids=["wide", "narrow"])
def test_a_page_opens_without_a_complaint_and_fits_the_screen(browser, pages, tmp_path, name, dark, width):
    browser.complaints.clear()
    browser.open(write(tmp_path, pages[name]), dark=dark, width=width)
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    browser.run("new Promise((done) => setTimeout(done, 50))")
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    assert count(browser) == "6 of 6 questions"
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    assert browser.run(f"innerWidth == {width}")
    assert browser.run("typeof window.hacked + document.images.length") == "undefined0"
    background = browser.run("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(17, 22, 28)" if dark else "rgb(255, 255, 255)")
    assert browser.complaints == []


@in_browser
def test_a_question_shows_the_cited_paragraph_with_the_quote_marked(browser, pages, tmp_path):
    browser.open(write(tmp_path, pages["one run"]))
    assert browser.run("document.querySelectorAll('#list mark').length") == 0  # nothing is drawn before it is opened
    browser.run("document.querySelector('#list summary').focus()")
    browser.press("Enter")
    browser.run("new Promise((done) => setTimeout(done, 50))")
    browser.run("for (const unseen of document.querySelectorAll('.unseen')) unseen.remove()")
    assert browser.run("document.querySelector('#list mark').textContent") == "Denver won 24 to 10"
    assert browser.run("document.querySelector('#list blockquote').textContent") == PARAGRAPH
    body = browser.run("document.querySelector('#list .body').innerText")
    assert "supported (0.98)" in body
    assert "Rank of the first paragraph that answers: 2 (dense), 1 (reranked)." in body
    assert "known to answer the question" in body


@in_browser
def test_the_questions_are_filtered_by_the_keyboard(browser, pages, tmp_path):
    browser.open(write(tmp_path, pages["one run"]))
    browser.run("document.getElementById('by-kinds').focus()")
    browser.press("ArrowDown")
    assert (count(browser), shown(browser)) == ("2 of 6 questions", ["Who won right?", "Who won sang?"])
    browser.press("ArrowDown")
    assert count(browser) == "4 of 6 questions"  # all that went wrong
    for _ in range(3):
        browser.press("Tab")
    assert browser.run("document.activeElement.id") == "by-words"
    browser.type("lost carolina")
    browser.run("new Promise((done) => setTimeout(done, 200))")
    assert shown(browser) == ["Who won wrong?"]
    browser.press("Tab")
    browser.press("Enter")
    assert browser.run("document.activeElement.id") == "reset"
    assert count(browser) == "6 of 6 questions"


@in_browser
def test_a_bar_of_the_chart_leads_to_the_questions_lost_there(browser, pages, tmp_path):
    browser.open(write(tmp_path, pages["one run"]))
    browser.run("document.querySelector('button[data-value=\"not-chosen\"]').focus()")
    browser.press("Enter")
    assert shown(browser) == ["Who won wrong?"]
    assert browser.run("document.activeElement.id") == "questions-heading"
    names = {node["name"]["value"] for node in browser.call("Accessibility.getFullAXTree")["nodes"] if "name" in node}
    assert {"Show the questions lost here: Not chosen", "Right answers by confidence"} <= names


@in_browser
def test_six_hundred_questions_open_at_once_and_a_link_leads_to_each(browser, tmp_path):
    many = [row(f"q{i}", float(i % 2), answer(), question=f"Question {i}?") for i in range(600)]
    file = write(tmp_path, render(result(many), paragraph_of))
    assert browser.open(file) < 5  # seconds; a tenth of one on an idle machine
    assert count(browser) == "600 of 600 questions"
    assert len(shown(browser)) == 200
    browser.run("location.hash = '#q-q450'")
    browser.run("new Promise((done) => setTimeout(done, 100))")
    opened = "[...document.querySelectorAll('#list details[open] .asked')].map((asked) => asked.textContent)"
    assert browser.run(opened) == ["Question 450?"]
    assert browser.run("document.activeElement.tagName") == "SUMMARY"
    browser.run("document.getElementById('more').click()")
    assert len(shown(browser)) == 600


@in_browser
def test_two_runs_stand_side_by_side_and_changed_questions_are_a_button_away(browser, pages, tmp_path):
    browser.open(write(tmp_path, pages["two runs"]))
    browser.run("document.querySelector('button[data-value=fixed]').click()")
    assert shown(browser) == ["Who won right?"]
    chips = browser.run("[...document.querySelectorAll('#list .chip')].map((chip) => chip.textContent)")
    assert chips == ["Wrong", "Right"]
    browser.run("document.querySelector('#list details').open = true")
    browser.run("new Promise((done) => setTimeout(done, 50))")
    names = browser.run("[...document.querySelectorAll('#list .pair h3')].map((name) => name.textContent)")
    assert names == ["Before: wrong", "Cited", "After: right", "Cited"]
