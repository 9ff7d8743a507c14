"""The arithmetic of the kernel inspector, in Chromium, against the library's own in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fixtures.kernel_sets import kernel_set
from tests.positions import center_in_source
from transxnet.explain.kernels.spectra import kernel_spectrum
from transxnet.results import Geometry
from transxnet.results.kernel_arithmetic import KernelArithmetic

pytestmark = pytest.mark.browser
GEOMETRIES = {
    "stage 3 of pico": Geometry((8, 8), 16.0, (128, 128), (0, 0, 512, 512), (512, 512)),
    "a crop of a tall image": Geometry((14, 14), 16.0, (224, 224), (12.5, 40.25, 487.5, 515.25), (500, 700)),
    "smaller than the view": Geometry((4, 3), 32.0, (128, 96), (0, 0, 24, 32), (24, 32)),
    "an origin of its own": Geometry((5, 7), 16.0, (80, 112), (3, 0, 227, 160), (230, 170), 7.5),
}


def units_of(g: Geometry) -> dict:
    rows, cols = g.grid
    return {
        "rows": rows, "cols": cols, "stride": g.stride, "origin": g.origin, "input_size": list(g.input_size),
        "box": list(g.crop_box), "upload": list(g.source_size),
    }  # fmt: skip


@pytest.mark.parametrize("name", GEOMETRIES)
def test_the_unit_nearest_to_every_pixel(scripts, name):
    geometry = GEOMETRIES[name]
    width, height = geometry.source_size
    points = [[x, y] for x in range(0, width, max(1, width // 90)) for y in range(0, height, max(1, height // 90))]
    found = scripts.evaluate(
        """async ([units, points]) => { const { unitAt } = await importModule("core/arithmetic.js");
          return points.map(([x, y]) => Object.values(unitAt(units, x, y))); }""",
        [units_of(geometry), points],
    )
    assert [tuple(unit) for unit in found] == [geometry.unit_at(x, y) for x, y in points]


@pytest.mark.parametrize("name", [name for name in GEOMETRIES if name != "smaller than the view"])
def test_a_units_own_position_leads_back_to_it(scripts, name):
    geometry = GEOMETRIES[name]
    cols = geometry.grid[1]
    found = scripts.evaluate(
        """async ([units]) => { const { pixelOfUnit } = await importModule("core/arithmetic.js");
          return [...Array(units.rows * units.cols).keys()].map((i) =>
            Object.values(pixelOfUnit(units, Math.floor(i / units.cols), i % units.cols))); }""",
        [units_of(geometry)],
    )
    for i, (x, y) in enumerate(found):
        row, col = divmod(i, cols)
        exact = center_in_source(geometry, row, col)
        assert max(abs(x - exact[0]), abs(y - exact[1])) <= 0.5
        assert 0 <= x < geometry.source_size[0]
        assert 0 <= y < geometry.source_size[1]
        assert geometry.unit_at(x, y) == (row, col)


def channel(rows: int, cols: int) -> KernelArithmetic:
    """One channel at random; what the model gave plays no part."""
    rng = np.random.default_rng(rows)
    kernel, static = rng.normal(size=(2, 1, 7, 7)).astype(np.float32)
    inputs = rng.normal(size=(1, rows, cols)).astype(np.float32)
    gates, none = np.ones((1, 1, 7, 7), np.float32), np.zeros((1, 1), np.float32)
    return KernelArithmetic(
        "transxnet_tiny", 1, 1, np.array([0]), Geometry((rows, cols), 4.0, (4 * rows, 4 * cols), (0, 0, 1, 1), (1, 1)),
        inputs, inputs, kernel, static, kernel[:, None], gates, rng.normal(size=1).astype(np.float32), none, none,
    )  # fmt: skip


@pytest.mark.parametrize(("rows", "cols"), [(9, 12), (4, 4), (1, 3)])
def test_patch_products_and_sum_at_every_unit(scripts, rows, cols):
    one = channel(rows, cols)
    found = scripts.evaluate(
        """async ([map, rows, cols, kernel, bias]) => {
          const A = await importModule("core/arithmetic.js");
          const values = Float32Array.from(map), weights = Float32Array.from(kernel);
          return [...Array(rows * cols).keys()].map((i) => {
            const { values: patch, beyond } = A.patchAt(values, rows, cols, Math.floor(i / cols), i % cols, 7);
            const products = A.multiply(patch, weights);
            return [[...patch], [...beyond], [...products], A.sum(products) + bias];
          });
        }""",
        [one.inputs[0].ravel().tolist(), rows, cols, one.kernels[0].ravel().tolist(), float(one.biases[0])],
    )
    inside = np.pad(np.ones((rows, cols), bool), 3)
    for i, (patch, beyond, products, total) in enumerate(found):
        row, col = divmod(i, cols)
        expected = one.patch(0, row, col)
        assert np.array_equal(np.float32(patch).reshape(7, 7), expected)
        assert np.array_equal(np.array(beyond, bool).reshape(7, 7), ~inside[row : row + 7, col : col + 7])
        exact = expected.astype(np.float64) * one.kernels[0]
        np.testing.assert_array_equal(np.reshape(products, (7, 7)), exact)
        assert total == pytest.approx(one.output(0, row, col), rel=1e-12, abs=1e-12)


def test_frequency_response_and_its_rings(scripts):
    kernels = np.random.default_rng(3).normal(size=(2, 7, 7)).astype(np.float32)
    expected = kernel_spectrum(kernel_set(kernels[:1]))
    magnitude, profile, single, uneven = scripts.evaluate(
        """async ([kernel, uneven]) => {
          const A = await importModule("core/arithmetic.js"), of = (k) => A.spectrum(Float32Array.from(k), 7, 64);
          const single = Array(49).fill(0);
          single[24] = 1;
          return [[...of(kernel)], [...A.radialProfile(of(kernel), 64)], [...of(single)], [...of(uneven)]];
        }""",
        [kernels[0].ravel().tolist(), kernels[1].ravel().tolist()],
    )
    np.testing.assert_allclose(np.reshape(magnitude, (64, 64)), expected.response, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(profile, expected.profiles[0], rtol=1e-9)
    np.testing.assert_allclose(single, 1, rtol=1e-12)  # a single tap passes all frequencies alike
    assert uneven[32 * 64 + 32] == pytest.approx(abs(kernels[1].sum(dtype=np.float64)), rel=1e-9)
