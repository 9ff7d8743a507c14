"""Which spatial frequencies a block's kernels pass: their frequency response.

The response of a K x K kernel is its discrete Fourier transform (Oppenheim and Schafer, Discrete-Time Signal
Processing), here sampled finely by padding the kernel with zeros to n x n. Its magnitude is taken channel by channel
and then averaged: an average of the kernels themselves would let opposite signs cancel. The layer computes a
cross-correlation and not a convolution, which turns the kernel about and leaves the magnitude as it is.

What it must not be read as: one unit is a step of the stage's grid, not a pixel, and the kernels act on normalized
features: a low-pass response does not say that the image is blurred. It is the response of these kernels alone, far
from the border: not of the block, whose residual paths, STE and MS-FFN pass frequencies of their own.
"""

from __future__ import annotations

import numpy as np

from ...errors import OutOfRange, UnknownName, quote
from ...results.kernels import KernelSet, KernelSpectrum

PARTS = ("kernels", "static")


def spectrum(kernel_set: KernelSet, part: str = "kernels", size: int = 64) -> KernelSpectrum:
    """|FFT| of one block's kernels, their radial profile, gain at frequency 0 and centroid.

    part: "kernels", what was generated, or "static", what uniform gates would give. size: n, to which the kernels are
    padded with zeros; it refines the sampling and adds no information.
    Frequencies in cycles per unit of the stage. Ring r holds the frequencies nearest to r / n: the profile is the mean
    of |FFT| over them. centroid = sum(f |FFT|) / sum(|FFT|) over the plane, f the radial frequency: 0.38 for a single
    tap, which passes all alike.
    Raises UnknownName for another part, OutOfRange for a size below K.
    """
    kernels = _part(kernel_set, part).astype(np.float64)  # (C, K, K)
    if size < kernels.shape[-1]:
        raise OutOfRange(
            f"Kernels of {kernels.shape[-1]} taps do not fit into a spectrum of {size}.",
            remedy=f"Choose a size of {kernels.shape[-1]} or more.",
        )
    magnitude = np.abs(np.fft.fftshift(np.fft.fft2(kernels, (size, size)), axes=(1, 2)))  # (C, n, n)
    frequencies = np.fft.fftshift(np.fft.fftfreq(size))
    radius = np.hypot(frequencies[:, None], frequencies)  # (n, n)
    radii, profiles = _rings(magnitude, radius, size)
    return KernelSpectrum(
        kernel_set.model, kernel_set.stage, kernel_set.block, part,
        magnitude.mean(axis=0), frequencies, radii, profiles,
        dc_gain=kernels.sum(axis=(1, 2)), centroid=_centroid(magnitude, radius),
    )  # fmt: skip


def _part(kernel_set: KernelSet, part: str) -> np.ndarray:
    if part not in PARTS:
        raise UnknownName(f"Kernels have no part called {quote(part)}.", remedy=f"Choose one of: {', '.join(PARTS)}.")
    return kernel_set.kernels if part == "kernels" else kernel_set.static


def _rings(magnitude: np.ndarray, radius: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(C, n, n) -> radii (R,) and the mean over each ring (C, R)."""
    ring = np.rint(radius * size).astype(int).ravel()  # (n * n,)
    total = np.stack([np.bincount(ring, channel.ravel()) for channel in magnitude])
    count = np.bincount(ring)  # never 0: along the axes rings are one sample wide, beyond them wider
    return np.arange(len(count)) / size, total / count


def _centroid(magnitude: np.ndarray, radius: np.ndarray) -> np.ndarray:  # (C, n, n) -> (C,)
    total = magnitude.sum(axis=(1, 2))
    return np.divide((magnitude * radius).sum(axis=(1, 2)), total, out=np.full_like(total, np.nan), where=total > 0)
