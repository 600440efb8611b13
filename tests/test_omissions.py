import pytest

from ragkit.omissions import left_out


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        pytest.param("Bob won the prize.", "Anna, the sister of Bob, won the prize.", id="apposition"),
        pytest.param("The king died in May.", "The king's brother died in May.", id="possessor"),
        pytest.param("The king died in May.", "The brother of the king died in May.", id="of-the-possessor"),
        pytest.param("The power lay with the boy.", "The power lay with the boy's mother.", id="possessor-at-the-end"),
        pytest.param("The bridge is unsafe.", "Critics say that the bridge is unsafe.", id="who-says-so"),
        pytest.param("The bridge is unsafe.", "According to Berg, the bridge is unsafe.", id="according-to"),
        pytest.param("The bridge is unsafe.", "The bridge is unsafe, the union says.", id="who-says-so-at-the-end"),
        pytest.param("All of them were new.", "All of them except the aft one were new.", id="exception"),
        pytest.param("The houses burned.", "Half of the houses burned.", id="share"),
        pytest.param("Police arrested the men.", "Police arrested one of the men.", id="one-of"),
        pytest.param("A fee is charged.", "Unless the rent is paid, a fee is charged.", id="condition"),
        pytest.param("The museum opens daily.", "The museum opens daily except on Monday.", id="exception-at-the-end"),
        pytest.param("They came from Oslo.", "They mainly came from Oslo.", id="mainly"),
        pytest.param("Peace has to begin now.", "Peace, as the letter presents it, has to begin now.", id="as-it-says"),
        pytest.param("The letter came was denied.", "That the letter came was denied.", id="that"),
        pytest.param("Many pupils left.", "In much of the south, many pupils left, while others stayed.", id="where"),
        pytest.param("Pupils stayed.", "In parts of the south, many left, while pupils stayed.", id="where-of-both"),
        pytest.param("It is mainly about Ann.", "It is mainly about Ann and her sister.", id="half-of-them"),
        pytest.param("He was born in Rome.", "Although he was born in Rome, he left it.", id="conceded"),
        pytest.param("It is felt abroad.", "It is felt abroad such that it changes them.", id="such-that"),
        pytest.param("It is more about work.", "It is more about work than about play.", id="than"),
        pytest.param("It not only helped us.", "It not only helped us, but also paid.", id="not-only"),
        pytest.param("They called the law.", "They called the law to be a mistake.", id="to-be"),
        pytest.param("It is free for children.", "It is free for children, or with a card.", id="alternative"),
        pytest.param("She had to pay.", "She had refused to pay.", id="turned"),
        pytest.param("He is rich.", "He is by no means rich.", id="negation"),
        pytest.param("It opened in 1998.", "It opened in the years before 1998.", id="before"),
        pytest.param("Roe awarded the Quill.", "Roe was awarded the Quill.", id="voice"),
        pytest.param("Lund defeated Marle.", "Lund was defeated by Marle.", id="agent"),
        pytest.param("It is the field vole.", "It is smaller than the field vole.", id="comparison"),
        pytest.param(
            "Critics disliked the last one.", "Critics who disliked the first praised the last one.", id="who"
        ),
        pytest.param("Ysolt conquered Belmere.", "Ysolt was two before her father conquered Belmere.", id="subject"),
        pytest.param(
            "The plane had come from Riga at two.", "The plane, which had come from Riga, left at two.", id="clauses"
        ),
    ],
)
def test_words_without_which_the_rest_says_something_else(sentence, source):
    assert left_out(sentence, source)


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        pytest.param("Anna won the prize.", "Anna, the sister of Bob, won the prize.", id="aside"),
        pytest.param("Putin suggested Istanbul.", "In 2022, Putin suggested Istanbul as the place.", id="adjuncts"),
        pytest.param("Kyiv waited.", "Putin suggested Istanbul, but Kyiv waited.", id="second-statement"),
        pytest.param("Putin suggested Istanbul.", "Putin suggested Istanbul, but Kyiv waited.", id="first-statement"),
        pytest.param("Dagny Holt died in Bergen.", "The photographer Dagny Holt died in Bergen in May.", id="title"),
        pytest.param("The jury praised it.", "The jury, which had met twice, praised it.", id="relative-clause"),
        pytest.param("The monks left.", "The monks refused to pay and left.", id="another-verb"),
        pytest.param("It reached Veralta.", "It reached the port of Veralta.", id="the-same-thing"),
        pytest.param(
            "At least 40 cellars flooded.", "No one was hurt, but at least 40 cellars flooded.", id="contrast"
        ),
    ],
)
def test_words_that_may_go(sentence, source):
    assert left_out(sentence, source) == ()


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        pytest.param("He is from Ulm.", "While he was born in Rome, he is from Ulm.", id="concession"),
        pytest.param("There are many pairs.", "There are many pairs that differ by two.", id="which-ones"),
        pytest.param("They seek one bargain.", "They seek one bargain for everyone.", id="for-whom"),
        pytest.param("Bring a passport.", "Bring a passport, a card or a letter.", id="one-of-the-list"),
        pytest.param("The suburbs left it poor.", "The suburbs and the war left it poor.", id="one-of-two"),
    ],
)
def test_what_may_change_nothing_is_objected_to_only_where_asked_for(sentence, source):
    assert left_out(sentence, source) == ()
    assert left_out(sentence, source, strict=True)


@pytest.mark.parametrize("sentence", ["Anna received the prize.", "The prize won Anna.", ""])
def test_what_is_no_omission_is_not_judged(sentence):
    assert left_out(sentence, "Anna won the prize.") is None
