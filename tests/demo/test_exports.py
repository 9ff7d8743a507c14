"""Downloads: each format opened by a reader that knows nothing of us, its numbers the library's, its manifest whole."""

from __future__ import annotations

import base64
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from demo import exports
from demo.columns import Column
from demo.export_request import ChosenMap, Display, ExportRequest, display_of
from demo.exports import TYPES, export, export_map
from demo.i18n.translate import tr
from demo.timing import Timing
from demo.views.compare import compared_map
from tests.fixtures.small_model import image, small_model
from tests.masks import format_mask
from transxnet.cost import cost
from transxnet.draw.overlay import interpolate, mark, overlay
from transxnet.draw.scale import Tone
from transxnet.draw.styles import marked_position
from transxnet.errors import LensError, UnknownName
from transxnet.explain.sanity.agreement import compare_maps
from transxnet.export.images import Style, source_crop
from transxnet.export.map_options import MapFileOptions
from transxnet.export.records import source_digest
from transxnet.export.rows import Shot
from transxnet.images import decode
from transxnet.study import StudyOptions, study

SVG, HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
DC = "{http://purl.org/dc/elements/1.1/}"
SECRET = "grandmother-in-hospital.png"
KEYS = {
    "schema", "format", "created", "request", "images", "models", "display", "rows", "note", "source", "versions",
    "numbers", "left_out", "link", "image_pixels",
}  # fmt: skip
GRID = np.zeros((8, 10), bool)
GRID[2:5, 3:6] = True
ONLY = {
    "overview": ("attention", "kernels", "grad_cam", "receptive_field"), "attention": ("attention",
    "position_attention"),
    "kernels": ("kernels",), "grad_cam": ("grad_cam", "contrast"), "erf": ("receptive_field",),
    "ablation": ("ablation",),
    "compare": ("attention", "kernels", "grad_cam", "receptive_field"),
}  # fmt: skip


@pytest.fixture(scope="module")
def upload():
    """A visitor's own image, whose name is nobody's business."""
    buffer = io.BytesIO()
    Image.fromarray(image().rgb).save(buffer, "PNG")
    return decode(buffer.getvalue(), name=SECRET)


@pytest.fixture(scope="module")
def make_request(upload):
    def request(view: str, display: Display | None = None, untrained: bool = False, **more) -> ExportRequest:
        options = {"stage": 2, "position": (30, 40)}
        if view == "ablation":
            options |= {"ablations": ("no_osra@2.0",), "mask": format_mask(GRID)}
        study_options = StudyOptions(analyses=ONLY[view], **options)
        shots = [Shot("small", study(small_model(), upload, study_options), upload.rgb)]
        if untrained:
            untrained_study = study(
                small_model("untrained", osra=False), upload, StudyOptions(analyses=ONLY[view], **options)
            )
            shots.append(Shot("bare", replace(untrained_study, model="bare"), upload.rgb))
        return ExportRequest(view, shots, [upload], [""], options, display or Display(), link=f"?tab={view}", **more)

    return request


def manifest_of(kind: str, data: bytes) -> dict:
    """As somebody reads it who has the file alone."""
    if kind == "png":
        with Image.open(io.BytesIO(data)) as image:
            return json.loads(image.text["transxnet-lens"])
    if kind == "svg":
        return json.loads(next(ET.fromstring(data).iter(f"{DC}description")).text)
    if kind == "npz":
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return json.loads(str(arrays["manifest"]))
    scripts = []

    class Reader(HTMLParser):
        inside = False

        def handle_starttag(self, tag, attributes):
            self.inside = tag == "script" and ("id", "manifest") in attributes

        def handle_data(self, text):
            scripts.extend([text] if self.inside else [])

        def handle_endtag(self, tag):
            self.inside = False

    Reader().feed(data.decode())
    return json.loads("".join(scripts))


