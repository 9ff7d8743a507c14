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
from demo.exports import TYPES, export
from demo.exports_asked import Asked, Display, display_of, in_query
from demo.i18n.translate import tr
from demo.links import State, updated
from demo.timing import Timing
from demo.views.compare import compared_map
from tests.fixtures.small_model import image, small_model
from transxnet.cost import cost
from transxnet.draw.overlay import interpolate, mark, overlay
from transxnet.draw.scale import Tone
from transxnet.draw.styles import marked_position
from transxnet.errors import LensError, UnknownName
from transxnet.explain.ablation.masking import format_mask
from transxnet.explain.sanity.agreement import compare_maps
from transxnet.export.images import Style, source_crop
from transxnet.export.records import source_digest
from transxnet.export.rows import Shot
from transxnet.images import decode
from transxnet.study import StudyOptions, study

SVG, HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
DC = "{http://purl.org/dc/elements/1.1/}"
SECRET = "grandmother-in-hospital.png"
KEYS = {
    "schema", "format", "created", "request", "images", "models", "display", "rows", "note", "source", "versions",
    "numbers", "left_out", "link", "photo",
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
def ask(upload):
    def asked(view: str, display: Display | None = None, untrained: bool = False, **more) -> Asked:
        options = {"stage": 2, "position": (30, 40)}
        if view == "ablation":
            options |= {"ablations": ("no_osra@2.0",), "mask": format_mask(GRID)}
        shots = [Shot("small", study(small_model(), upload, StudyOptions(analyses=ONLY[view], **options)), upload.rgb)]
        if untrained:
            found = study(small_model("untrained", osra=False), upload, StudyOptions(analyses=ONLY[view], **options))
            shots.append(Shot("bare", replace(found, model="bare"), upload.rgb))
        return Asked(view, shots, [upload], [""], options, display or Display(), link=f"?view={view}", **more)

    return asked


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
    found = []

    class Reader(HTMLParser):
        inside = False

        def handle_starttag(self, tag, attributes):
            self.inside = tag == "script" and ("id", "manifest") in attributes

        def handle_data(self, text):
            found.extend([text] if self.inside else [])

        def handle_endtag(self, tag):
            self.inside = False

    Reader().feed(data.decode())
    return json.loads("".join(found))


@pytest.mark.parametrize("kind", TYPES)
def test_every_format_holds_the_whole_manifest_and_no_name_or_path(ask, upload, kind):
    asked = ask("attention", untrained=True)
    file = export(kind, asked)
    assert file.name == f"transxnet-lens-attention-small-bare-stage2.{kind}"
    made = manifest_of(kind, file.data)
    assert set(made) >= KEYS
    assert (made["schema"], made["format"]) == ("transxnet-lens/export", 2)
    assert made["created"].endswith("+00:00")
    assert made["source"] == source_digest()
    assert {"python", "torch", "timm", "numpy"} <= set(made["versions"])
    assert made["request"] == {
        "view": "attention", "stage": 2, "position": [30, 40], "variants": ["small", "bare"], "head": "mean",
        "direction": "from",
    }  # fmt: skip
    (one,) = made["images"]
    assert (one["sha256"], one["size"], one["example"]) == (upload.sha256, [100, 80], None)
    assert [model["provenance"]["sha256"] for model in made["models"]] == ["ab" * 32] * 2
    assert "no OSRA" in made["models"][1]["missing"]["attention"]
    text = file.data.decode("latin-1") + json.dumps(made)
    assert not any(word in text for word in ("grandmother", "hospital", "/tmp/", "/home/", "/root/", "/wor" + "k/"))


def test_png_shows_each_map_as_the_library_draws_it(ask, upload):
    style = Style(opacity=0.6, colormaps={"attention": "viridis"}, tone=Tone(gamma=0.7, threshold=0.1))
    asked = ask("attention", Display(style))
    data = export("png", asked).data
    with Image.open(io.BytesIO(data)) as image:
        rgb, side = np.asarray(image.convert("RGB")), json.loads(image.text["transxnet-lens"])["side"]
    found = asked.shots[0].study.attention
    photo = source_crop(asked.shots[0].study, upload.rgb, side)
    heatmap = interpolate(found.mean, found.keys, photo.shape[:2])
    drawn = overlay(photo, heatmap, (0.0, float(found.mean.max())), "viridis", 0.6, tone=style.tone)
    wanted = mark(drawn, marked_position(found), found.keys.input_size)
    left = round(0.3 * side / 4.2)
    tops = [y for y in range(len(rgb) - side) if np.array_equal(rgb[y, left : left + side], wanted[0])]
    assert any(np.array_equal(rgb[y : y + side, left : left + side], wanted) for y in tops)
    assert side >= exports.SMALLEST
    assert manifest_of("png", data)["rows"][0]["range"] == pytest.approx([0, float(found.mean.max())])


def test_svg_has_words_as_text_a_bar_as_gradient_and_the_map_inside(ask):
    data = export("svg", ask("erf")).data
    root = ET.fromstring(data)
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"Receptive field: small", "gradient ÷ mean"} <= set(words)
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


