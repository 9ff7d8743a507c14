"""The arithmetic of the page's JavaScript, in Chromium, against the library's own in numpy."""

from __future__ import annotations

import json

import numpy as np
import pytest

from transxnet.draw.colormaps import COLORMAPS
from transxnet.draw.overlay import interpolate, overlay
from transxnet.draw.scale import (
    HIDDEN,
    MASKED,
    MISSING,
    MODES,
    NORMALIZED,
    Tone,
    above,
    alpha,
    color_position,
    colorize,
    shared_range,
    strength,
)
from transxnet.results import Geometry

pytestmark = pytest.mark.browser
VALUES = [  # at random: a round value may lie half way between two colors, where rounding may go either way
    *np.random.default_rng(0).normal(scale=1.5, size=300).tolist(),
    *(0, 1, 2.5, -1.5, 1e30, -1e30, "NaN", "Infinity", "-Infinity"),
]
FLOATS = np.array([float(v) for v in VALUES])
SCALES = {
    "sequential": ((0.0, 2.5), False, False, "magma"),
    "signed": ((-1.5, 2.0), True, False, "RdBu_r"),
    "root": ((0.0, 2.5), False, True, "viridis"),
    "signed root": ((-2.0, 2.0), True, True, "RdBu_r"),
    "not from zero": ((-1.0, 0.5), False, False, "inferno"),
    "one value": ((1.0, 1.0), False, False, "magma"),
    "nothing": ((0.0, 0.0), True, True, "RdBu_r"),
}


# Draws a map over an image of the same size with the display settings given, and returns the RGBA bytes.
RENDER = """async ([pixels, [height, width], given, scale, settings]) => {
  const { renderMap } = await importModule("core/map_renderer.js"), { display } = window.lens;
  for (const [key, value] of Object.entries(settings)) display.set(key, value);
  const image = document.createElement("canvas"), canvas = document.createElement("canvas");
  for (const each of [image, canvas]) Object.assign(each, { width, height });
  image.getContext("2d").putImageData(new ImageData(Uint8ClampedArray.from(pixels), width), 0, 0);
  image.complete = true; // as a decoded img
  const values = Float32Array.from(given.map(Number));
  const map = { values, rows: height, cols: width, stride: 1, origin: 0, input_size: [height, width] };
  renderMap(canvas, map, image, scale);
  for (const [key, value] of Object.entries(display.defaults)) display.set(key, value);
  return [...canvas.getContext("2d").getImageData(0, 0, width, height).data];
}"""


def rendered(scripts, photo: np.ndarray, heatmap: np.ndarray, color_scale: dict, **settings) -> np.ndarray:
    """RGBA of the page's drawing of a map over a photo."""
    rgba = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    values = [str(value) for value in heatmap.ravel()]
    drawing = scripts.evaluate(RENDER, [rgba.ravel().tolist(), list(photo.shape[:2]), values, color_scale, settings])
    return np.reshape(drawing, rgba.shape)


def scale_of(value_range, signed: bool, root: bool, colormap: str) -> dict:
    return {"range": list(value_range), "signed": signed, "root": root, "units": "", "colormap": colormap}


@pytest.mark.parametrize("name", SCALES)
def test_a_value_gets_the_same_place_opacity_and_color(scripts, name):
    value_range, signed, root, colormap = SCALES[name]
    at, opacities, colors = scripts.evaluate(
        """async ([values, scale]) => {
          const m = await importModule("core/map_renderer.js"), set = m.resolveScale(scale);
          const shareOf = m.sharesOn(set), positionOf = m.colorPositionsOn(set);
          const t = values.map((v) => positionOf(shareOf(Number(v))));
          return [t, t.map((one) => m.alphaAt(one, 0.85)), t.map((one) => m.colorAt(one, set))];
        }""",
        [VALUES, scale_of(value_range, signed, root, colormap)],
    )
    t = np.array(at, float)
    finite = np.isfinite(FLOATS)
    np.testing.assert_allclose(
        (t + 1) / 2 if signed else t, color_position(FLOATS, value_range, signed, root), atol=1e-6
    )
    np.testing.assert_allclose(np.abs(t[finite]), strength(FLOATS[finite], value_range, signed, root), atol=1e-6)
    np.testing.assert_allclose(opacities, alpha(FLOATS, value_range, 0.85, signed, root), atol=1e-6)
    expected = colorize(FLOATS, value_range, colormap, signed, root)
    assert np.array_equal(np.array(colors, np.uint8), expected)
    assert [tuple(c) for c in expected[-3:]] == [MISSING] * 3


def test_every_color_table_arrives_whole(scripts):
    tables = scripts.evaluate(
        """async () => { const { LUTS } = await importModule("core/colormaps.js");
          return Object.fromEntries(Object.entries(LUTS).map(([k, v]) => [k, [...v]])); }"""
    )
    ramp = np.arange(256) / 255
    assert set(tables) == set(COLORMAPS)
    for name, table in tables.items():
        assert np.array_equal(np.reshape(table, (256, 3)), colorize(ramp, (0, 1), name)), name