@pytest.mark.parametrize("kind", TYPES)
def test_every_format_has_the_manifest_without_paths(make_request, upload, kind):
    request = make_request("attention", untrained=True)
    file = export(kind, request)
    assert file.name == f"{upload.sha256[:12]}-small-bare-attention-stage2-triumphal-arch.{kind}"
    manifest = manifest_of(kind, file.data)
    assert set(manifest) >= KEYS
    assert (manifest["schema"], manifest["format"]) == ("transxnet-lens/export", 3)
    assert manifest["created"].endswith("+00:00")
    assert manifest["source"] == source_digest()
    assert {"python", "torch", "timm", "numpy"} <= set(manifest["versions"])
    assert manifest["request"] == {
        "tab": "attention", "stage": 2, "position": [30, 40], "models": ["small", "bare"], "head": "mean",
        "direction": "from",
    }  # fmt: skip
    (source,) = manifest["images"]
    assert (source["sha256"], source["size"], source["example"]) == (upload.sha256, [100, 80], None)
    assert [model["provenance"]["sha256"] for model in manifest["models"]] == ["ab" * 32] * 2
    assert "no OSRA" in manifest["models"][1]["missing"]["attention"]
    text = file.data.decode("latin-1") + json.dumps(manifest)
    assert not any(word in text for word in ("grandmother", "hospital", "/tmp/", "/home/", "/root/", "/wor" + "k/"))


def test_png_has_the_pixels_of_the_library(make_request, upload):
    style = Style(opacity=0.6, colormaps={"attention": "viridis"}, tone=Tone(gamma=0.7, threshold=0.1))
    request = make_request("attention", Display(style))
    data = export("png", request).data
    with Image.open(io.BytesIO(data)) as image:
        rgb, side = np.asarray(image.convert("RGB")), json.loads(image.text["transxnet-lens"])["side"]
    attention = request.shots[0].study.attention
    photo = source_crop(request.shots[0].study, upload.rgb, side)
    heatmap = interpolate(attention.mean, attention.keys, photo.shape[:2])
    expected = overlay(photo, heatmap, (0.0, float(attention.mean.max())), "viridis", 0.6, tone=style.tone)
    expected = mark(expected, marked_position(attention), attention.keys.input_size)
    left = round(0.3 * side / 4.2)
    tops = [y for y in range(len(rgb) - side) if np.array_equal(rgb[y, left : left + side], expected[0])]
    assert any(np.array_equal(rgb[y : y + side, left : left + side], expected) for y in tops)
    assert side >= exports.SMALLEST
    assert manifest_of("png", data)["rows"][0]["range"] == pytest.approx([0, float(attention.mean.max())])


def test_svg_has_text_a_gradient_and_the_map(make_request):
    data = export("svg", make_request("erf")).data
    root = ET.fromstring(data)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"Receptive field: small", "gradient ÷ mean"} <= set(texts)
    bar, *images = root.iter(f"{SVG}image")
    assert bar.get("aria-label") == "gradient ÷ mean"
    for element in images:
        with Image.open(io.BytesIO(base64.b64decode(element.get(HREF).removeprefix("data:image/png;base64,")))) as png:
            assert png.width >= exports.SMALLEST
        assert element.get("aria-label")
    assert images[0].get("aria-label").startswith("Receptive field. Stage 2, block 2")
    references = [element.get(key) for element in root.iter() for key in (HREF, "href", "src") if element.get(key)]
    assert all(reference.startswith(("data:image/png;", "#")) for reference in references)
    assert b"url(http" not in data


def test_npz_has_the_raw_arrays(make_request):
    request = make_request("overview", untrained=True)
    first, second = (shot.study for shot in request.shots)
    with np.load(io.BytesIO(export("npz", request).data), allow_pickle=False) as arrays:
        assert np.array_equal(arrays["small/attention"], first.attention.heads)
        assert np.array_equal(arrays["small/grad_cam"], first.grad_cam.heatmap)
        assert np.array_equal(arrays["bare/receptive_field"], second.receptive_field.heatmap)
        assert np.array_equal(arrays["bare/kernels"], second.kernels.kernels)
        assert "bare/attention" not in arrays


