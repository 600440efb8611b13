import json

from ragkit.evaluation.report.markup import Html, join, json_text, table, tag


def test_texts_are_escaped_and_elements_are_not():
    inner = tag("b", "1 < 2 & 3")
    assert tag("p", "<i>", inner) == "<p>&lt;i&gt;<b>1 &lt; 2 &amp; 3</b></p>"
    assert join(["<", inner], " ") == "&lt; <b>1 &lt; 2 &amp; 3</b>"


def test_attributes_are_escaped_renamed_and_left_out_where_there_is_none():
    made = tag("svg", aria_label='say "x" <y>', class_="small", x=1.23456, y=2.0, id=None)
    assert made == '<svg aria-label="say &quot;x&quot; &lt;y&gt;" class="small" x="1.23" y="2"></svg>'
    assert tag("input", type="search") == '<input type="search">'


def test_a_table_has_a_caption_and_names_its_columns_and_rows():
    made = table("Kinds", ("kind", "n"), [("<list>", "3")])
    assert '<caption>Kinds</caption><thead><tr><th scope="col">kind</th><th scope="col">n</th></tr></thead>' in made
    assert '<tr><th scope="row">&lt;list&gt;</th><td>3</td></tr>' in made


def test_json_inside_a_script_cannot_end_it():
    value = {"text": "</script><!-- & \u2028 ü"}
    text = json_text(value)
    assert isinstance(text, Html)
    assert not set("<>&") & set(text)
    assert json.loads(text) == value