@pytest.mark.parametrize(
    ("grid", "stride", "origin", "size"),
    [
        ((4, 4), 32.0, 0.0, (352, 352)),  # stage 4 of pico, as the page draws it
        ((8, 8), 16.0, 0.0, (128, 128)),  # one drawing pixel a view pixel
        ((7, 5), 32.0, 15.5, (100, 352)),  # keys that do not start at pixel 0; not square
        ((128, 128), 1.0, 0.0, (352, 352)),  # a receptive field
        ((1, 1), 32.0, 0.0, (9, 9)),
    ],
)
def test_a_grid_is_placed_on_the_same_pixels(scripts, grid, stride, origin, size):
    heatmap = np.random.default_rng(grid[0]).normal(size=grid).astype(np.float32)
    heatmap.flat[-1] = 1e6  # one unit towers
    view = (128, 128) if grid[0] == grid[1] else (224, 160)
    geometry = Geometry(grid, stride, view, (0, 0, view[1], view[0]), (view[1], view[0]), origin)
    found = scripts.evaluate(
        """async ([values, rows, cols, stride, origin, input_size, height, width]) => {
          const { interpolate } = await importModule("core/map_renderer.js");
          const map = {values: Float32Array.from(values), rows, cols, stride, origin, input_size};
          return [...interpolate(map, height, width)];
        }""",
        [heatmap.ravel().tolist(), *grid, stride, origin, list(view), *size],
    )
    np.testing.assert_allclose(np.reshape(found, size), interpolate(heatmap, geometry, size), rtol=1e-5, atol=1e-5)


def test_the_blend_is_the_overlay(scripts):
    rng = np.random.default_rng(1)
    photo = rng.integers(0, 256, (16, 24, 3), dtype=np.uint8)
    heatmap = rng.normal(size=(16, 24)).astype(np.float32)
    value_range, signed, root, colormap = SCALES["signed"]
    drawing = rendered(scripts, photo, heatmap, scale_of(value_range, signed, root, colormap), opacity=0.6)
    expected = overlay(photo, heatmap, value_range, colormap, 0.6, signed, root)
    difference = np.abs(drawing[..., :3].astype(int) - expected)
    assert difference.max() <= 1  # OpenCV rounds the gray photo first
    assert drawing[..., 3].min() == 255


def test_the_value_under_the_pointer(scripts):
    found = scripts.evaluate(
        """async ([points]) => { const { valueAt } = await importModule("core/map_renderer.js");
           const map = {values: Float32Array.from([...Array(12).keys()]), rows: 3, cols: 4, stride: 32,
             origin: 0, input_size: [96, 128]};
           return points.map(([x, y]) => valueAt(map, x, y)); }""",
        [[[0, 0], [15.9, 16.1], [127, 95], [-5, 200], [64, 32]]],
    )
    # units are centerd on pixels 0, 32, 64, …
    assert [(one["row"], one["col"], one["value"]) for one in found] == [
        (0, 0, 0), (1, 0, 4), (2, 3, 11), (2, 0, 8), (1, 2, 6),
    ]  # fmt: skip


def test_the_display_store_cleans_what_it_is_given_and_tells_only_changes(scripts):
    found = scripts.evaluate(
        """() => {
          const told = [], d = window.lens.display;
          document.addEventListener("lens:display", (event) => told.push(event.detail.key));
          const asked = [["opacity", "0.5"], ["opacity", 0.5], ["opacity", 7], ["opacity", ""], ["gamma", "0.01"],
            ["gamma", "much"], ["threshold", 2], ["scale", "masked"], ["scale", "else"], ["head", "3"], ["head", "0"],
            ["head", "max"], ["direction", "to"], ["colormap", "viridis"], ["colormap", "RdBu_r"],
            ["diverging", "coolwarm"], ["model_resolution", "true"], ["model_resolution", "no"], ["nothing", 1]];
          const all = () => JSON.stringify(Object.keys(d.defaults).map((key) => d[key]));
          const now = asked.map(([key, value]) => d.set(key, value) ?? null), changed = all();
          for (const [key, value] of Object.entries(d.defaults)) d.set(key, value);
          return { now, told, changed, back: all() === JSON.stringify(Object.values(d.defaults)) };
        }"""
    )
    assert found["now"] == [
        0.5, 0.5, 1, 0.85, 0.3, 1, 0.95, "masked", "raw", 3, "mean", "max", "to", "viridis", "", "coolwarm", True,
        False, None,
    ]  # fmt: skip
    changes = "opacity opacity opacity gamma gamma threshold scale scale head head head direction colormap colormap"
    back = "diverging threshold head direction"  # what still differs when the defaults return, in their order
    assert found["told"] == [*changes.split(), "diverging", "model_resolution", "model_resolution", *back.split()]
    assert json.loads(found["changed"]) == ["", "coolwarm", 0.85, 1, 0.95, "raw", False, "max", "to"]
    assert found["back"]


