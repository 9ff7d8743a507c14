"""Plates of kernels: every tap in the color of its value on one scale, and raw values behind the image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.fixtures.kernel_sets import kernel_set
from transxnet.draw.kernel_figures import (
    kernel_change_figure,
    kernel_clusters_figure,
    kernel_depth_figure,
    kernel_spectrum_figure,
    mixing_weights_figure,
)
from transxnet.draw.scale import colorize
from transxnet.draw.text import SOFT
from transxnet.results.kernels import KernelChange, KernelClusters, KernelDepth, KernelSpectrum

RANDOM = np.random.default_rng(0).uniform(-1, 1, (16, 7, 7)).astype(np.float32)
RANDOM[0, 0, 0] = 1  # the end of every scale that has the first kernel


def holds(image: np.ndarray, values: np.ndarray, high: float, tap: int, colormap: str = "RdBu_r") -> bool:
    """Whether the image has this kernel in it, (K, K), on a scale of -high to high, `tap` pixels a tap."""
    return has(image, colorize(values, (-high, high), colormap, signed=True), tap)


def has(image: np.ndarray, tile: np.ndarray, tap: int) -> bool:
    """Whether these colors, (K, K, 3), stand somewhere in the image, each at its tap's first and last pixel."""
    pixels, expected = (rgb.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32) for rgb in (image, tile))
    high, wide = (edge - len(tile) * tap + 1 for edge in pixels.shape)
    here = np.ones((high, wide), bool)
    for i, j in np.ndindex(*expected.shape):
        for inside in (0, tap - 1):
            y, x = i * tap + inside, j * tap + inside
            here &= pixels[y : y + high, x : x + wide] == expected[i, j]
    return bool(here.any())


def square(color: str) -> np.ndarray:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)


# --- Clusters ---------------------------------------------------------------------------------------


def clustered(scale: float = 1.0) -> KernelClusters:
    """Three medoids for 6, 3 and 1 of ten channels."""
    labels = np.array([0] * 6 + [1] * 3 + [2])
    similarity = np.array([1, 0.5, 0.5, 0.5, 0.5, 0.6, 1, 0.8, 0.6, 1])
    return KernelClusters("transxnet_pico", 3, 4, np.array([0, 6, 9]), scale * RANDOM[:3], labels, similarity, 0.625)


def test_medoids_of_all_models_share_one_scale():
    figure = kernel_clusters_figure([clustered(), clustered(0.5)], ["pico", "other"])
    for kernel in RANDOM[:3]:
        assert holds(figure.image, kernel, 1, tap=14)
        assert holds(figure.image, 0.5 * kernel, 1, tap=14)
    assert not holds(figure.image, RANDOM[3], 1, tap=14)
    assert "±1. " in figure.caption


def test_bars_are_proportional_to_cluster_sizes():
    figure = kernel_clusters_figure([clustered()], ["pico"])
    bars = (figure.image == square(SOFT)).all(axis=2)
    columns = bars.sum(axis=0)
    assert columns[columns > 0].tolist() == [44] * 98 + [22] * 98 + [7] * 98  # 6, 3 and 1 of 10


def test_clusters_report_sizes_and_similarity():
    figure = kernel_clusters_figure([clustered()], ["pico"])
    assert figure.table.rows[0] == ("pico, channel 1", "6", "0.6")
    assert [row[1] for row in figure.table.rows] == ["6", "3", "1"]
    assert figure.numbers == {"pico/explained": 0.625}
    assert figure.arrays["pico/sizes"].tolist() == [6, 3, 1]
    assert np.array_equal(figure.arrays["pico/kernels"], RANDOM[:3])
    assert "62.5% of the variation in shape" in figure.caption


# --- Two images -----------------------------------------------------------------------------------


def changed(still: bool = False) -> KernelChange:
    first, second = RANDOM[:14], RANDOM[:14] if still else 0.5 * RANDOM[:14]
    moved = np.zeros(14) if still else np.arange(14) / 10
    away = np.zeros((2, 14)) if still else np.stack([moved + 0.1, moved + 0.3])
    return KernelChange("transxnet_pico", 3, 4, first, second, first, moved, np.ones(14), moved / 2, away)


PHOTOS = (np.full((96, 96, 3), (10, 200, 30), np.uint8), np.full((96, 96, 3), (200, 10, 90), np.uint8))


