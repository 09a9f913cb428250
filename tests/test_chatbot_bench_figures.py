"""The arithmetic of benchmarks: percentiles, spreads, ratios run by run, and what counts as a regression."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.bench.figures import MEASURES, by_measure, compare, percentile, ratios, spread


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [([5.0], 95, 5.0), ([1.0, 2.0, 3.0, 4.0], 50, 2.5), ([3.0, 1.0, 2.0], 0, 1.0), ([1.0, 2.0, 3.0], 95, 2.9)],
)
def test_percentiles_by_hand(values, percent, found):
    """Between two values a percentile lies by its distance."""
    assert percentile(values, percent) == found


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30), st.floats(0, 100))
def test_percentile_lies_within_the_values(values, percent):
    """No percentile lies outside of what was measured."""
    assert min(values) - 1e-6 <= percentile(values, percent) <= max(values) + 1e-6


def test_spread_names_median_and_ends():
    """The spread of runs is their median, smallest and largest."""
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "low": 1.0, "high": 3.0}
    assert by_measure([{"index_seconds": 4.0}, {"index_seconds": 2.0, "nDCG@10": 0.9}]) == {
        "index_seconds": {"median": 3.0, "low": 2.0, "high": 4.0},
        "nDCG@10": {"median": 0.9, "low": 0.9, "high": 0.9},
    }


def test_ratios_are_taken_run_by_run_and_point_our_way():
    """Twice as many a second and half the seconds both are 2 times better; runs are paired as they were taken."""
    ours = [{"passages_per_second": 40.0, "index_seconds": 10.0}, {"passages_per_second": 30.0, "index_seconds": 40.0}]
    theirs = [
        {"passages_per_second": 20.0, "index_seconds": 20.0},
        {"passages_per_second": 10.0, "index_seconds": 40.0},
    ]
    assert ratios(ours, theirs) == {
        "passages_per_second": {"median": 2.5, "low": 2.0, "high": 3.0},
        "index_seconds": {"median": 1.5, "low": 1.0, "high": 2.0},
    }


def test_measure_that_one_side_lacks_has_no_ratio():
    """Nothing is divided by what was not measured, nor by nothing."""
    assert ratios([{"nDCG@10": 0.9, "index_mib": 1.0}], [{"index_mib": 0.0}]) == {}


def run_of(**figures):
    """Return what `metrics.json` holds of one side, each figure as (median, low, high)."""
    names = {"search": "search_p50_ms", "speed": "passages_per_second", "quality": "nDCG@10"}
    rows = {names[name]: dict(zip(("median", "low", "high"), row, strict=True)) for name, row in figures.items()}
    return {"sides": {"followup": rows}, "ratios": {}}


@pytest.mark.parametrize(
    ("old", "new", "regression"),
    [
        ({"search": (10, 9, 11)}, {"search": (13, 12, 14)}, True),
        ({"search": (10, 9, 11)}, {"search": (7, 6, 8)}, False),
        # The runs overlap: the machine may have done that.
        ({"search": (10, 9, 13)}, {"search": (13, 12, 14)}, False),
        # Apart, but by less than a tenth.
        ({"search": (10, 9.9, 10.1)}, {"search": (10.8, 10.7, 10.9)}, False),
        ({"speed": (50, 49, 51)}, {"speed": (40, 39, 41)}, True),
        ({"speed": (50, 49, 51)}, {"speed": (60, 59, 61)}, False),
        ({"quality": (0.98, 0.98, 0.98)}, {"quality": (0.974, 0.974, 0.974)}, True),
        ({"quality": (0.98, 0.98, 0.98)}, {"quality": (0.976, 0.976, 0.976)}, False),
    ],
)
def test_regressions(old, new, regression):
    """Worse by more than a tenth, the runs apart; or nDCG lower by more than .005."""
    (row,) = compare(run_of(**old), run_of(**new))
    assert row["regression"] is regression


def test_ratios_to_the_other_side_are_compared_too():
    """What a slower machine hides, the ratio to the other side shows; the worst change stands first."""
    spreads = {"median": 5.0, "low": 4.9, "high": 5.1}, {"median": 2.0, "low": 1.9, "high": 2.1}
    old = {**run_of(search=(10, 9, 11)), "ratios": {"plain": {"search_p50_ms": spreads[0]}}}
    new = {**run_of(search=(10, 9, 11)), "ratios": {"plain": {"search_p50_ms": spreads[1]}}}
    first, second = compare(old, new)
    assert (first["side"], first["regression"], first["times_better"]) == ("against plain", True, 0.4)
    assert (second["side"], second["regression"], second["times_better"]) == ("followup", False, 1.0)


def test_measures_are_defined_once():
    """Every measure has a name and a title of its own, and words that say how it is taken."""
    assert len({m.name for m in MEASURES}) == len({m.title for m in MEASURES}) == len(MEASURES)
    assert all(measure.words for measure in MEASURES)
