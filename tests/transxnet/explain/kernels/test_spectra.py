"""The frequency response of kernels whose transform is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fixtures.kernel_sets import kernel_set
from transxnet.errors import OutOfRange, UnknownName
from transxnet.explain.kernels.spectra import kernel_spectrum


def tap(value: float = 1, row: int = 3, column: int = 3) -> np.ndarray:
    kernel = np.zeros((7, 7))
    kernel[row, column] = value
    return kernel


def gaussian(side: int, sigma: float) -> np.ndarray:
    x = np.arange(side) - side // 2
    g = np.exp(-(x**2) / (2 * sigma**2))
    return np.outer(g, g) / g.sum() ** 2


def test_single_tap_passes_every_frequency_equally():
    spectrum = kernel_spectrum(kernel_set([tap(), tap(row=0, column=6)]))
    assert (spectrum.model, spectrum.stage, spectrum.block, spectrum.kernel_type) == (
        "transxnet_tiny",
        3,
        2,
        "generated",
    )
    np.testing.assert_allclose(spectrum.response, np.ones((64, 64)), atol=1e-12)
    np.testing.assert_allclose(spectrum.profiles, np.ones((2, 46)), atol=1e-12)  # rings 0/64 to 45/64 = 0.5 sqrt(2)
    assert spectrum.dc_gain.tolist() == [1, 1]
    # the mean distance of a unit square's points from its center: (sqrt(2) + ln(1 + sqrt(2))) / 6
    np.testing.assert_allclose(spectrum.centroid, (np.sqrt(2) + np.log(1 + np.sqrt(2))) / 6, atol=3e-4)


def test_box_kernel_gives_the_periodic_sinc():
    spectrum = kernel_spectrum(kernel_set([np.full((7, 7), 1 / 49)]))
    f = spectrum.frequencies
    with np.errstate(invalid="ignore"):
        sinc = np.where(f == 0, 1, np.sin(7 * np.pi * f) / (7 * np.sin(np.pi * f)))
    np.testing.assert_allclose(spectrum.response, np.abs(np.outer(sinc, sinc)), atol=1e-7)
    assert spectrum.frequencies[32] == 0
    assert spectrum.frequencies[0] == -0.5
    assert spectrum.profile[0] == pytest.approx(1)


def test_gaussian_kernel_gives_a_gaussian():
    """31 taps of sigma 2 approximate an infinite Gaussian: exp(-2 pi^2 sigma^2 f^2), up to the width of the rings."""
    spectrum = kernel_spectrum(kernel_set([gaussian(31, 2.0)]), size=256)
    f = spectrum.frequencies
    expected = np.exp(-8 * np.pi**2 * (f[:, None] ** 2 + f**2))
    np.testing.assert_allclose(spectrum.response, expected, atol=1e-6)
    np.testing.assert_allclose(spectrum.profile, np.exp(-8 * np.pi**2 * spectrum.radii**2), atol=4e-3)
    # the centroid of a Gaussian of width s = 1 / (2 pi sigma) in the plane: s sqrt(pi / 2)
    assert spectrum.centroid[0] == pytest.approx(np.sqrt(np.pi / 2) / (4 * np.pi), rel=1e-3)


def test_magnitudes_are_averaged_instead_of_kernels():
    """A kernel and its negative: the mean of the kernels would be zero."""
    spectrum = kernel_spectrum(kernel_set([tap(2), tap(-2)]))
    np.testing.assert_allclose(spectrum.response, 2, atol=1e-12)
    assert spectrum.dc_gain.tolist() == [2, -2]


def test_stripe_kernel_passes_one_direction():
    """Differences along x: nothing where the horizontal frequency is 0, 2 at its highest."""
    spectrum = kernel_spectrum(kernel_set([tap(1, 3, 3) + tap(-1, 3, 4)]))
    np.testing.assert_allclose(spectrum.response[:, 32], 0, atol=1e-12)
    np.testing.assert_allclose(spectrum.response[:, 0], 2, atol=1e-12)  # columns are horizontal frequencies
    assert spectrum.dc_gain[0] == 0
    assert spectrum.centroid[0] > 0.4


def test_static_kernels_have_a_separate_spectrum():
    kernels = kernel_set([tap(3)], static=[tap(0.5)])
    np.testing.assert_allclose(kernel_spectrum(kernels).profile, 3, atol=1e-12)
    np.testing.assert_allclose(kernel_spectrum(kernels, "static").profile, 0.5, atol=1e-12)
    assert kernel_spectrum(kernels, "static").kernel_type == "static"


def test_zero_kernel_has_no_centroid():
    spectrum = kernel_spectrum(kernel_set([np.zeros((7, 7)), tap()]))
    assert np.isnan(spectrum.centroid[0])
    assert spectrum.profile[0] == 0.5


def test_invalid_arguments_are_refused():
    with pytest.raises(UnknownName, match=r"no kernels of type 'gates'\. Choose one of: generated, static"):
        kernel_spectrum(kernel_set([tap()]), "gates")
    with pytest.raises(OutOfRange, match="7 or more"):
        kernel_spectrum(kernel_set([tap()]), size=6)