def test_npz_has_the_raw_arrays(ask):
    asked = ask("overview", untrained=True)
    first, second = (shot.study for shot in asked.shots)
    with np.load(io.BytesIO(export("npz", asked).data), allow_pickle=False) as arrays:
        assert np.array_equal(arrays["small/attention"], first.attention.heads)
        assert np.array_equal(arrays["small/grad_cam"], first.grad_cam.heatmap)
        assert np.array_equal(arrays["bare/receptive_field"], second.receptive_field.heatmap)
        assert np.array_equal(arrays["bare/kernels"], second.kernels.kernels)
        assert "bare/attention" not in arrays


def test_compare_has_differences_in_every_pair(ask):
    asked = ask("compare", untrained=True, compared="receptive_field")
    made = manifest_of("npz", (file := export("npz", asked)).data)
    maps = {shot.study.model: compared_map(shot.study, "receptive_field") for shot in asked.shots}
    (wanted,) = compare_maps(maps).differences
    (pair,) = made["numbers"]["pairs"]
    assert pair["rank_correlation"] == wanted.correlation
    assert pair["mean_absolute"] == wanted.mean_absolute
    with np.load(io.BytesIO(file.data)) as arrays:
        assert np.array_equal(arrays["difference/small/bare"], wanted.values)
    titled = replace(asked, shots=[replace(shot, title=f"{shot.title}, untrained") for shot in asked.shots])
    assert "bare, untrained minus small, untrained" in export("svg", titled).data.decode()


def test_ablation_has_the_answers_before_and_after(ask):
    asked = ask("ablation")
    t = asked.shots[0].study.ablation
    made = manifest_of("svg", export("svg", asked).data)["numbers"]["small"]
    assert [one["after"]["logit"] for one in made["answers"]] == [one.logit for one in t.predictions_after]
    assert made["painted_change"] == t.mask_effect
    with np.load(io.BytesIO(export("npz", asked).data)) as arrays:
        assert np.array_equal(arrays["small/logits_after"], t.logits_after)
        assert np.array_equal(arrays["small/view_given"], t.crop)


def test_the_other_direction_and_the_largest_head_are_what_is_drawn(ask):
    to = ask("attention", replace(Display(Style(head="max")), direction="to"))
    made = manifest_of("svg", export("svg", to).data)
    users = to.shots[0].study.position_attention.attention_to
    assert made["rows"][0]["name"] == "attention_to"
    assert made["rows"][0]["range"][1] == pytest.approx(float(users.heads.max()))
    assert (made["request"]["head"], made["request"]["direction"]) == ("max", "to")
    report = export("html", to).data.decode()
    assert len(report) > 10_000
    assert "Created on the page of TransXNet Lens: <code>?view=attention</code>" in report


def test_every_file_says_the_position_that_was_asked_for(ask):
    """Of parts without maps a study's own is its view's middle, which lies between two pixels."""
    asked = ask("ablation")
    shots = [replace(shot, study=replace(shot.study, position=(49.5, 39.5))) for shot in asked.shots]
    assert b"position (30, 40)" in export("svg", replace(asked, shots=shots)).data


@pytest.mark.parametrize("view", ["kernels", "grad_cam"])
def test_every_other_view_makes_a_figure(ask, view):
    with Image.open(io.BytesIO(export("png", ask(view)).data)) as image:
        assert image.width >= exports.SMALLEST
        assert np.asarray(image.convert("RGB")).std() > 10


