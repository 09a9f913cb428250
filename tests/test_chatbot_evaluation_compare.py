import numpy as np
import pytest

from chatbot.evaluation.compare import bootstrap_auroc, bootstrap_interval, compare_ratings
from chatbot.evaluation.measures import Rating


def rating(id_, value, *, tags=(), answerable=None, confidence=None, name="nDCG@10"):
    return Rating(id_, tags, 0, answerable, None, None, confidence, {name: value}, {})


def test_no_difference_has_a_point_interval():
    """Where every question differs alike there is nothing to resample."""
    assert bootstrap_interval(np.array([0.25, 0.25, 0.25])) == (0.25, 0.25)


def test_interval_of_a_known_case():
    """100 wins and 300 draws: mean 1/4, standard error √(¼·¾/400) = 0.02165, and ± 1.96 of it."""
    low, high = bootstrap_interval(np.array([1.0] * 100 + [0.0] * 300))
    assert low == pytest.approx(0.25 - 1.96 * 0.02165, abs=0.004)
    assert high == pytest.approx(0.25 + 1.96 * 0.02165, abs=0.004)


def test_drawing_counts_is_drawing_questions():
    """The interval is that of resampling the questions themselves, within the noise of 10,000 resamples."""
    differences = np.random.default_rng(1).normal(0.1, 1.0, 200).round(1)
    drawn = np.random.default_rng(2).choice(differences, size=(10_000, 200)).mean(axis=1)
    assert bootstrap_interval(differences) == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])), abs=0.01)


def test_the_same_runs_give_the_same_interval():
    """The generator is seeded."""
    differences = np.linspace(-1, 1, 37)
    assert bootstrap_interval(differences) == bootstrap_interval(differences)


def test_auroc_interval_of_equal_runs_is_zero():
    """A run against itself differs nowhere."""
    scores, positive = np.array([0.9, 0.1, 0.5, 0.4]), np.array([True, False, True, False])
    assert bootstrap_auroc(scores, scores, positive) == (0.0, 0.0)


def test_auroc_interval_of_opposite_runs():
    """Perfect against reversed: every resample differs by 1."""
    scores, positive = np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, True, False, False])
    assert bootstrap_auroc(scores, -scores, positive) == (1.0, 1.0)


def test_pairs_are_by_question():
    """Questions that only one run has are left out; the order of the runs does not matter."""
    ours = [rating("a", 1.0, tags=("x",)), rating("b", 0.5), rating("only", 0.0)]
    theirs = [rating("b", 0.5), rating("a", 0.0), rating("other", 1.0)]
    found = compare_ratings(ours, theirs)
    row = found["measures"]["nDCG@10"]
    assert (found["questions"], row["ours"], row["theirs"], row["difference"], row["n"]) == (2, 0.75, 0.25, 0.5, 2)
    assert (row["low"], row["high"]) == (0.0, 1.0)
    assert found["by_tag"] == {
        "x": {"nDCG@10": {"ours": 1.0, "theirs": 0.0, "difference": 1.0, "low": 1.0, "high": 1.0, "n": 1}}
    }


def test_a_measure_counts_where_both_runs_have_it():
    """An abstention has no verbatim share, so that question is no pair for it."""
    ours = [rating("a", 1.0, name="verbatim"), rating("b", 1.0, name="verbatim")]
    theirs = [rating("a", 0.0, name="verbatim"), rating("b", 1.0)]
    assert compare_ratings(ours, theirs)["measures"]["verbatim"]["n"] == 1


def test_auroc_is_compared_when_both_classes_are_there():
    """AUROC is a measure of the set, and is resampled as such."""
    ours = [rating("a", 1.0, answerable=True, confidence=0.9), rating("b", 1.0, answerable=False, confidence=0.1)]
    theirs = [rating("a", 1.0, answerable=True, confidence=0.1), rating("b", 1.0, answerable=False, confidence=0.9)]
    assert compare_ratings(ours, theirs)["measures"]["AUROC"] == {
        "ours": 1.0,
        "theirs": 0.0,
        "difference": 1.0,
        "low": 1.0,
        "high": 1.0,
        "n": 2,
    }


def test_nothing_in_common():
    """Two runs over other questions compare to nothing, and to no fault."""
    found = compare_ratings([rating("a", 1.0)], [rating("b", 1.0)])
    assert (found["questions"], found["measures"]) == (0, {})
