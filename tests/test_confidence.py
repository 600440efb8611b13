import math

import numpy as np
import pytest

from ragkit.confidence import estimate_confidence, measure_features
from ragkit.evidence import Candidate
from ragkit.records import DocumentRef, Paragraph

TEXT = "Anna Voss opened the bridge on 14 June 1998."
PARAGRAPH = Paragraph(DocumentRef("a.txt", "sha256:0"), 1, 0, len(TEXT), TEXT)


def candidate(text: str = TEXT) -> Candidate:
    values = np.array([0.8, 0.4, 0.6], dtype=np.float32)
    weights = np.array([0.5, 0.4, 0.1], dtype=np.float32)
    return Candidate(PARAGRAPH, 0, len(text), text, values, values, weights, 1.0, None)


def test_features_are_read_off_the_best_sentence():
    features = measure_features("When was the bridge opened?", candidate(), 1.5)
    assert features["paragraph"] == pytest.approx((0.8 + 0.4 + 0.6) / 3)
    assert features["weakest_term"] == pytest.approx(0.4)  # 0.6 has a weight of 0.1, below a third of 0.5
    assert features["covered_nearby"] == 1.0  # bridge and opened
    assert features["gain"] == 1.5
    assert features["lacks_date"] == 0.0


def test_a_date_that_is_asked_for_and_missing_lowers_the_confidence():
    with_date = measure_features("When was the bridge opened?", candidate(), 1.0)
    without = measure_features("When was the bridge opened?", candidate("Anna Voss opened the bridge."), 1.0)
    assert without["lacks_date"] == 1.0
    assert estimate_confidence(without) < estimate_confidence(with_date)


def test_a_name_of_the_question_that_the_paragraph_does_not_hold_is_counted():
    assert measure_features("Did Keller open the bridge?", candidate(), None)["missing_names"] == 1.0


@pytest.mark.parametrize("gain", [None, -3.0, 0.0, 3.0], ids=["cannot tell", "less", "same", "more"])
def test_confidence_is_a_probability_with_or_without_a_likelihood(gain):
    confidence = estimate_confidence(measure_features("Who opened the bridge?", candidate(), gain))
    assert 0.0 < confidence < 1.0
    assert not math.isnan(confidence)