TONES = {
    "gamma below 1": Tone(gamma=0.4),
    "gamma above 1": Tone(gamma=2.5),
    "threshold": Tone(threshold=0.35),
    "both": Tone(gamma=0.7, threshold=0.2),
}


def display(tone: Tone) -> dict:
    return {"gamma": tone.gamma, "threshold": tone.threshold, "scale": tone.mode}


@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("name", ["sequential", "signed", "root", "signed root", "not from zero", "one value"])
def test_gamma_and_threshold_are_the_librarys(scripts, name, tone):
    (value_range, signed, root, colormap), tone = SCALES[name], TONES[tone]
    at, seen, painted = scripts.evaluate(
        """async ([given, scale, display]) => {
          const values = given.map(Number), m = await importModule("core/map_renderer.js");
          const set = m.resolveScale(scale, values, display), shares = values.map(m.sharesOn(set));
          return [shares.map(m.colorPositionsOn(set)), shares.map((one) => m.reachesThreshold(one, set)),
            values.map(m.colorsOn(set))];
        }""",
        [VALUES, scale_of(value_range, signed, root, colormap), display(tone)],
    )
    t, painted = np.array(at, float), np.array(painted)
    expected = color_position(FLOATS, value_range, signed, root, tone)
    np.testing.assert_allclose((t + 1) / 2 if signed else t, expected, atol=1e-6)
    assert np.array_equal(seen, above(FLOATS, value_range, signed, tone))
    colors = colorize(FLOATS, value_range, colormap, signed, root, tone)
    hidden = painted[:, 3] == 0
    assert np.array_equal(hidden, (colors == HIDDEN).all(axis=1))
    assert np.array_equal(painted[~hidden, :3], colors[~hidden])
    assert hidden.any() == (tone.threshold > 0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["signed", "root", "not from zero"])
def test_raw_normalized_and_masked_overlays_are_the_librarys(scripts, name, mode):
    (value_range, signed, root, colormap), tone = SCALES[name], Tone(0.8, 0.3, mode)
    rng = np.random.default_rng(2)
    photo = rng.integers(0, 256, (16, 24, 3), dtype=np.uint8)
    heatmap = rng.normal(scale=0.1, size=(16, 24)).astype(np.float32)  # weak on the shared scale
    heatmap[0, 0] = np.nan
    scale = scale_of(value_range, signed, root, colormap)
    drawing = rendered(scripts, photo, heatmap, scale, opacity=0.6, **display(tone))
    own = shared_range([heatmap], signed) if mode == NORMALIZED else value_range
    expected = overlay(photo, heatmap, own, colormap, 0.6, signed, root, tone)
    difference = np.abs(drawing[..., :3].astype(int) - expected)
    assert difference.max() <= 1
    assert np.array_equal(expected[0, 0], np.rint(photo[0, 0] * 0.4)) == (mode == MASKED)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("clip", [1.0, 0.995, 0.5])
def test_a_maps_own_range_is_the_librarys(scripts, signed, clip):
    values = np.float32([*np.random.default_rng(3).normal(size=101), np.nan, np.inf])
    found = scripts.evaluate(
        """async ([given, signed, clip]) => { const { ownRange } = await importModule("core/map_renderer.js");
          return ownRange(Float32Array.from(given.map(Number)), {signed, clip}); }""",
        [[str(v).replace("inf", "Infinity") for v in values], signed, clip],
    )
    finite = values[:-2]
    assert found == pytest.approx(shared_range([np.minimum(finite, np.quantile(finite, clip))], signed), rel=1e-6)


def test_what_is_out_of_sight_is_drawn_once_when_it_is_seen(scripts):
    counts = scripts.evaluate(
        """async () => {
          const { whenVisible } = await importModule("core/dom.js");
          const tab = document.createElement("div"), view = document.createElement("div"), counts = [];
          const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          view.textContent = "a view";
          tab.append(view);
          document.body.append(tab);
          let drawn = 0;
          const draw = whenVisible(view, () => { drawn += 1; });
          const then = async (act) => { act(); await frames(); counts.push(drawn); };
          await then(draw); // in sight: at once
          await then(() => { tab.style.display = "none"; draw(); draw(); draw(); });
          await then(() => { tab.style.display = ""; });
          await then(() => { tab.style.display = "none"; });
          await then(() => { tab.style.display = ""; }); // nothing has changed meanwhile
          await then(() => { draw(); draw(); });
          tab.remove();
          return counts;
        }"""
    )
    assert counts == [1, 1, 2, 2, 2, 4]
