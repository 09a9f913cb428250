import numpy as np
import pytest

from chatbot.evaluation.measures import Rating
from chatbot.evaluation.summary import (
    auroc,
    average_precision,
    means,
    risk_coverage,
    summarise,
    summarise_latency,
    summarise_written_out,
)


def rating(id_, values=None, *, tags=(), depth=0, answerable=None, answered=None, confidence=None, timings_ms=None):
    return Rating(id_, tags, depth, answerable, None, answered, confidence, values or {}, timings_ms or {})


def test_means_count_only_what_applies():
    """A measure's mean is over the ratings that have it; one that none has is left out."""
    rows = [rating("a", {"x": 1.0, "y": 0.5}), rating("b", {"x": 0.0})]
    assert means(rows, ("x", "y", "z")) == {"x": 0.5, "y": 0.5, "n": {"x": 2, "y": 1}}
    assert means(rows, ("z",)) == {}


def test_auroc_by_hand():
    """Of the four pairs (.9,.8) (.9,.6) (.7,.8) (.7,.6) three are in order."""
    scores, positive = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])
    assert auroc(scores, positive) == 0.75


def test_auroc_counts_ties_half():
    """A pair with equal scores is half in order: (.5,.5) and (.9,.5) give (½ + 1) / 2."""
    assert auroc(np.array([0.5, 0.9, 0.5]), np.array([True, True, False])) == 0.75


def test_average_precision_by_hand():
    """Positives on ranks 1 and 3: (1/1 + 2/3) / 2."""
    scores, positive = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])
    assert average_precision(scores, positive) == pytest.approx((1 + 2 / 3) / 2)


def test_average_precision_takes_ties_together():
    """One positive tied with one negative, then nothing: precision one half, whatever their order."""
    assert average_precision(np.array([0.5, 0.5]), np.array([True, False])) == 0.5
    assert average_precision(np.array([0.5, 0.5]), np.array([False, True])) == 0.5


def test_risk_coverage_by_hand():
    """Wrong on ranks 2 and 4: risks 0, 1/2, 1/3, 1/2, and their mean is the area."""
    scores, positive = np.array([0.6, 0.8, 0.7, 0.9]), np.array([False, False, True, True])
    curve, area = risk_coverage(scores, positive, ~positive)
    assert [point["coverage"] for point in curve] == [0.25, 0.5, 0.75, 1.0]
    assert [point["risk"] for point in curve] == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2], abs=1e-6)
    assert [point["threshold"] for point in curve] == [0.9, 0.8, 0.7, 0.6]
    assert [point["answered_answerable"] for point in curve] == [0.5, 0.5, 1.0, 1.0]
    assert [point["answered_unanswerable"] for point in curve] == [0.0, 0.5, 0.5, 1.0]
    assert area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_risk_coverage_takes_ties_together():
    """Questions that share a confidence can only be answered together."""
    curve, area = risk_coverage(np.array([0.5, 0.5]), np.array([True, False]), np.array([False, True]))
    assert [(point["coverage"], point["risk"]) for point in curve] == [(1.0, 0.5)]
    assert area == 0.5


def test_a_long_curve_is_thinned():
    """A thousand thresholds leave 101 points, with both ends."""
    curve, _ = risk_coverage(np.linspace(0, 1, 1000), np.ones(1000, bool), np.zeros(1000, bool))
    assert (len(curve), curve[0]["threshold"], curve[-1]["threshold"]) == (101, 1.0, 0.0)


def test_wrong_is_unanswerable_or_the_wrong_first_document():
    """An answerable question whose first document is not relevant is a risk as well."""
    rows = [
        rating("a", {"P@1": 1.0}, answerable=True, answered=True, confidence=0.9),
        rating("b", {"P@1": 0.0}, answerable=True, answered=True, confidence=0.8),
        rating("c", answerable=False, answered=False, confidence=0.1),
        rating("d", answerable=None, answered=True, confidence=0.1),
    ]
    found = summarise(rows)["abstention"]
    assert (found["answerable"], found["unanswerable"], found["AUROC"], found["AP"]) == (2, 1, 1.0, 1.0)
    assert found["at_default_threshold"] == {"coverage": pytest.approx(2 / 3, abs=1e-6), "risk": 0.5}


def test_one_class_alone_has_no_auroc():
    """With answerable questions only there is a curve and no area under an ROC curve."""
    found = summarise([rating("a", answerable=True, confidence=0.9)])["abstention"]
    assert "AUROC" not in found
    assert len(found["risk_coverage"]) == 1


def test_by_tag_by_depth_and_follow_ups():
    """Groups count their questions; the ratio of follow-ups to first questions is that of their means."""
    rows = [
        rating("a", {"nDCG@10": 1.0, "rewritten": 0.0}, tags=("first",)),
        rating("b", {"nDCG@10": 0.6, "rewritten": 1.0}, tags=("later", "dose"), depth=1),
        rating("c", {"nDCG@10": 0.4, "rewritten": 1.0}, tags=("later",), depth=2),
    ]
    found = summarise(rows)
    assert found["by_tag"]["later"] == {"questions": 2, "nDCG@10": 0.5, "n": {"nDCG@10": 2}}
    assert list(found["by_tag"]) == ["dose", "first", "later"]
    assert {depth: row["nDCG@10"] for depth, row in found["by_depth"].items()} == {"0": 1.0, "1": 0.6, "2": 0.4}
    assert found["follow_up"]["later_to_first"] == {"nDCG@10": 0.5}
    assert (found["follow_up"]["first"]["rewritten"], found["follow_up"]["later"]["rewritten"]) == (0.0, 1.0)


def test_written_out_ratio():
    """As asked 0.5 and 1.0, written out 1.0 and 1.0: the ratio of the means is 0.75."""
    names = ("nDCG@10", "nDCG@5", "RR@10", "P@1", "R@5", "R@10", "R@100")
    rows = [
        rating("a", dict.fromkeys(names, 0.5), tags=("shift",), depth=1),
        rating("b", dict.fromkeys(names, 1.0), depth=2),
        rating("c", dict.fromkeys(names, 0.0)),
    ]
    found = summarise_written_out(rows, {"a": dict.fromkeys(names, 1.0), "b": dict.fromkeys(names, 1.0)})
    assert found["overall"]["nDCG@10"] == {"asked": 0.75, "written_out": 1.0, "ratio": 0.75}
    assert (found["overall"]["n"], found["by_tag"]["shift"]["RR@10"]["ratio"]) == (2, 0.5)
    assert list(found["by_depth"]) == ["1", "2"]


def test_written_out_that_finds_nothing_has_no_ratio():
    """Nothing is divided by zero."""
    names = ("nDCG@10", "nDCG@5", "RR@10", "P@1", "R@5", "R@10", "R@100")
    found = summarise_written_out([rating("a", dict.fromkeys(names, 0.5))], {"a": dict.fromkeys(names, 0.0)})
    assert found["overall"]["nDCG@10"]["ratio"] is None


def test_latency_percentiles():
    """Of 0, 10, …, 100 ms the median is 50 and the 95th percentile 95, by linear interpolation."""
    rows = [rating(str(number), timings_ms={"total": number * 10.0}) for number in range(11)]
    assert summarise_latency(rows) == {"total": {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0, "mean": 50.0}}


def test_nothing_to_measure():
    """A run of questions without anything known about their answers is summed up without a fault."""
    found = summarise([rating("a")])
    assert (found["retrieval"], found["abstention"], found["latency_ms"]) == ({}, {}, {})
