"""Which spatial frequencies a block's kernels pass: their frequency response.

The response of a K x K kernel is its discrete Fourier transform (Oppenheim and Schafer, Discrete-Time Signal
Processing), sampled finely by zero-padding the kernel to n x n. Its magnitude is computed per channel and then
averaged: averaging the kernels themselves would let opposite signs cancel. The layer computes a cross-correlation and
not a convolution, which flips the kernel and leaves the magnitude unchanged.

Limitations: one unit is a step of the stage's grid, not a pixel, and the kernels act on normalized features: a
low-pass response does not mean that the image is blurred. It is the response of these kernels alone, away from the
border, not of the block: residual paths, STE and MS-FFN pass other frequencies.
"""

from __future__ import annotations

import numpy as np

from ...errors import OutOfRange, check_name
from ...results.kernels import KernelSet, KernelSpectrum

KERNEL_TYPES = ("generated", "static")


def kernel_spectrum(kernel_set: KernelSet, kernel_type: str = "generated", size: int = 64) -> KernelSpectrum:
    """|FFT| of one block's kernels, their radial profile, gain at frequency 0 and centroid.

    Frequencies are in cycles per unit of the stage. Ring r holds the frequencies nearest to r / n; the profile is the
    mean of |FFT| over each. centroid = sum(f |FFT|) / sum(|FFT|) over the plane, f the radial frequency: 0.38 for a
    single tap, which passes all frequencies equally.

    Args:
        kernel_set: Kernels of one block.
        kernel_type: "generated", or "static" for the kernels that uniform gates would give.
        size: n, to which kernels are zero-padded; it refines the sampling and adds no information.

    Returns:
        The mean response (n, n), and a profile, a gain and a centroid per channel.

    Raises:
        UnknownName: For another type.
        OutOfRange: For a size below K.
    """
    check_name(kernel_type, KERNEL_TYPES, "There are no kernels of type {name}.")
    kernels = kernel_set.kernels if kernel_type == "generated" else kernel_set.static_kernels
    kernels = kernels.astype(np.float64)  # (C, K, K)
    taps = kernels.shape[-1]
    if size < taps:
        remedy = f"Choose a size of {taps} or more."
        raise OutOfRange(f"Kernels of {taps} taps do not fit into a spectrum of {size}.", remedy=remedy)
    magnitude = np.abs(np.fft.fftshift(np.fft.fft2(kernels, (size, size)), axes=(1, 2)))  # (C, n, n)
    frequencies = np.fft.fftshift(np.fft.fftfreq(size))
    radius = np.hypot(frequencies[:, None], frequencies)  # (n, n)
    radii, profiles = _radial_profiles(magnitude, radius, size)
    return KernelSpectrum(
        kernel_set.model, kernel_set.stage, kernel_set.block, kernel_type,
        magnitude.mean(axis=0), frequencies, radii, profiles,
        dc_gain=kernels.sum(axis=(1, 2)), centroid=_centroid(magnitude, radius),
    )  # fmt: skip


def _radial_profiles(magnitude: np.ndarray, radius: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(C, n, n) -> radii (R,) and the mean over each ring (C, R)."""
    ring = np.rint(radius * size).astype(int).ravel()  # (n * n,)
    total = np.stack([np.bincount(ring, channel.ravel()) for channel in magnitude])
    count = np.bincount(ring)  # never 0: rings are at least one sample wide along the axes
    return np.arange(len(count)) / size, total / count


def _centroid(magnitude: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """(C, n, n) -> (C,)."""
    total = magnitude.sum(axis=(1, 2))
    return np.divide((magnitude * radius).sum(axis=(1, 2)), total, out=np.full_like(total, np.nan), where=total > 0)