@pytest.mark.parametrize("view", ONLY)
def test_npz_names_axes_and_units_of_every_array(make_request, view):
    data = export("npz", make_request(view)).data
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        described = json.loads(str(arrays["manifest"]))["arrays"]
        assert set(described) == set(arrays) - {"manifest"}
        for name, entry in described.items():
            assert (entry["shape"], len(entry["axes"])) == (list(arrays[name].shape), arrays[name].ndim), name
    if view == "kernels":
        assert described["small/kernels_gates"] == {
            "shape": [2, 8, 7, 7], "axes": ["learned kernel", "channel", "tap row", "tap column"], "units": "share",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("view", "row"),
    [("overview", "attention"), ("attention", "attention"), ("kernels", "gates"), ("kernels", "difference"),
     ("grad_cam", "grad_cam_raw"), ("erf", "receptive_field"), ("compare", "attention")],
)  # fmt: skip
def test_one_map_of_a_tab_is_a_file(make_request, upload, view, row):
    file = export_map(ChosenMap(row, "small", MapFileOptions("svg")), make_request(view))
    assert file.kind == "image/svg+xml"
    of_tab = [view] if row == view else [view, row]
    stage = "stage4" if view == "grad_cam" else "stage2"
    assert file.name == "-".join([upload.sha256[:12], "small", *of_tab, stage, "triumphal-arch.svg"])
    root = ET.fromstring(file.data)
    bar_and_map = list(root.iter(f"{SVG}image"))
    assert len(bar_and_map) == 2
    manifest = manifest_of("svg", file.data)
    assert manifest["map"] == {
        "row": row, "column": "small", "format": "svg", "width": 3.5, "dpi": 300, "caption": True, "color_bar": True,
    }  # fmt: skip
    assert set(manifest) >= KEYS


def test_one_map_of_a_difference_and_of_the_reference_image(make_request, upload):
    request = make_request("compare", untrained=True, compared="receptive_field")
    file = export_map(ChosenMap("difference", "small/bare"), request)
    assert "small-bare-compare-difference-stage2" in file.name
    both = replace(request, shots=request.shots[:1], second=request.shots[:1], images=[upload] * 2, labels=["", "lion"])
    file = export_map(ChosenMap("kernels", "second/small"), both)
    assert "lion-second-small-compare-kernels" in file.name
    for missing in (ChosenMap("kernels", "large"), ChosenMap("rollout", "small")):
        with pytest.raises(LensError, match="does not show this map"):
            export_map(missing, both)


def test_compare_has_differences_in_every_pair(make_request):
    request = make_request("compare", untrained=True, compared="receptive_field")
    manifest = manifest_of("npz", (file := export("npz", request)).data)
    maps = {shot.study.model: compared_map(shot.study, "receptive_field") for shot in request.shots}
    (expected,) = compare_maps(maps).differences
    (pair,) = manifest["numbers"]["pairs"]
    assert pair["rank_correlation"] == expected.correlation
    assert pair["mean_absolute"] == expected.mean_absolute
    with np.load(io.BytesIO(file.data)) as arrays:
        assert np.array_equal(arrays["difference/small/bare"], expected.values)
    titled = replace(request, shots=[replace(shot, title=f"{shot.title}, untrained") for shot in request.shots])
    assert "bare, untrained minus small, untrained" in export("svg", titled).data.decode()


def test_ablation_has_the_predictions_before_and_after(make_request):
    request = make_request("ablation")
    t = request.shots[0].study.ablation
    manifest = manifest_of("svg", export("svg", request).data)["numbers"]["small"]
    assert [one["after"]["logit"] for one in manifest["predictions"]] == [one.logit for one in t.predictions_after]
    assert manifest["occlusion"]["logit_change"] == t.mask_effect
    with np.load(io.BytesIO(export("npz", request).data)) as arrays:
        assert np.array_equal(arrays["small/logits_after"], t.logits_after)
        assert np.array_equal(arrays["small/crop_occluded"], t.crop)


def test_direction_and_maximum_over_heads_are_drawn(make_request):
    to = make_request("attention", replace(Display(Style(head="max")), direction="to"))
    manifest = manifest_of("svg", export("svg", to).data)
    users = to.shots[0].study.position_attention.attention_to
    assert manifest["rows"][0]["name"] == "attention_to"
    assert manifest["rows"][0]["range"][1] == pytest.approx(float(users.heads.max()))
    assert (manifest["request"]["head"], manifest["request"]["direction"]) == ("max", "to")
    report = export("html", to).data.decode()
    assert len(report) > 10_000
    assert "Created on the page of TransXNet Lens: <code>?tab=attention</code>" in report