def test_a_large_file_is_drawn_smaller(ask, monkeypatch):
    asked = ask("erf")
    whole = export("png", asked).data
    monkeypatch.setattr(exports, "LARGEST_PNG", len(whole) // 2)
    smaller = export("png", asked).data
    assert len(smaller) <= len(whole) // 2
    assert manifest_of("png", smaller)["side"] < manifest_of("png", whole)["side"]


def test_what_a_browser_sends_is_cleaned():
    sent = {
        "opacity": 7, "gamma": "x", "threshold": 0.25, "colormap": "cividis", "diverging": "../../etc",
        "view": "masked", "head": 2, "direction": "to", "seen": True,
    }  # fmt: skip
    found = display_of(sent)
    assert found.style.opacity == 1.0
    assert found.style.tone == Tone(1.0, 0.25, "masked")
    assert found.style.colormaps["attention"] == "cividis"
    assert "contrast" not in found.style.colormaps
    assert (found.style.head, found.direction, found.seen) == (2, "to", True)
    assert display_of({"colormap": "RdBu_r", "head": -3, "opacity": float("nan")}) == display_of(None) == Display()


def test_the_address_has_what_differs_from_the_usual():
    sent = {"colormap": "viridis", "opacity": 0.85, "gamma": 0.70001, "view": "raw", "seen": True, "head": 2}
    query = in_query(sent)
    assert query == {"colors": "viridis", "gamma": "0.7", "seen": "1", "head": "2"}
    state, said = updated(State(), query)
    assert (dict(state.display), said) == (query, [])
    assert in_query("nonsense") == {}


def test_what_cannot_be_made_is_said(ask):
    with pytest.raises(UnknownName, match="'gif'"):
        export("gif", ask("erf"))
    with pytest.raises(LensError, match="Tour"):
        export("png", replace(ask("erf"), view="tour"))
    with pytest.raises(LensError, match="t: still loading"):
        export("png", replace(ask("erf"), shots=[], left_out={"t": "still on its way"}))


@pytest.mark.parametrize("kind", TYPES)
def test_a_head_that_a_stage_does_not_have_is_the_mean_as_on_the_page(ask, kind):
    """Chosen at another stage: the settings keep it."""
    lacking, mean = (ask("attention", Display(style=Style(head=head))) for head in (9, 0))
    assert len(export(kind, lacking).data) > 1000
    for one, other in zip(exports.figure_of(lacking).rows, exports.figure_of(mean).rows, strict=True):
        assert one.scale == other.scale
        assert [cell.caption for cell in one.cells] == [cell.caption for cell in other.cells]
        assert all("mean of" in cell.caption for cell in one.cells)


def test_what_variants_cost_is_told_as_on_the_page(ask):
    """Where no two maps compare, too; what was not measured is left out."""
    small = small_model()
    columns = [Column("pico", ask("compare").shots[0].study, cost(small.model, small.spec.image_size))]
    counted = exports.figure_of(ask("compare", columns=columns))
    assert counted.numbers["pairs"] == []
    one = counted.numbers["costs"]["pico"]
    assert (one["parameters"], one["side"], "seconds" in one) == (columns[0].cost.parameters, 64, False)
    asked = ask("compare", columns=columns, timings={"pico": Timing(0.02, 5, 1_570_000)})
    measured = exports.figure_of(asked)
    one = measured.numbers["costs"]["pico"]
    assert (one["seconds"], one["passes"], one["activations_bytes"]) == (0.02, 5, 1_570_000)
    rows = {key: cells for key, *cells in measured.tables[0][1].rows}
    assert rows[tr("costs.row_time")] == ["20 ms"]
    assert rows[tr("costs.row_activations")] == ["1.57 MB"]
    assert rows[tr("costs.row_accuracy")] == [tr("costs.accuracy_unknown")]
    assert set(rows) - {key for key, *_ in counted.tables[0][1].rows} == {
        tr("costs.row_time"), tr("costs.row_activations"),
    }  # fmt: skip
    assert any("interleaved runs" in note for note in measured.notes)
    assert len(export("png", asked).data) > 1000
