"""The signs of vectors and the cells that they lie in: by hand, against the exact scan, and under filters."""

import numpy as np
import pytest

import index.signs
from index.cells import learn_cells, read_cells
from index.signs import SignVectors, write_signs


def rows_of(count, dimension, seed=7):
    """Return rows of length 1 that lie around 30 points, as texts on 30 topics do."""
    noise = np.random.default_rng(seed)
    centres = noise.standard_normal((30, dimension))
    rows = centres[noise.integers(30, size=count)] + noise.standard_normal((count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def opened(folder, rows):
    write_signs(folder / "s.npy", rows)
    return SignVectors(folder / "s.npy", *rows.shape)


def test_signs_by_hand(tmp_path):
    """The row whose signs differ least comes first into the candidates; 0 counts as negative."""
    rows = np.array([[1, 1, 1], [1, -1, -1], [-1, -1, 0]], np.float32)
    signs = opened(tmp_path, rows)
    assert signs.nearest(rows[0], 1).tolist() == [0]
    assert signs.nearest(rows[0], 2).tolist() == [0, 1]
    # (-1, 1, 1) differs from row 0 in one sign, from row 2 in two, from row 1 in three.
    assert signs.nearest(np.array([-1, 1, 1], np.float32), 2).tolist() == [0, 2]


def test_ties_are_handed_on_whole(tmp_path):
    """Of rows that differ in as many signs none is left out, however few are asked for."""
    assert opened(tmp_path, np.ones((5, 4), np.float32)).nearest(np.ones(4, np.float32), 2).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("dimension", [32, 64, 100, 384])
def test_candidates_of_all_cells_are_exact(tmp_path, monkeypatch, dimension):
    """Where every cell is looked into, candidates are the rows whose signs differ least of all."""
    monkeypatch.setattr(index.signs, "_SHARE", 1.0)
    rows = rows_of(30_000, dimension)
    signs = opened(tmp_path, rows)
    for depth in (1, 50, 600):
        for query in rows[:5]:
            differing = ((rows > 0) != (query > 0)).sum(axis=1)
            furthest = np.sort(differing)[depth - 1]
            assert signs.nearest(query, depth).tolist() == np.flatnonzero(differing <= furthest).tolist()


def test_nearest_cells_hold_the_nearest_rows(tmp_path, monkeypatch):
    """With one cell in eight looked into, the nearest ten of a row moved by noise are nearly all candidates."""
    monkeypatch.setattr(index.signs, "_LEAST", 1)
    rows = rows_of(30_000, 384)
    signs = opened(tmp_path, rows)
    noise = np.random.default_rng(3)
    shares = []
    for place in range(40):
        query = rows[place] + noise.standard_normal(384).astype(np.float32) * np.float32(0.4 / 384**0.5)
        found = signs.nearest(query, 500)
        assert 500 <= len(found) < len(rows) / 8
        nearest = np.argsort(-(rows @ query))[:10]
        shares.append(len(set(nearest.tolist()) & set(found.tolist())) / 10)
    assert np.mean(shares) >= 0.95


def test_cells_hold_every_row_once():
    """The cells part the rows; a row lies in the cell whose centre is nearest, and the same rows give the same cells."""
    rows = rows_of(2_000, 16)
    cells, again = learn_cells(rows), learn_cells(rows)
    assert sorted(cells.rows.tolist()) == list(range(2_000))
    assert np.array_equal(cells.rows, again.rows) and np.array_equal(cells.centres, again.centres)
    for cell, (start, end) in enumerate(zip(cells.starts, cells.starts[1:], strict=False)):
        inside = cells.rows[start:end]
        assert inside.tolist() == sorted(inside.tolist())
        distances = np.linalg.norm(rows[inside][:, None] - cells.centres[None], axis=2)
        assert (distances[:, cell] <= distances.min(axis=1) + 1e-5).all()


def test_cells_come_by_their_distance():
    """A row's own cell is the nearest to it; a cell without rows does not come; spans stand in the order of rows."""
    rows = rows_of(2_000, 16)
    cells = learn_cells(rows)
    order = cells.by_distance(rows[3])
    assert 3 in cells.rows[cells.spans(order[:1])[0]]
    assert sorted(order.tolist()) == np.flatnonzero(cells.sizes).tolist()
    distances = np.linalg.norm(cells.centres[order] - rows[3], axis=1)
    assert (np.diff(distances) >= -1e-5).all()
    starts = [span.start for span in cells.spans(order)]
    assert starts == sorted(starts) and sum(span.stop - span.start for span in cells.spans(order)) == 2_000


@pytest.mark.parametrize(("least", "looked_up"), [(1, 0), (1_000, 0), (20_000, 80_000)])
def test_filter_is_kept(tmp_path, monkeypatch, least, looked_up):
    """Only allowed rows are candidates: the nearest of many, all of few, none of none; through cells and without."""
    monkeypatch.setattr(index.signs, "_LEAST", least)
    monkeypatch.setattr(index.signs, "_LOOKED_UP", looked_up)
    rows = rows_of(4_000, 64)
    signs = opened(tmp_path, rows)
    allowed = np.arange(4_000) % 2 == 0
    found = signs.nearest(rows[4], 100, allowed)
    assert 4 in found and len(found) >= 100 and not any(found % 2)
    assert found.tolist() == sorted(found.tolist())
    # Where the nearest cells hold too few of those that are allowed, further ones are looked into.
    far = np.argsort(rows @ rows[4])[:600]
    assert len(signs.nearest(rows[4], 500, np.isin(np.arange(4_000), far))) >= 500
    few = np.isin(np.arange(4_000), [3, 5])
    assert signs.nearest(rows[4], 100, few).tolist() == [3, 5]
    assert signs.nearest(rows[4], 100, np.zeros(4_000, bool)).tolist() == []
    tenth = np.arange(4_000) % 10 == 4
    monkeypatch.setattr(index.signs, "_LOOKED_UP", 400)
    differing = np.where(tenth, ((rows > 0) != (rows[4] > 0)).sum(axis=1), 65)
    assert signs.nearest(rows[4], 50, tenth).tolist() == np.flatnonzero(differing <= np.sort(differing)[49]).tolist()


def test_signs_are_compared_with_their_vectors(tmp_path):
    """The file is known to be of these vectors, and of no others."""
    rows = rows_of(3_000, 64)
    signs = opened(tmp_path, rows)
    assert signs.are_of(rows)
    assert not signs.are_of(rows[:-1])
    other = rows.copy()
    other[1_234] *= -1
    assert not signs.are_of(other)


@pytest.mark.parametrize(("count", "dimension"), [(9, 64), (10, 65), (1, 1)])
def test_signs_of_another_shape_are_refused(tmp_path, count, dimension):
    """A file of another shape than the manifest says is refused."""
    write_signs(tmp_path / "s.npy", np.ones((10, 64), np.float32))
    with pytest.raises(ValueError, match=f"does not hold the signs of {count} vectors of {dimension} numbers"):
        SignVectors(tmp_path / "s.npy", count, dimension)


def test_damaged_cells_are_refused(tmp_path):
    """Cells that are cut, of other rows, or missing are refused with the file's name."""
    write_signs(tmp_path / "s.npy", rows_of(50, 64))
    path = tmp_path / "s.cells.npz"
    with pytest.raises(ValueError, match=r"s\.cells\.npz does not hold the cells of 49 vectors of 64 numbers"):
        read_cells(path, 49, 64)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"s\.cells\.npz does not hold cells"):
        SignVectors(tmp_path / "s.npy", 50, 64)
    path.unlink()
    with pytest.raises(OSError, match="cells"):
        SignVectors(tmp_path / "s.npy", 50, 64)
