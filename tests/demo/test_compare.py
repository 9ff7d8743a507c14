"""Compare's payload: the numbers are the library's, and what cannot be compared says so."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from demo.cells import TILES
from demo.columns import Column
from demo.i18n.translate import tr
from demo.published import published
from demo.reference_image import corresponding_position
from demo.state import ViewState
from demo.timing import Timing
from demo.views import Scene, view
from demo.views.compare import MAPS, compared
from demo.views.costs import accuracy
from tests.fixtures.small_model import image, small_model
from transxnet.backbones.spec import find_backbone
from transxnet.cost import cost
from transxnet.draw.scale import shared_range
from transxnet.explain.kernels.change import kernel_change
from transxnet.explain.kernels.kernels import representatives
from transxnet.explain.sanity.agreement import attention_map
from transxnet.explain.sanity.agreement import compare_maps as compare_maps
from transxnet.study import StudyOptions, study
from transxnet.variants import VARIANTS, find_variant
from transxnet.weights.sources import BUNDLED

IMAGE, REFERENCE = image(), image(1)
OPTIONS = StudyOptions(stage=2, position=(30, 40))


def make_column(name: str, source=IMAGE, options: StudyOptions = OPTIONS, **switches: bool) -> Column:
    """A finished column: the small model, called what a test needs."""
    kind = "untrained" if name.endswith("@untrained") else "folder"
    loaded = small_model(kind, **switches)
    return Column(name, replace(study(loaded, source, options), model=name), cost(loaded.model))


@pytest.fixture(scope="module")
def columns() -> list[Column]:
    """The same class explained, by two models that differ: one has no STE."""
    return [make_column("pico"), make_column("pico_noste", options=replace(OPTIONS, target=0), ste=False)]


def render(columns: list[Column], reference: list[Column] = (), timings=None, **fields) -> dict:
    """What the browser gets."""
    scene = Scene(
        columns, IMAGE, ViewState(**fields), reference_columns=reference, reference_image=REFERENCE,
        reference_label="lion", timings=timings,
    )  # fmt: skip
    return json.loads(json.dumps(view("compare", scene)))


def decoded(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")


@pytest.mark.parametrize("name", ["attention", "receptive_field"])
def test_differences_are_those_of_the_library(columns, name):
    studies = [c.study for c in columns]
    maps = {s.model: attention_map(s.attention) if name == "attention" else s.receptive_field for s in studies}
    if name == "receptive_field":  # as multiples of their own mean
        maps = {
            key: replace(e, heatmap=e.heatmap * np.float32(1 / np.abs(e.heatmap).mean())) for key, e in maps.items()
        }
    expected = compare_maps(maps)
    panel = render(columns, compared=name)["common"]
    assert (panel["rows"], panel["cols"], panel["box"]) == (64, 64, [10, 0, 90, 80])
    first, second = (decoded(text).reshape(64, 64) for text in panel["maps"])
    assert np.array_equal(first, expected.agreement.values[0])
    difference, (cell,) = expected.differences[0], panel["differences"]["cells"]
    assert np.array_equal(second - first, difference.values)  # what js/compare.js does
    assert (cell["a"], cell["b"], cell["title"]) == (0, 1, "pico (no STE) minus pico")
    assert float(cell["data"]["correlation"]) == difference.correlation
    assert float(cell["data"]["common"]) == difference.overlap
    assert float(cell["data"]["mean"]) == difference.mean_absolute
    assert panel["differences"]["bar"]["range"] == list(shared_range([difference.values], signed=True))
    assert panel["differences"]["bar"]["signed"]
    (line,) = panel["table"]["rows"]
    assert line[1:3] == [f"{difference.correlation:.2f}", f"{100 * difference.overlap:.0f}%"]
    assert "10%" in panel["table"]["head"][2]


def test_all_models_share_one_scale(columns):
    """Attention and receptive field as elsewhere on the page, Grad-CAM with its sign."""
    for name, largest in (
        ("attention", max(c.study.attention.mean.max() for c in columns)),
        ("grad_cam", max(np.abs(c.study.grad_cam.heatmap).max() for c in columns)),
    ):
        panel = render(columns, compared=name)
        bar = panel["rows"][1]["bar"]
        assert bar["range"] == [-largest if name == "grad_cam" else 0, largest]
        cells = [decoded(cell["map"]["base64"]) for cell in panel["rows"][1]["cells"]]
        heatmaps = [
            attention_map(c.study.attention).heatmap if name == "attention" else c.study.grad_cam.heatmap
            for c in columns
        ]
        assert all(np.array_equal(cell, heatmap.ravel()) for cell, heatmap in zip(cells, heatmaps, strict=True))
        assert bar["shared"] == "shared by 2 models"
        assert render(columns[:1], compared=name)["rows"][1]["bar"]["shared"] == ""
    assert render(columns, compared="attention")["common"]["scale"].items() <= render(columns)["rows"][1]["bar"].items()


def test_unknown_map_becomes_the_first(columns):
    panel = render(columns, compared="sanity_checks")
    assert [chip["key"] for chip in panel["choose"]["chips"] if chip["pressed"]] == ["attention"]
    assert panel["common"] == render(columns)["common"]


def test_incomparable_maps_have_a_reason(columns):
    other = make_column("pico_noste", options=replace(OPTIONS, target=150), ste=False)
    ladybug = make_column("pico", options=replace(OPTIONS, target=0))
    assert "common" in render([ladybug, columns[1]], compared="grad_cam")
    panel = render([ladybug, other], compared="grad_cam")
    assert "common" not in panel
    assert f"pico: {ladybug.study.target.label}; pico (no STE): {other.study.target.label}" in panel["instead"]
    assert "common" in render([ladybug, other], compared="attention")  # which is about no class

    without = make_column("pico_noosra", osra=False)
    blind = replace(without, study=replace(without.study, missing=dict.fromkeys(MAPS, "not here")))
    panel = render([columns[0], blind])
    assert panel["instead"] == tr("compare.too_few")
    assert panel["rows"][1]["cells"][1]["text"] == "not here"
    assert render(columns[:1])["instead"] == tr("compare.alone")
    assert render([columns[0], Column("t")])["instead"].strip() == ""  # still loading


def test_map_that_one_model_lacks_is_replaced(columns):
    without = make_column("pico_noosra", options=replace(OPTIONS, target=columns[0].study.target.index), osra=False)
    panel = render([columns[0], without])
    assert [chip["key"] for chip in panel["choose"]["chips"] if chip["pressed"]] == ["grad_cam"]
    reason = "Attention is available for fewer than two of these models; showing Grad-CAM."
    assert panel["rows"][1]["sub"].startswith(reason)
    assert "common" in panel
    for studies, expected in (
        ([columns[0].study, None], "attention"),  # still loading, and may have it
        ([columns[0].study, columns[1].study, without.study], "attention"),
        ([without.study], "attention"),
    ):
        assert compared("attention", studies) == expected
    assert compared("grad_cam", [columns[0].study, without.study]) == "grad_cam"


def test_even_maps_and_rounding_are_mentioned(columns):
    def flat(c: Column, apart: float) -> Column:
        maps = c.study.attention
        heads = np.full_like(maps.heads, 1 / 4)
        heads[:, 0, 0] += apart
        return replace(c, study=replace(c.study, attention=replace(maps, heads=heads)))

    even = [flat(columns[0], 0), flat(columns[1], 1e-5)]
    panel = render(even)
    assert all(cell["caption"].endswith("uniform, every key receives 1/4") for cell in panel["rows"][1]["cells"])
    (cell,) = panel["common"]["differences"]["cells"]
    assert cell["caption"].startswith(tr("compare.only_rounding"))
    assert panel["common"]["differences"]["bar"]["range"] == pytest.approx([-0.25001, 0.25001])
    panel = render([even[0], flat(columns[1], 0.1)])
    assert "0.25 to 0.35" in panel["rows"][1]["cells"][1]["caption"]
    assert tr("compare.only_rounding") not in panel["common"]["differences"]["cells"][0]["caption"]


def test_three_models_are_three_pairs(columns):
    panel = render([*columns, make_column("pico_static", idconv=False)])["common"]
    assert [(cell["a"], cell["b"]) for cell in panel["differences"]["cells"]] == [(0, 1), (0, 2), (1, 2)]
    assert [(pair["left"], pair["right"]) for pair in panel["wipe"]["pairs"]][2] == ("pico (no STE)", "pico (static)")
    assert len(panel["table"]["rows"]) == 3


def test_costs_are_counted_or_measured(columns):
    timings = {"pico": Timing(0.020, 5, 1_570_000), "pico_noste": Timing(0.050, 5, 2_000_000)}
    panel = render(columns, timings=timings)["costs"]
    rows = {row["key"]: row["cells"] for row in panel["rows"]}
    counted = columns[0].cost
    assert rows["parameters"][0] == [f"{counted.parameters / 1e6:.2f} M"]
    assert rows["macs"][0] == [f"{counted.macs / 1e9:.3g} GMACs"]
    assert rows["time"] == [["20 ms"], ["50 ms", "2.5 × pico"]]
    memory = [[f"{c.cost.weights / 1e6:.3g} MB"] for c in columns]
    assert rows["weights"] == memory
    assert rows["activations"] == [["1.57 MB"], ["2 MB"]]
    assert rows["size"][0] == ["64 × 64 pixels"]
    assert not panel["measuring"]
    waiting = render(columns)["costs"]
    assert waiting["measuring"]
    measuring = {row["key"]: row["cells"] for row in waiting["rows"] if [tr("costs.measuring")] in row["cells"]}
    assert measuring == {"time": [[tr("costs.measuring")]] * 2, "activations": [[tr("costs.measuring")]] * 2}
    assert waiting["rows"][3]["cells"] == memory  # counted, not measured
    assert render(columns, timings={})["costs"]["rows"][2]["cells"][0] == [tr("costs.not_measured")]


def study_of(name: str, kind: str):
    spec = find_backbone(name) if name not in [v.short for v in VARIANTS.values()] else find_variant(name)
    return SimpleNamespace(spec=spec, untrained=kind == "untrained", provenance=SimpleNamespace(kind=kind))


def test_accuracy_names_its_source():
    card = json.loads((BUNDLED / "transxnet_pico.json").read_text(encoding="utf-8"))["accuracy"]
    number, source = accuracy(study_of("pico", "bundled"))
    assert number == f"{100 * card['top1']:.1f}%"
    assert f"{card['pictures']:,}" in source
    assert "Tiny-ImageNet (200 classes)" in source
    assert accuracy(study_of("t", "hub")) == ["81.6%", tr("costs.accuracy_paper")]
    assert accuracy(study_of("t", "untrained")) == [tr("costs.accuracy_random")]
    assert accuracy(study_of("pico", "folder")) == [tr("costs.accuracy_unknown")]  # somebody's own
    (timms,) = [row.top1 for row in published() if row.name == "resnet50.a1_in1k"]
    assert accuracy(study_of("resnet50.a1_in1k", "hub")) == [f"{timms:.1f}%", tr("costs.accuracy_timm")]


def test_chart_marks_the_models_of_the_page(columns):
    panel = render(columns)["chart"]
    rows = published()
    assert [(p[0], p[6], p[5], p[4]) for p in panel["points"]] == [(r.name, r.top1, r.gmacs, r.params_m) for r in rows]
    for position, row in zip(panel["points"], rows, strict=True):
        assert [panel["sources"][i] for i, _ in position[8]] == [[s.url, s.label] for s in row.sources]
    assert not any(position[10] for position in panel["points"])
    assert "Not shown: pico and pico (no STE)." in panel["strings"]["note"]

    def column_of(name: str, variant: str) -> Column:
        return Column(name, replace(columns[0].study, spec=find_variant(variant)), columns[0].cost)

    marked = {
        p[0]: p[10] for p in render([column_of("t", "t"), column_of("b_384", "b_384")])["chart"]["points"] if p[10]
    }
    assert marked == {"TransXNet T": "T", "TransXNet B@384": "B (384 px)"}
    assert "Not on" not in render([column_of("t", "t")])["chart"]["strings"]["note"]


# ---- two photos -----------------------------------------------------------------------------------------------------


def test_two_images_show_what_is_generated_for_each(columns):
    second = [make_column("pico", REFERENCE), make_column("pico_noste", REFERENCE, ste=False)]
    panel = render(columns, second, two_images=True)
    assert panel["heads"][1]["title"] == "Reference image: lion"
    assert len(panel["rows"]) == 6
    first_study, second_study = columns[0].study, second[0].study
    expected = kernel_change(first_study.kernels, second_study.kernels)
    channels = representatives(first_study.kernels, TILES)
    cells = panel["rows"][0]["cells"]
    shapes = (len(channels), 7, 7)
    kernels = [decoded(cell["tiles"]["base64"]).reshape(shapes) for cell in cells]
    assert np.array_equal(kernels[0], first_study.kernels.kernels[channels])
    assert np.array_equal(kernels[1], second_study.kernels.kernels[channels])
    assert np.array_equal(kernels[2], second_study.kernels.kernels[channels] - first_study.kernels.kernels[channels])
    assert float(cells[2]["data"]["distance"]) == np.nanmedian(expected.distance) > 0
    assert cells[2]["scale"]["range"] == list(shared_range([kernels[2]], signed=True))
    assert panel["rows"][0]["bar"]["range"] == list(shared_range(kernels[:2], signed=True))
    assert panel["foot"] == tr("compare_photos.limits")
    gates = [decoded(cell["tiles"]["base64"]) for cell in panel["rows"][1]["cells"][:2]]
    assert np.array_equal(gates[1], second_study.kernels.gates[0][channels].ravel())
    maps = panel["rows"][2]["cells"][:2]
    assert np.array_equal(decoded(maps[1]["map"]["base64"]), second_study.attention.mean.ravel())
    assert maps[1]["image"] in panel["images"]
    assert maps[1]["box"] == maps[0]["box"]  # so that the point's marks stand in the same place of both


def test_static_kernels_do_not_change_with_the_image():
    first, second = (make_column("pico_static", source, idconv=False) for source in (IMAGE, REFERENCE))
    panel = render([first], [second], two_images=True)
    cell = panel["rows"][0]["cells"][2]
    assert (decoded(cell["tiles"]["base64"]) == 0).all()
    assert float(cell["data"]["distance"]) == 0
    assert cell["caption"] == tr("compare_photos.kernels_fixed")
    assert not np.array_equal(*(decoded(c["map"]["base64"]) for c in panel["rows"][2]["cells"][:2]))


def test_missing_or_equal_reference_has_a_sentence(columns):
    panel = render(columns, two_images=True)
    assert [row["cells"][0]["kind"] for row in panel["rows"]] == ["pending", "pending"]
    panel = render(columns[:1], columns[:1], two_images=True)
    assert [cell["text"] for cell in panel["rows"][0]["cells"]] == [tr("compare_photos.same_photo")]
    kernels, _, attention = render(
        [make_column("pico_noosra", osra=False)], [make_column("pico_noosra", REFERENCE, osra=False)], two_images=True
    )["rows"]
    assert (kernels["cells"][0]["kind"], attention["cells"][0]["kind"]) == ("tiles", "text")


@pytest.mark.parametrize(
    ("position", "other", "expected"),
    [
        ((49.5, 39.5), (200, 160), (99.5, 79.5)),  # the middle stays the middle
        ((29.5, 19.5), (200, 160), (59.5, 39.5)),  # all twice as large
        ((29.5, 39.5), (80, 80), (19.5, 39.5)),  # of another shape: 20 px left of the middle
        ((0, 39.5), (80, 80), (0, 39.5)),  # outside it: held at the edge
    ],
)
def test_corresponding_position_keeps_its_place_in_the_crop(position, other, expected):
    assert corresponding_position(position, (100, 80), other) == pytest.approx(expected)


def test_corresponding_position_is_the_same_unit():
    wide = image(4, 200, 90)
    first = study(small_model(), IMAGE, OPTIONS)
    second = study(
        small_model(), wide, replace(OPTIONS, position=corresponding_position(OPTIONS.position, IMAGE.size, wide.size))
    )
    assert second.attention.query == first.attention.query
