import math

import numpy as np
import pytest

from ragkit.confidence import estimate_confidence, least_confidence, measure_features
from ragkit.errors import SettingsError
from ragkit.evidence import Candidate
from ragkit.records import DocumentRef, Paragraph

TEXT = "Anna Voss opened the bridge on 14 June 1998."
PARAGRAPH = Paragraph(DocumentRef("a.txt", "sha256:0"), 1, 0, len(TEXT), TEXT)


def candidate(log_odds: float) -> Candidate:
    values = np.array([0.8, 0.4, 0.6], dtype=np.float32)
    return Candidate(PARAGRAPH, 0, len(TEXT), TEXT, values, values, values, 1.0, None, log_odds=log_odds)


def test_what_the_paragraph_of_the_first_sentence_says_counts_together():
    features = measure_features([candidate(1.5), candidate(1.5)])
    assert features["paragraph_log_odds"] == pytest.approx(1.5 + math.log(2))


def test_a_sentence_that_the_reader_thinks_likelier_raises_the_confidence():
    rising = [estimate_confidence(measure_features([candidate(log_odds)])) for log_odds in (-5, 0, 5)]
    assert rising == sorted(set(rising))


@pytest.mark.parametrize("log_odds", [-1e6, 0.0, 1e6])
def test_confidence_is_a_probability(log_odds):
    assert 0.0 <= estimate_confidence(measure_features([candidate(log_odds)])) <= 1.0


def test_fewer_wrong_answers_need_more_confidence():
    least = [least_confidence(share) for share in (0.9, 0.2, 0.1)]
    assert least == sorted(least)
    assert least[0] == 0.0
    assert all(value <= 1 for value in least)


def test_a_share_of_wrong_answers_that_was_never_reached_is_an_error_that_names_one_that_was():
    with pytest.raises(SettingsError, match=r"--max-wrong 0\.\d+ or more"):
        least_confidence(0.0001)