def test_every_file_says_the_requested_position(make_request):
    """Of parts without maps a study's own is its view's middle, which lies between two pixels."""
    request = make_request("ablation")
    shots = [replace(shot, study=replace(shot.study, position=(49.5, 39.5))) for shot in request.shots]
    assert b"position (30, 40)" in export("svg", replace(request, shots=shots)).data


@pytest.mark.parametrize("view", ["kernels", "grad_cam"])
def test_other_tabs_make_a_figure(make_request, view):
    with Image.open(io.BytesIO(export("png", make_request(view)).data)) as image:
        assert image.width >= exports.SMALLEST
        assert np.asarray(image.convert("RGB")).std() > 10


def test_large_file_is_drawn_smaller(make_request, monkeypatch):
    request = make_request("erf")
    full_size = export("png", request).data
    monkeypatch.setattr(exports, "LARGEST_PNG", len(full_size) // 2)
    smaller = export("png", request).data
    assert len(smaller) <= len(full_size) // 2
    assert manifest_of("png", smaller)["side"] < manifest_of("png", full_size)["side"]


def test_colormaps_are_of_magnitudes_or_signed_maps():
    display = display_of(2, "to", "cividis", "coolwarm", 0.5, 2.0, 0.25, "masked", True)
    assert (display.style.head, display.style.opacity, display.style.tone) == (2, 0.5, Tone(2.0, 0.25, "masked"))
    assert (display.style.colormaps["attention"], display.style.colormaps["contrast"]) == ("cividis", "coolwarm")
    assert (display.direction, display.model_resolution) == ("to", True)
    assert display_of() == Display()


def test_impossible_file_is_refused(make_request):
    with pytest.raises(UnknownName, match="'gif'"):
        export("gif", make_request("erf"))
    with pytest.raises(LensError, match="no maps to download"):
        export("png", replace(make_request("erf"), view="tour"))
    with pytest.raises(LensError, match="t: still loading"):
        export("png", replace(make_request("erf"), shots=[], left_out={"t": "still on its way"}))


@pytest.mark.parametrize("kind", TYPES)
def test_head_that_a_stage_lacks_is_the_mean(make_request, kind):
    """Chosen at another stage: the settings keep it."""
    lacking, mean = (make_request("attention", Display(style=Style(head=head))) for head in (9, 0))
    assert len(export(kind, lacking).data) > 1000
    for row, mean_row in zip(exports.content_of(lacking).rows, exports.content_of(mean).rows, strict=True):
        assert row.scale == mean_row.scale
        assert [cell.caption for cell in row.cells] == [cell.caption for cell in mean_row.cells]
        assert all("mean of" in cell.caption for cell in row.cells)


def test_costs_are_those_of_the_page(make_request):
    """Where no two maps compare, too; what was not measured is left out."""
    small = small_model()
    columns = [Column("pico", make_request("compare").shots[0].study, cost(small.model, small.spec.image_size))]
    counted = exports.content_of(make_request("compare", columns=columns))
    assert counted.numbers["pairs"] == []
    costs = counted.numbers["costs"]["pico"]
    assert (costs["parameters"], costs["side"], "seconds" in costs) == (columns[0].cost.parameters, 64, False)
    request = make_request("compare", columns=columns, timings={"pico": Timing(0.02, 5, 1_570_000)})
    measured = exports.content_of(request)
    costs = measured.numbers["costs"]["pico"]
    assert (costs["seconds"], costs["passes"], costs["activations_bytes"]) == (0.02, 5, 1_570_000)
    rows = {key: cells for key, *cells in measured.tables[0][1].rows}
    assert rows[tr("costs.row_time")] == ["20 ms"]
    assert rows[tr("costs.row_activations")] == ["1.57 MB"]
    assert rows[tr("costs.row_accuracy")] == [tr("costs.accuracy_unknown")]
    assert set(rows) - {key for key, *_ in counted.tables[0][1].rows} == {
        tr("costs.row_time"), tr("costs.row_activations"),
    }  # fmt: skip
    assert any("interleaved" in note for note in measured.notes)
    assert len(export("png", request).data) > 1000
