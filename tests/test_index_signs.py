"""The signs of vectors: by hand, against the exact scan, and under filters."""

import numpy as np
import pytest

import index.signs
from index.signs import SignVectors, write_signs


def test_signs_by_hand(tmp_path):
    """The row whose signs differ least comes first into the candidates; 0 counts as negative."""
    rows = np.array([[1, 1, 1], [1, -1, -1], [-1, -1, 0]], np.float32)
    write_signs(tmp_path / "s.npy", rows)
    signs = SignVectors(tmp_path / "s.npy", 3, 3)
    assert signs.nearest(rows[0], 1).tolist() == [0]
    assert signs.nearest(rows[0], 2).tolist() == [0, 1]
    # (-1, 1, 1) differs from row 0 in one sign, from row 2 in two, from row 1 in three.
    assert signs.nearest(np.array([-1, 1, 1], np.float32), 2).tolist() == [0, 2]


def test_ties_are_handed_on_whole(tmp_path):
    """Of rows that differ in as many signs none is left out, however few are asked for."""
    write_signs(tmp_path / "s.npy", np.ones((5, 4), np.float32))
    assert SignVectors(tmp_path / "s.npy", 5, 4).nearest(np.ones(4, np.float32), 2).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("dimension", [32, 64, 100, 384])
def test_candidates_hold_the_nearest(tmp_path, dimension):
    """Candidates are the rows whose signs differ least, and the nearest vector is among them."""
    noise = np.random.default_rng(7)
    rows = noise.standard_normal((40_000, dimension)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    write_signs(tmp_path / "s.npy", rows)
    signs = SignVectors(tmp_path / "s.npy", *rows.shape)
    for place in range(20):
        query = rows[place] + noise.standard_normal(dimension).astype(np.float32) * np.float32(0.5 / dimension**0.5)
        differing = ((rows > 0) != (query > 0)).sum(axis=1)
        found = signs.nearest(query, 600)
        furthest = np.sort(differing)[599]
        assert found.tolist() == np.flatnonzero(differing <= furthest).tolist()
        assert int(np.argmax(rows @ query)) in set(found.tolist())


def test_many_rows_are_shared_between_cores(tmp_path, monkeypatch):
    """Parts that are counted side by side give what one part gives."""
    noise = np.random.default_rng(9)
    rows = noise.standard_normal((300_000, 70)).astype(np.float32)
    write_signs(tmp_path / "s.npy", rows)
    signs = SignVectors(tmp_path / "s.npy", 300_000, 70)
    monkeypatch.setattr(index.signs, "available_cores", lambda: 3)
    monkeypatch.setattr(index.signs, "_MIN_PART", index.signs._BLOCK)
    differing = ((rows > 0) != (rows[7] > 0)).sum(axis=1)
    for depth in (1, 50, 5_000):
        furthest = np.sort(differing)[depth - 1]
        assert signs.nearest(rows[7], depth).tolist() == np.flatnonzero(differing <= furthest).tolist()
    signs.close()


def test_filter_is_kept(tmp_path):
    """Only allowed rows are candidates: the nearest of many, all of few, none of none."""
    noise = np.random.default_rng(8)
    rows = noise.standard_normal((1_000, 64)).astype(np.float32)
    write_signs(tmp_path / "s.npy", rows)
    signs = SignVectors(tmp_path / "s.npy", 1_000, 64)
    allowed = np.arange(1_000) % 2 == 0
    found = signs.nearest(rows[4], 100, allowed)
    assert 4 in found and len(found) >= 100 and not any(found % 2)
    few = np.isin(np.arange(1_000), [3, 5])
    assert signs.nearest(rows[4], 100, few).tolist() == [3, 5]
    assert signs.nearest(rows[4], 100, np.zeros(1_000, bool)).tolist() == []


@pytest.mark.parametrize(("count", "dimension"), [(9, 64), (10, 65), (1, 1)])
def test_signs_of_another_shape_are_refused(tmp_path, count, dimension):
    """A file of another shape than the manifest says is refused."""
    write_signs(tmp_path / "s.npy", np.ones((10, 64), np.float32))
    with pytest.raises(ValueError, match=f"does not hold the signs of {count} vectors of {dimension} numbers"):
        SignVectors(tmp_path / "s.npy", count, dimension)
