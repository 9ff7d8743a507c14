"""What the browser gets: the raw values, one scale for maps that are compared, and text where there is no map."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from demo.cells import STALLED_AFTER, TILES, crosshair, predictions, progress
from demo.columns import Column
from demo.i18n.translate import source_name, tr
from demo.service import Arrival
from demo.state import TABS
from demo.views import Scene
from demo.views import view as view_of
from demo.views.kernels import ARRAYS
from tests.fixtures.small_model import image, small_model
from transxnet.cost import cost
from transxnet.draw.overlay import to_png
from transxnet.draw.scale import shared_range
from transxnet.draw.styles import marked_position
from transxnet.draw.text import percent
from transxnet.errors import LensError, NoWeights
from transxnet.explain.kernels.kernels import representatives
from transxnet.images import SourceImage, decode
from transxnet.results.out_of_distribution import OutOfDistribution
from transxnet.study import OVERVIEW_ANALYSES, StudyOptions, study
from transxnet.weights.load import Provenance


def view(tab: str, columns: list[Column], source: SourceImage) -> dict:
    return view_of(tab, Scene(columns, source))


POINT = (30, 70)
GRIDS = [
    name for name in TABS if name not in ("ablation", "sequence", "live", "tour")
]  # views of rows and cells; the others have tests of their own
ANALYSES = (*OVERVIEW_ANALYSES, "block_table", "stage_tables", "ablation")
IMAGE, OTHER_IMAGE = image(), image(1)


@pytest.fixture(scope="module")
def columns() -> list[Column]:
    """Two finished columns whose maps differ: the second explains another image."""
    options = StudyOptions(stage=2, position=POINT, analyses=ANALYSES)
    studies = [study(small_model(), source, options) for source in (IMAGE, OTHER_IMAGE)]
    return [
        Column("pico", studies[0], cost(small_model().model)),
        Column("pico@untrained", studies[1], cost(small_model().model)),
    ]


PENDING = Column("t", arrival=Arrival("hf-hub:lens/transxnet_t", 3_000_000, 51_200_000, silent=0.2))
ATTEMPTS = (("folder", "No folder is configured.", "Pass --weights-dir."), ("hub", "It is down.", "Wait."))
FAILED = Column("s", error=NoWeights("No weights for S.", ATTEMPTS, remedy="Take pico.", detail="/srv/secret"))


def values(cell: dict, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """What a map or tiles cell carries, as the browser decodes it."""
    part = cell[{"map": "map", "tiles": "tiles"}[cell["kind"]]]
    flat = np.frombuffer(base64.b64decode(part["base64"]), "<f4")
    return flat.reshape(shape or (part["rows"], part["cols"]))


def pixels(data_url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data_url.partition("base64,")[2]))))


def same(values: np.ndarray, expected: np.ndarray) -> bool:
    return np.array_equal(values, expected.astype(np.float32))


# ---- the overview ---------------------------------------------------------------------------------------------------


def test_overview_has_the_raw_values_of_every_model(columns):
    rows = view("overview", columns, IMAGE)["rows"]
    for column, row in zip(columns, rows, strict=True):
        s = column.study
        attention, kernels, cam, field = row["cells"]
        assert same(values(attention), s.attention.mean)
        channels = representatives(s.kernels, TILES)
        assert same(values(kernels, (len(channels), 7, 7)), s.kernels.kernels[channels])
        assert kernels["tiles"]["names"] == [f"channel {i + 1}" for i in channels]
        assert same(values(cam), np.maximum(s.grad_cam.heatmap, 0))
        assert same(values(field), s.receptive_field.heatmap / s.receptive_field.heatmap.mean())
        assert float(attention["data"]["peak"]) == s.attention.mean.max()
        assert float(field["data"]["r50"]) == s.receptive_field.numbers["r50"]
        assert attention["data"]["variant"] == column.name


def test_overview_has_one_scale_per_column(columns):
    heads = view("overview", columns, IMAGE)["heads"]
    studies = [column.study for column in columns]
    kernels = [s.kernels.kernels[representatives(s.kernels, TILES)] for s in studies]
    largest = max(np.abs(k).max() for k in kernels)
    assert heads[0]["bar"]["range"] == [0, max(s.attention.mean.max() for s in studies)]
    assert heads[1]["bar"]["range"] == [-largest, largest]
    assert heads[2]["bar"]["range"] == list(shared_range([np.maximum(s.grad_cam.heatmap, 0) for s in studies]))
    assert [(h["bar"]["signed"], h["bar"]["root"]) for h in heads] == [
        (False, False), (True, False), (False, False), (False, True),
    ]  # fmt: skip
    single_heads = view("overview", columns[:1], IMAGE)["heads"]
    assert single_heads[0]["bar"]["range"] == [0, studies[0].attention.mean.max()]


def test_map_has_its_geometry(columns):
    cell = view("overview", columns, IMAGE)["rows"][0]["cells"][0]
    keys = columns[0].study.attention.keys
    geometry = {name: cell["map"][name] for name in ("rows", "cols", "stride", "origin", "input_size")}
    assert geometry == {"rows": 2, "cols": 2, "stride": 32, "origin": 0, "input_size": [64, 64]}
    assert keys.grid == (2, 2)
    assert cell["box"] == [10, 0, 90, 80]  # of a 100 x 80 image the middle is seen
    assert cell["position"] == list(marked_position(columns[0].study.attention)) == [16, 56]  # (30, 70) there


def test_row_names_cost_and_weights(columns):
    trained, random = view("overview", columns, IMAGE)["rows"]
    assert [trained["title"], random["title"]] == ["pico", "pico (random weights)"]
    assert trained["badge"] == ""
    assert "random" in random["badge"]
    counted = columns[0].cost
    assert f"{counted.parameters / 1e6:.1f} M" in trained["sub"]
    assert trained["sub"].endswith("GMACs. Weights from small.safetensors (SHA-256 abababab…).")  # and no time
    assert trained["more"] == f"small.safetensors\nSHA-256 {'ab' * 32}"


def test_column_names_revision_digest_and_note(columns):
    provenance = Provenance(
        "hub", "hf-hub:lens/transxnet_t@v1", "cd" * 32, "0123456789" * 4, "Used because folder: None."
    )
    column = replace(columns[0], study=replace(columns[0].study, provenance=provenance))
    for heading in (view("overview", [column], IMAGE)["rows"][0], view("erf", [column], IMAGE)["heads"][0]):
        assert heading["sub"].endswith(
            "Weights from hf-hub:lens/transxnet_t@v1 at 01234567 (SHA-256 cdcdcdcd…). Used because folder: None."
        )
        assert heading["more"].splitlines()[1:3] == [f"revision {'0123456789' * 4}", f"SHA-256 {'cd' * 32}"]
    untrained = replace(column, study=replace(column.study, provenance=replace(provenance, kind="untrained")))
    assert "Used because" not in view("overview", [untrained], IMAGE)["rows"][0]["sub"]  # the badge says it


@pytest.mark.parametrize(
    ("nearer", "less_sure", "sentence"),
    [
        (0.96, 0.5, "than those of 96% of 3,000 held-out images"),
        (0.9, 0.02, "98% of 3,000 held-out images"),
        (0.9, 0.5, ""),
    ],
    ids=["unlike", "unsure", "as usual"],
)
def test_out_of_distribution_image_has_a_warning(columns, nearer, less_sure, sentence):
    scores = OutOfDistribution("transxnet_pico", 30.0, nearer, 0.2, less_sure, 3000)
    column = replace(columns[0], study=replace(columns[0].study, out_of_distribution=scores))
    warning = predictions([column])["warning"]
    assert sentence in warning
    assert bool(warning) == bool(sentence)
    is_unusual = nearer > 0.95  # the notice says what it cannot see
    assert ("most images of classes unknown to the model look usual (15% of such photos" in warning) == is_unusual
    assert predictions(columns)["warning"] == ""  # no reference values for these weights


# ---- inside the views -----------------------------------------------------------------------------------------------


def test_kernels_have_their_change_and_mixing_weights(columns):
    rows = view("kernels", columns, IMAGE)["rows"]
    for i, column in enumerate(columns):
        kernels = column.study.kernels
        channels = representatives(kernels, TILES)
        shape = (len(channels), 7, 7)
        expected = (kernels.kernels, kernels.kernels - kernels.static_kernels, kernels.gates[0])
        for row, raw in zip(rows, expected, strict=True):
            assert same(values(row["cells"][i], shape), raw[channels])
    changes = [c.study.kernels.kernels - c.study.kernels.static_kernels for c in columns]
    picked = [d[representatives(c.study.kernels, TILES)] for d, c in zip(changes, columns, strict=True)]
    assert rows[1]["bar"]["range"] == list(shared_range(picked, signed=True))
    assert rows[2]["bar"]["range"] == [0, 1]


def test_inspector_gets_the_arrays_of_the_shown_channels(columns):
    """Nothing where it was not computed; else exactly the library's arrays, in the tiles' order."""
    assert view("kernels", columns, IMAGE)["inspected"] == [None, None]
    loaded = small_model()
    kernel_study = study(
        loaded, IMAGE, StudyOptions(stage=2, position=POINT, analyses=("kernels", "kernel_arithmetic"))
    )
    panel = view("kernels", [PENDING, Column("pico", kernel_study, cost(loaded.model))], IMAGE)
    assert panel["layout"] == "kernels"
    assert panel["inspected"][0] is None
    inspected, arithmetic = panel["inspected"][1], kernel_study.kernel_arithmetic
    assert (inspected["variant"], inspected["generated"], inspected["groups"], inspected["size"]) == (
        "pico",
        True,
        2,
        7,
    )
    assert inspected["at"] == "stage 2, block 2"
    assert inspected["channels"] == representatives(kernel_study.kernels, TILES).tolist()
    assert inspected["names"] == [f"Channel {i + 1} of pico" for i in inspected["channels"]]
    assert set(inspected["base64"]) == set(ARRAYS)
    for name in ARRAYS:
        raw = getattr(arithmetic, name)
        assert same(np.frombuffer(base64.b64decode(inspected["base64"][name]), "<f4").reshape(raw.shape), raw)
    units = {"rows": 8, "cols": 8, "stride": 8, "origin": 0.0, "input_size": [64, 64], "upload": [100, 80]}
    assert inspected["units"] == units | {"box": list(kernel_study.crop.crop_box)}


def test_inspector_knows_static_kernels():
    loaded = small_model(idconv=False)
    kernel_study = study(loaded, IMAGE, StudyOptions(stage=3, analyses=("kernels", "kernel_arithmetic")))
    (inspected,) = view("kernels", [Column("pico_static", kernel_study, cost(loaded.model))], IMAGE)["inspected"]
    assert (inspected["generated"], inspected["groups"]) == (False, 1)
    assert (
        inspected["base64"]["kernels"]
        == inspected["base64"]["static_kernels"]
        == inspected["base64"]["learned_kernels"]
    )


def test_grad_cam_is_signed_first(columns):
    raw, raised = view("grad_cam", columns, IMAGE)["rows"]
    for i, column in enumerate(columns):
        heatmap = column.study.grad_cam.heatmap
        assert same(values(raw["cells"][i]), heatmap)
        assert same(values(raised["cells"][i]), np.maximum(heatmap, 0))
        assert column.study.target.label in raw["cells"][i]["caption"]
    largest = max(np.abs(column.study.grad_cam.heatmap).max() for column in columns)
    assert raw["bar"]["range"] == [-largest, largest]
    assert (raw["bar"]["signed"], raised["bar"]["signed"]) == (True, False)


def test_receptive_field_has_its_shares(columns):
    (row,) = view("erf", columns, IMAGE)["rows"]
    for column, cell in zip(columns, row["cells"], strict=True):
        numbers = column.study.receptive_field.numbers
        for percentage in (20, 30, 50, 99):
            assert f" {percent(numbers[f'r{percentage}'])}" in cell["caption"]


def test_target_outside_the_top_five_is_the_last_bar(columns):
    s = columns[0].study
    payload = predictions(columns)
    assert [(a["index"], a["share"]) for a in payload["predictions"]] == [
        (a.index, a.probability) for a in s.predictions.top
    ]
    assert [(a["wnid"], a["label"]) for a in payload["predictions"]] == [(a.wnid, a.label) for a in s.predictions.top]
    assert payload["chosen"] == s.target.index == s.predictions.top[0].index
    assert "200 classes" in payload["note"]

    last = int(np.argmin(s.predictions.probabilities))
    chosen = Column("pico", study(small_model(), IMAGE, StudyOptions(target=last, analyses=())))
    payload = predictions([PENDING, chosen])  # the first one that is there
    assert payload["chosen"] == payload["predictions"][5]["index"] == last
    assert payload["predictions"][5]["share"] == s.predictions.probabilities[last]
    (row,) = view("compare", [chosen], IMAGE)["rows"]
    assert row["cells"][0]["predictions"] == payload["predictions"]
    assert predictions([PENDING, FAILED])["predictions"] == []


# ---- the image ------------------------------------------------------------------------------------------------------


def test_notes_below_the_image_are_separate_sentences(columns):
    """A resized upload whose sides a model crops: no sentence is glued to a fragment."""
    wide = decode(to_png(np.zeros((300, 3000, 3), np.uint8)))
    note = crosshair(replace(IMAGE, notes=wide.notes), "key", POINT, columns)["note"]
    sentences = re.findall(r"[A-Z][^.]*\.(?= |$)", note)
    assert " ".join(sentences) == note
    assert "Resized from 3000 × 300 to 2048 × 205." in sentences
    assert any("input crop" in sentence for sentence in sentences)


def test_crop_is_outlined_where_it_is_a_part(columns):
    assert crosshair(IMAGE, "key", POINT, columns)["crops"] == [
        {"name": "pico", "box": [10, 0, 90, 80]}, {"name": "pico (random weights)", "box": [10, 0, 90, 80]},
    ]  # fmt: skip
    square = image(2, 80, 80)
    columns_of_square = [Column("pico", study(small_model(), square, StudyOptions(analyses=())))]
    payload = crosshair(square, "key", (10, 20), columns_of_square)
    assert (payload["crops"], payload["note"]) == ([], "")
    assert (payload["size"], payload["position"]) == ([80, 80], [10, 20])
    assert "10, 20" in payload["alt"]
    assert pixels(payload["src"]).shape == (80, 80, 3)
    assert crosshair(IMAGE, "key", POINT, [PENDING, FAILED])["crops"] == []


def test_large_image_is_sent_as_a_preview():
    assert pixels(crosshair(image(0, 1440, 480), "key", (0, 0), [])["src"]).shape == (240, 720, 3)


def test_images_are_sharp_and_at_model_resolution(columns):
    photos = view("overview", [*columns, PENDING], IMAGE)["images"]
    assert set(photos) == {"pico", "pico@untrained"}
    assert np.array_equal(pixels(photos["pico"]["input"]), columns[0].study.crop.rgb)
    sharp = pixels(photos["pico"]["src"])
    assert sharp.shape == (352, 352, 3)
    middle = Image.fromarray(IMAGE.rgb).crop((10, 0, 90, 80)).resize((352, 352), Image.Resampling.BICUBIC)
    assert np.abs(sharp.astype(float) - np.asarray(middle)).mean() < 3  # it travels as JPEG


# ---- what is not there ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GRIDS)
def test_pending_and_failed_columns_have_one_cell(columns, name):
    panel = view(name, [columns[0], PENDING, FAILED], IMAGE)
    if name == "overview":
        cells = [row["cells"][0] for row in panel["rows"]]
        assert [len(row["cells"]) for row in panel["rows"]] == [4, 1, 1]
    else:
        cells = panel["rows"][0]["cells"]
        assert all(row["cells"][i] == {"kind": "text", "text": ""} for row in panel["rows"][1:] for i in (1, 2))
    assert cells[1] == {
        "kind": "pending", "variant": "t", "text": "downloading hf-hub:lens/transxnet_t", "share": 3 / 51.2,
        "amount": "3.0 of 51.2 MB", "label": "Downloading T",
    }  # fmt: skip
    attempts = [[source_name(source), *rest] for source, *rest in ATTEMPTS]  # as a person would call them
    ways = cells[2].pop("ways")
    assert cells[2] == {
        "kind": "error",
        "text": "No weights for S.",
        "attempts": attempts,
        "remedy": tr("weights.none"),
    }
    assert [way["send"] for way in ways] == [
        {"retry": "s"}, {"instead": ["s", "s@untrained"]}, {"instead": ["s", "pico"]},
    ]  # fmt: skip
    assert "secret" not in json.dumps(panel)


@pytest.mark.parametrize("name", GRIDS)
def test_tab_without_any_study_is_complete(name):
    panel = view(name, [PENDING], IMAGE)
    assert panel["images"] == {}
    assert panel["rows"][0]["cells"][0]["kind"] == "pending"
    json.dumps(panel, allow_nan=False)


def test_download_has_its_progress():
    def cell_after(*arrival: object, silent: float = 0.0) -> dict:
        cell = progress([Column("t", arrival=Arrival(*arrival, silent=silent))])["t"]
        return {k: v for k, v in cell.items() if k not in ("kind", "variant")}

    assert cell_after() == {"text": "looking for weights"}
    assert cell_after(silent=7.9)["stalled"].startswith("No response for 7 s; still trying")
    unknown = cell_after("transx-t.pth.tar", 3_400_000, 0)
    assert (unknown["text"], unknown["share"], unknown["amount"]) == ("downloading transx-t.pth.tar", None, "3.4 MB")
    assert "stalled" not in cell_after("x", 1, 2, silent=STALLED_AFTER - 0.1)
    assert cell_after("x", 1, 2, silent=12.3)["stalled"].startswith("No data received for 12 s; still trying")
    assert cell_after("x", 5, 5, silent=60) == {"text": "loading weights"}
    assert progress([Column("s")])["s"]["text"] == "computing"
    assert progress([FAILED]) == {}


def test_error_without_attempts_has_an_empty_list():
    failed = Column("t", error=LensError("No.", remedy="Yes."))
    cell = view("overview", [failed], IMAGE)["rows"][0]["cells"][0]
    assert (cell["kind"], cell["text"], cell["attempts"], cell["remedy"]) == ("error", "No.", [], "Yes.")
    assert predictions([failed])["note"].startswith("No prediction: T could not")


@pytest.mark.parametrize("name", GRIDS)
def test_payload_is_valid_json(columns, name):
    first, second = view(name, columns, IMAGE), view(name, columns, IMAGE)
    json.dumps(first, allow_nan=False)  # JSON.parse knows no NaN
    assert second["serial"] > first["serial"]  # so that the page knows an answer from the one before
    assert all(cell.get("alt", "-") for row in first["rows"] for cell in row["cells"])
    assert first["intro"]
    assert first["foot"]
    assert "{" not in first["intro"] + first["foot"]


# ---- what a variant does without ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def siblings(columns) -> list[Column]:
    """The first column, one without OSRA and one without IDConv."""
    without = [
        Column(
            name,
            study(small_model(**switches), IMAGE, StudyOptions(stage=2, position=POINT, analyses=ANALYSES)),
            cost(small_model().model),
        )
        for name, switches in (("pico_noosra", {"osra": False}), ("pico_static", {"idconv": False}))
    ]
    return [columns[0], *without]


def test_model_without_osra_has_a_sentence(siblings, columns):
    sentence = siblings[1].study.missing["attention"]
    own_name = siblings[1].study.spec.name
    assert sentence.startswith(f"{own_name} has no OSRA")
    sentence = sentence.replace(own_name, siblings[1].title)  # as its column is called
    overview = view("overview", siblings, IMAGE)
    assert [[cell["kind"] for cell in row["cells"]] for row in overview["rows"]] == [
        ["map", "tiles", "map", "map"], ["text", "tiles", "map", "map"], ["map", "tiles", "map", "map"],
    ]  # fmt: skip
    assert overview["rows"][1]["cells"][0]["text"] == sentence
    large, every, _ = view("attention", siblings, IMAGE)["rows"]
    assert [cell["kind"] for cell in large["cells"]] == ["attention", "text", "attention"]
    assert [cell.get("text") for cell in (large["cells"][1], every["cells"][1])] == [sentence, ""]


def test_model_without_idconv_has_static_kernels(siblings):
    kernels, change, gates = view("kernels", siblings, IMAGE)["rows"]
    assert [[cell["kind"] for cell in row["cells"]] for row in (kernels, change, gates)] == [
        ["tiles"] * 3, ["tiles", "tiles", "text"], ["tiles", "tiles", "text"],
    ]  # fmt: skip
    learned = siblings[2].study.kernels
    channels = representatives(learned, TILES)
    assert same(values(kernels["cells"][2], (len(channels), 7, 7)), learned.kernels[channels])
    assert [tr("kernels.static_kernels") in cell["caption"] for cell in kernels["cells"]] == [False, False, True]
    assert [row["cells"][2]["text"] for row in (change, gates)] == [tr("kernels.not_generated"), ""]
    assert (
        view("overview", siblings, IMAGE)["rows"][2]["cells"][1]["caption"]
        == "Learned kernels, the same for every image"
    )


@pytest.mark.parametrize("name", GRIDS)
def test_tabs_of_a_sibling_are_complete(siblings, name):
    for column in siblings[1:]:
        panel = view(name, [column], IMAGE)
        json.dumps(panel, allow_nan=False)
        assert panel["rows"][0]["cells"][0]["kind"] != "error"


def test_small_share_has_a_digit():
    assert [percent(p) for p in (0.003, 0.0003, 0.046, 0.326)] == ["0.3%", "< 0.1%", "4.6%", "33%"]


def test_sanity_checks_have_the_share_of_other_tabs(columns):
    """A bad guess of an untrained model is 0.5%, not 1 %."""
    s = columns[0].study
    probabilities = np.full_like(s.predictions.probabilities, 0.0052)
    guess = replace(s, predictions=replace(s.predictions, probabilities=probabilities))
    (row,) = view("sanity_checks", [replace(columns[0], study=guess)], IMAGE)["rows"]
    assert "0.5%" in row["cells"][0]["text"]