def test_kernels_and_differences_share_one_scale():
    figure = kernel_change_figure([changed()], ["pico"], [PHOTOS], [[3, 5]])
    for channel in (3, 5):
        top = np.abs(RANDOM[[3, 5]]).max()
        assert holds(figure.image, RANDOM[channel], top, tap=18)
        assert holds(figure.image, 0.5 * RANDOM[channel], top, tap=18)  # the second, and the difference
    assert not holds(figure.image, RANDOM[4], np.abs(RANDOM[[3, 5]]).max(), tap=18)
    side = 2 * 7 * 18 + 10
    for photo in PHOTOS:
        assert (figure.image == photo[0, 0]).all(axis=2).sum() == side**2


def test_change_reports_medians_over_channels():
    figure = kernel_change_figure([changed()], ["pico"], [PHOTOS])
    assert figure.numbers["pico/distance"] == pytest.approx(0.65)
    assert figure.numbers["pico/first_from_static"] == pytest.approx(0.75)
    assert figure.numbers["pico/second_from_static"] == pytest.approx(0.95)
    assert figure.numbers["pico/gates"] == pytest.approx(0.325)
    assert figure.table.rows == [("pico", "0.65", "0.75", "0.95", "0.765", "1", "0.325")]
    assert figure.arrays["pico/channels"].tolist() == list(range(13, 1, -1))  # the 12 that change most
    assert np.array_equal(figure.arrays["pico/second"], 0.5 * RANDOM[:14])


def test_learned_kernels_show_no_change():
    figure = kernel_change_figure([changed(still=True)], ["pico_static"], [PHOTOS])
    assert figure.numbers["pico_static/distance"] == 0
    assert figure.table.rows[0][1:5] == ("0", "0", "0", "n/a")
    assert holds(figure.image, np.zeros((7, 7)), 1, tap=18)


# --- Gates ------------------------------------------------------------------------------------------


def test_gates_are_drawn_relative_to_uniform():
    first = (RANDOM + 1) / 2
    gates = np.stack([first, 1 - first])  # (2, 16, 7, 7)
    given = kernel_set(RANDOM, 0.5 * RANDOM, gates)
    figure = mixing_weights_figure([given], ["pico"], [[2, 7]])
    top, half = np.abs(RANDOM[[2, 7]]).max(), np.abs(first[[2, 7]] - 0.5).max()
    for channel in (2, 7):
        assert holds(figure.image, first[channel] - 0.5, half, 9, "coolwarm")
        assert not holds(figure.image, 0.5 - first[channel], half, 9, "coolwarm")  # the second is 1 less the first
        assert holds(figure.image, RANDOM[channel], top, 9)
        assert holds(figure.image, 0.5 * RANDOM[channel], top, 9)
    assert has(figure.image, colorize(given.tap_entropy, (0, 1), "viridis"), tap=18)
    assert figure.numbers["pico/entropy"] == pytest.approx(given.gate_entropy.mean())
    assert np.array_equal(figure.arrays["pico/tap_entropy"], given.tap_entropy)


def test_all_gates_of_three_kernels_are_drawn():
    gates = np.stack([np.full_like(RANDOM, share) for share in (0.5, 0.3, 0.2)])
    figure = mixing_weights_figure([kernel_set(RANDOM, RANDOM, gates)], ["s"])
    for share in (0.5, 0.3, 0.2):
        assert holds(figure.image, np.full((7, 7), share - 1 / 3), 1 / 6, 9, "coolwarm")


def test_channels_range_from_selective_to_uniform():
    decided = np.linspace(1, 0.5, 16, dtype=np.float32)[::-1, None, None] * np.ones((16, 7, 7), np.float32)
    figure = mixing_weights_figure([kernel_set(RANDOM, gates=np.stack([decided, 1 - decided]))], ["pico"])
    chosen = figure.arrays["pico/channels"].tolist()
    assert chosen == sorted(chosen, reverse=True)
    assert (chosen[0], chosen[-1], len(chosen)) == (15, 0, 12)


def test_learned_kernels_have_no_gates():
    figure = mixing_weights_figure([kernel_set(RANDOM, gates=np.ones((1, 16, 7, 7), np.float32))], ["pico_static"])
    assert figure.table.rows == [("pico_static", "16", "1", "nothing to mix", "", "")]
    assert figure.numbers == {}
    assert "Mean:" not in figure.caption
    assert figure.image.shape[0] < 350  # one row of kernels


# --- Frequencies and depth --------------------------------------------------------------------------


