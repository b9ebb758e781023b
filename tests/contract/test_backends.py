"""What every inference backend keeps to."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fer_live.backends.backend import Backend
from fer_live.backends.build_engine import build_engine
from fer_live.backends.registry import BACKENDS, open_backend, probe
from fer_live.errors import BackendError
from tests.fakes import TableBackend
from tests.media import write_half, write_int8, write_network
from tests.tensorrt.bindings import TENSORRT
from tests.tensorrt.machine import have_gpu

_FAKE = "table"
_ON_FAKES = {f"tensorrt {bindings.stub} on fakes": bindings for bindings in TENSORRT}


@pytest.fixture(params=[*BACKENDS, *_ON_FAKES, _FAKE])
def backend(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    if request.param == _FAKE:
        opened: Backend = TableBackend()
    elif request.param in _ON_FAKES:
        have_gpu(monkeypatch, _ON_FAKES[request.param])
        weights = write_network(tmp_path / "tiny.onnx")
        write_half(weights)
        build_engine(weights)
        opened = open_backend("tensorrt", weights)
    elif not (found := probe(request.param)).available:
        pytest.skip(found.reason)
    else:
        weights = write_network(tmp_path / "tiny.onnx")
        write_int8(weights)
        opened = open_backend(request.param, weights)
    with opened:
        yield opened


def _crops(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 1, 48, 48)).astype(np.float32)


def test_rows_are_probabilities(backend: Backend) -> None:
    probabilities = backend.infer(_crops(5))
    assert probabilities.shape == (5, len(backend.card.labels))
    assert probabilities.dtype == np.float32
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_brightness_reaches_the_network(backend: Backend) -> None:
    # Both networks of this suite tell shades apart: 0 and 3 are different rows of the table.
    shades = np.stack([np.full((1, 48, 48), shade, np.float32) for shade in (0, 3)])
    dark, bright = backend.infer(shades)
    assert np.abs(dark - bright).max() > 1e-3


@pytest.mark.parametrize("size", [1, 3, 32])
def test_a_row_does_not_depend_on_the_batch(backend: Backend, size: int) -> None:
    crops = _crops(32)
    alone = np.concatenate([backend.infer(crops[row : row + 1]) for row in range(size)])
    np.testing.assert_allclose(backend.infer(crops[:size]), alone, atol=1e-6)


def test_threads_that_share_it_get_what_one_gets(backend: Backend) -> None:
    if not backend.is_thread_safe:
        pytest.skip("it is used on one thread at a time")
    batches = [_crops(32)[start : start + 8] for start in range(0, 32, 8)] * 4
    alone = [backend.infer(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(backend.infer, batches))
    np.testing.assert_array_equal(together, alone)


def test_the_largest_batch_is_taken(backend: Backend) -> None:
    assert len(backend.infer(_crops(backend.max_batch))) == backend.max_batch


@pytest.mark.parametrize(
    "shape",
    [(0, 1, 48, 48), (1, 48, 48), (1, 3, 48, 48), (1, 1, 48, 47), (1, 1, 64, 64)],
    ids=["no face", "no channel", "colour", "narrow", "large"],
)
def test_another_shape_is_refused(backend: Backend, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="batch must be float32"):
        backend.infer(np.zeros(shape, np.float32))


def test_more_than_the_largest_batch_is_refused(backend: Backend) -> None:
    with pytest.raises(ValueError, match="batch must be float32"):
        backend.infer(_crops(backend.max_batch + 1))


@pytest.mark.parametrize("dtype", [np.uint8, np.float64, np.float16])
def test_another_dtype_is_refused(backend: Backend, dtype: type) -> None:
    with pytest.raises(ValueError, match="batch must be float32"):
        backend.infer(_crops(1).astype(dtype))


def test_the_batch_is_left_as_it_was(backend: Backend) -> None:
    crops = _crops(2)
    backend.infer(crops)
    np.testing.assert_array_equal(crops, _crops(2))


def test_a_closed_backend_says_so(backend: Backend) -> None:
    backend.close()
    backend.close()
    with pytest.raises(BackendError, match="closed"):
        backend.infer(_crops(1))


def test_it_says_what_it_is(backend: Backend) -> None:
    assert backend.name in {*BACKENDS, _FAKE}
    assert backend.device
    assert backend.max_batch >= 1