def spectral(part: str, level: float) -> KernelSpectrum:
    """Response `level` at every frequency but 0, where it is twice that."""
    frequencies, radii = np.fft.fftshift(np.fft.fftfreq(64)), np.arange(46) / 64
    response = np.full((64, 64), level)
    response[32, 32] *= 2
    profiles = np.full((3, 46), level)
    return KernelSpectrum(
        "transxnet_pico",
        3,
        4,
        part,
        response,
        frequencies,
        radii,
        profiles,
        np.array([-1.0, 2, 3]),
        np.full(3, level / 4),
    )


def test_responses_share_one_scale():
    figure = kernel_spectrum_figure([spectral("generated", 1.0)], [spectral("static", 0.5)], ["pico"])
    full, half = (colorize(np.array([v]), (0, 2), "viridis")[0] for v in (1.0, 0.5))
    for color in (full, half):  # 300 x 300 pixels each, but for the middle, frames and ticks
        assert (np.abs(figure.image.astype(int) - color).max(axis=2) <= 1).sum() > 88_000
    assert figure.numbers == {"pico/generated/centroid": 0.25, "pico/static/centroid": 0.125}
    assert figure.table.rows == [
        ("pico, generated", "2", "0.25", "1", "1"),
        ("pico, static", "2", "0.125", "0.5", "0.5"),
    ]
    assert np.array_equal(figure.arrays["pico/static/response"], spectral("static", 0.5).response)


def test_responses_have_the_direction_of_their_kernels():
    """Row 0 is drawn on top: a kernel and its response slant the same way."""
    halves = np.repeat([1.0, 0.5], 32)[:, None] * np.ones((64, 64))  # rows 0 to 31 twice the rest
    image = kernel_spectrum_figure(
        [replace(spectral("generated", 1.0), response=halves)], [spectral("static", 0.25)], ["pico"]
    ).image
    rows = []
    for value in (1.0, 0.5):
        color = colorize(np.array([value]), (0, 1), "viridis")[0].astype(int)
        rows.append(np.nonzero(np.abs(image - color).max(axis=2) <= 1)[0].mean())
    assert rows[1] - rows[0] == pytest.approx(150, abs=20)


def deep(groups: int = 2) -> KernelDepth:
    distance = np.array([[0.1, 0.2, 0.3], [0.2, 0.5, 0.8], [0.0, 0.1, 0.2]])
    entropy = np.array([0.9, 0.6, 0.8])
    return KernelDepth(
        "transxnet_pico", np.array([1, 1, 2]), np.array([1, 2, 1]), np.full(3, groups),
        distance if groups > 1 else 0 * distance, entropy if groups > 1 else 0 * entropy,
    )  # fmt: skip


def test_depth_table_holds_every_block_and_model():
    figure = kernel_depth_figure([deep(), deep(groups=1)], ["pico", "pico_static"])
    assert figure.table.head == (
        "Block",
        "pico: distance",
        "pico: entropy",
        "pico_static: distance",
        "pico_static: entropy",
    )
    assert figure.table.rows[1] == ("stage 1, block 2", "0.5", "0.6", "0", "")
    assert figure.numbers["pico/largest_distance"] == 0.5
    assert "pico: largest in stage 1, block 2, 0.5." in figure.caption
    assert "pico_static: learned kernels, the same for every image" in figure.caption
    assert np.array_equal(figure.arrays["pico/static_distance"], deep().static_distance)


def test_blocks_a_model_lacks_stay_empty():
    longer = KernelDepth(
        "transxnet_t", np.array([1, 1, 1]), np.array([1, 2, 3]), np.full(3, 2), np.full((3, 3), 0.4), np.full(3, 0.7)
    )
    rows = {row[0]: row[1:] for row in kernel_depth_figure([deep(), longer], ["pico", "t"]).table.rows}
    assert list(rows) == ["stage 1, block 1", "stage 1, block 2", "stage 1, block 3", "stage 2, block 1"]
    assert rows["stage 1, block 3"] == ("", "", "0.4", "0.7")
    assert rows["stage 2, block 1"] == ("0.1", "0.8", "", "")


def test_learned_kernels_are_not_called_generated():
    assert "Kernels generated for this image, clustered" in kernel_clusters_figure([clustered()], ["pico"]).caption
    learned_only = kernel_clusters_figure([clustered()], ["pico_static"], ["pico_static"])
    assert "Kernels learned, the same for every image, clustered" in learned_only.caption
    both = kernel_clusters_figure([clustered(), clustered()], ["pico", "pico_static"], ["pico_static"])
    assert "generated for this image (of pico_static: learned, the same for every image)" in both.caption
