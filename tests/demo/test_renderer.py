"""The renderer: which parts a view state gives, in which order, and when a request is given up."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from demo import renderer as renderer_module
from demo import service as service_module
from demo.backbones import DEFAULT_BACKBONES, Backbones
from demo.cells import TILES, floats
from demo.columns import model_title
from demo.controls import MODELS_WITHOUT, SIBLINGS
from demo.exports import File
from demo.i18n.translate import tr, tr_group
from demo.page_export import export_view
from demo.page_routes import RequestIds
from demo.renderer import Renderer, RenderRequest
from demo.service import LONG_ANALYSES, StudyService
from demo.state import PREVIOUS, ViewState, center
from demo.views import ALWAYS_SHOWN, VIEWS
from tests.fixtures.small_model import image, small_model
from transxnet import load
from transxnet.errors import LensError, SourceFailed
from transxnet.explain.kernels.kernels import representatives
from transxnet.labels import label_set
from transxnet.study import StudyOptions

LABELS = label_set("tiny-imagenet-200")
BACKBONE = "timm:test_resnet@untrained"
MAX_STEPS = 50  # after which a test gives up


class Models:
    """Replaces transxnet.load: small models at once, `s` after its gate is opened, `missing` ones never."""

    missing: tuple[str, ...] = ("b",)

    def __init__(self) -> None:
        self.gate = threading.Event()

    def __call__(self, name: str, **options: object):
        if name == "s":
            assert self.gate.wait(60)
        if name in self.missing:
            raise SourceFailed("No B here.", remedy="Take pico.")
        if name.startswith("timm:"):
            return load(name.partition("@")[0] + "@untrained")
        return small_model("untrained" if "@" in name else "folder")


@pytest.fixture(scope="module")
def models():
    with pytest.MonkeyPatch.context() as patch:
        stand_in = Models()
        patch.setattr(service_module, "load", stand_in)
        yield stand_in
        stand_in.gate.set()


@pytest.fixture(scope="module")
def renderer(models) -> Renderer:
    return Renderer(StudyService(device="cpu"), backbones=DEFAULT_BACKBONES)


class Page:
    """One visitor's page: sends states as the browser does, and keeps what it received."""

    def __init__(self, renderer: Renderer):
        self.renderer = renderer
        self.requests = RequestIds()
        self.number = 0
        self.state = ViewState()
        self.held: dict[str, Any] = {}

    def steps(self, *, start: bool = False, **change: Any) -> Iterator[dict]:
        """The parts of each step after a change of the state. start: of figures that take long."""
        self.state = ViewState.model_validate(self.state.model_dump() | change)
        self.number += 1
        self.requests.begin("page", self.number)
        of_page = (partial(ask, "page", self.number) for ask in (self.requests.is_current, self.requests.is_stopped))
        request = RenderRequest(self.state, *of_page, start=start, **self.held)
        for count, parts in enumerate(self.renderer.render(request)):
            assert count < MAX_STEPS
            json.dumps(parts)
            if "state" in parts:
                self.state = ViewState.model_validate(parts["state"]["state"])
                self.held["image"] = parts["state"]["image"]
            if "panel" in parts:
                self.held["tab"] = self.state.tab
            if "figures" in parts and not parts["figures"].get("keep"):
                self.held["figures"] = parts["figures"].get("key", "")
            yield parts

    def show(self, **change: Any) -> dict:
        """All parts after a change, the last payload of each."""
        parts: dict[str, Any] = {}
        for step in self.steps(**change):
            parts |= step
        return parts


@pytest.fixture
def page(renderer) -> Page:
    return Page(renderer)


def kinds(panel: dict) -> list[list[str]]:
    return [[cell["kind"] for cell in row["cells"]] for row in panel["rows"]]


def manifest_of(file: File) -> dict:
    """The manifest of an NPZ."""
    with np.load(io.BytesIO(file.data)) as arrays:
        return json.loads(str(arrays["manifest"]))


def figure_names(parts: dict) -> list[str]:
    return [figure["name"] for figure in parts["figures"]["figures"]]


# ---- image ----------------------------------------------------------------------------------------------------------


def test_opens_on_the_first_example(page):
    parts = page.show()
    width, height = parts["crosshair"]["size"]
    assert parts["state"]["state"]["image"] == page.renderer.examples[0].name
    assert parts["crosshair"]["position"] == list(center((width, height)))
    assert len(parts["predictions"]["predictions"]) == 5
    assert kinds(parts["panel"]) == [["map", "tiles", "map", "map"]]
    assert parts["state"]["notes"] == []


def test_first_step_needs_no_model(page):
    first = next(page.steps())
    assert first["crosshair"]["src"].startswith("data:image/")
    assert {"state", "controls", "tour", "link"} <= set(first)
    assert "panel" not in first


def test_image_is_sent_once(page):
    page.show()
    parts = page.show(position=(9, 9))
    assert "src" not in parts["crosshair"]
    assert parts["crosshair"]["position"] == [9, 9]


def test_upload_replaces_the_example(page):
    key = page.renderer.service.add_upload(image())
    parts = page.show(upload=key)
    assert parts["crosshair"]["size"] == list(image().size)
    assert tr("links.upload_left_out", example=page.renderer.examples[0].name) in parts["link"]["note"]


def test_upload_that_is_gone_gives_way_to_an_example(page):
    parts = page.show(upload="0" * 32, position=(3, 3))
    assert parts["state"]["notes"] == [tr("links.upload_gone")]
    assert (page.state.upload, page.state.position) == ("", None)


def test_position_outside_the_image_becomes_the_center(page):
    parts = page.show(position=(99_999, 3))
    assert parts["state"]["notes"] == [tr("links.outside", x=99_999, y=3)]
    assert page.state.position is None


def test_unknown_target_is_dropped_with_a_note(page):
    parts = page.show(target="n99999999")
    assert "n99999999" in parts["state"]["notes"][0]
    assert page.state.target == ""


def test_target_is_the_chosen_prediction(page):
    predictions = page.show(target=LABELS.wnids[7])["predictions"]
    assert predictions["chosen"] == 7
    assert predictions["predictions"][-1]["label"] == LABELS.names[7]
    predictions = page.show(target="")["predictions"]
    assert predictions["chosen"] == predictions["predictions"][0]["index"]


# ---- superseded and stopped requests --------------------------------------------------------------------------------


def test_superseded_request_sends_nothing_more(page):
    steps = page.steps(tab="attention")
    next(steps)
    page.requests.begin("page", page.number + 1)
    assert list(steps) == []


def test_late_request_of_an_older_number_is_superseded(page):
    for number in (7, 6):
        page.requests.begin("page", number)
    assert page.requests.is_current("page", 7)
    assert not page.requests.is_current("page", 6)


@pytest.fixture
def slow_checks(monkeypatch) -> threading.Event:
    """Sanity checks that stay at 12 of 40 steps until this event."""
    go, quick = threading.Event(), service_module.study

    def slow(loaded, source, options, reference, progress):
        if "sanity_checks" not in options.analyses:
            return quick(loaded, source, options, reference, progress)
        for step in range(41):
            progress("sanity_checks", step, 40)
            while step >= 12 and not go.wait(0.01):
                progress("sanity_checks", step, 40)  # stops here once the last request has ended
        return quick(loaded, source, options, reference, progress)

    monkeypatch.setattr(service_module, "study", slow)
    yield go
    go.set()


def until_amount(steps: Iterator[dict], part: str = "figures") -> str:
    """What is done, and what is left, once the 12th step is."""
    for parts in steps:
        amount = (parts.get(part, {}).get("status") or {}).get("amount") or ""
        if amount.startswith("12 of 40"):
            return amount
    raise AssertionError("no progress")


@pytest.mark.parametrize("tab", ["sanity_checks", "ablation"])
def test_long_figures_wait_until_they_are_started(page, monkeypatch, tab):
    asked, original = [], service_module.study

    def study(loaded, source, options, *rest):
        asked.extend(options.analyses)
        return original(loaded, source, options, *rest)

    monkeypatch.setattr(service_module, "study", study)
    status, texts = page.show(tab=tab)["figures"]["status"], tr_group("progress.start_")
    assert (status["again"], status["text"]) == (texts[tab], texts[f"{tab}_hint"])
    assert not LONG_ANALYSES & set(asked)


def test_started_figures_stay_and_are_shown_again_without_a_start(page, monkeypatch):
    quick = service_module.study

    def study(loaded, source, options, reference, progress):  # without the analysis that takes a minute
        return quick(
            loaded, source, replace(options, analyses={*options.analyses} - {"sanity_checks"}), reference, progress
        )

    monkeypatch.setattr(service_module, "study", study)
    monkeypatch.setattr(renderer_module, "figures_of", lambda *_: [{"name": "checks"}])
    shown = page.show(tab="sanity_checks", position=(3, 4), start=True)["figures"]
    assert [figure["name"] for figure in shown["figures"]] == ["checks"]
    assert "figures" not in page.show(tab="sanity_checks")  # the browser holds them
    page.show(tab="overview")
    page.held["figures"] = ""
    assert page.show(tab="sanity_checks")["figures"]["figures"]  # cached
    moved = page.show(tab="sanity_checks", position=(5, 6))["figures"]
    assert (moved["figures"], moved["status"]["again"]) == ([], tr("progress.start_sanity_checks"))


def test_long_analysis_reports_what_is_done_and_left_until_superseded(page, slow_checks):
    steps = page.steps(tab="sanity_checks", start=True)
    assert re.fullmatch(r"12 of 40, about \d+ s left", until_amount(steps))
    page.requests.begin("page", page.number + 1)
    assert list(steps) == []
    assert not page.renderer.service._jobs._running


def test_stopped_request_offers_to_start_again(page, slow_checks):
    steps = page.steps(tab="sanity_checks", start=True)
    until_amount(steps)
    page.requests.stop("page", page.number)
    *_, last = steps
    assert last["figures"]["status"]["again"] == tr("progress.start_again")
    assert len(last["predictions"]["predictions"]) == 5
    assert last["progress"] == {}
    again = page.steps(start=True)
    until_amount(again)
    page.requests.begin("page", page.number + 1)
    assert list(again) == []


def test_stopped_figures_leave_the_maps(page, monkeypatch):
    go, quick = threading.Event(), service_module.study

    def slow(loaded, source, options, reference, progress):
        if "erf_pathways" not in options.analyses:
            return quick(loaded, source, options, reference, progress)
        while not go.wait(0.01):
            progress("erf_pathways", 2, 8)
        return quick(loaded, source, options, reference, progress)

    monkeypatch.setattr(service_module, "study", slow)
    steps = page.steps(tab="erf", position=(11, 12))
    until_figures = (parts for parts in steps if (parts.get("figures", {}).get("status") or {}).get("stop"))
    assert next(until_figures)["figures"]["status"]["stop"] == tr("progress.stop")
    page.requests.stop("page", page.number)
    *_, last = steps
    assert last["figures"]["figures"] == []
    assert last["figures"]["status"]["again"] == tr("progress.start_again")
    assert kinds(last["panel"])[0] == ["map"]
    go.set()


# ---- models ---------------------------------------------------------------------------------------------------------


def test_model_that_cannot_be_loaded_says_why(page):
    parts = page.show(models=("b",))
    (cell,) = parts["panel"]["rows"][0]["cells"]
    assert (cell["kind"], cell["text"]) == ("error", "No B here.")
    assert parts["predictions"]["predictions"] == []
    parts = page.show(models=("pico", "b"))
    assert kinds(parts["panel"]) == [["map", "tiles", "map", "map"], ["error"]]


def test_failed_model_is_loaded_again_by_a_retry(monkeypatch):
    monkeypatch.setattr(service_module, "load", models := Models())
    page = Page(Renderer(StudyService(device="cpu")))
    (cell,) = page.show(models=("b",))["panel"]["rows"][0]["cells"]
    assert {"retry": "b"} in [way["send"] for way in cell["ways"]]
    monkeypatch.setattr(models, "missing", ())
    assert kinds(page.show()["panel"]) == [["error"]]
    page.held["retry"] = ("b",)
    assert kinds(page.show()["panel"]) == [["map", "tiles", "map", "map"]]


def test_finished_models_are_shown_while_another_loads(page, models):
    models.gate.clear()
    steps = page.steps(models=("pico", "s"))
    panel = next(parts["panel"] for parts in steps if "panel" in parts and len(kinds(parts["panel"])[0]) == 4)
    assert kinds(panel)[1] == ["pending"]
    other_page = Page(page.renderer).show()  # no other request waits for it
    assert kinds(other_page["panel"]) == [["map", "tiles", "map", "map"]]
    page.renderer.service.peek("s").progress(4_000_000, 16_000_000, "the weights")
    parts = next(steps)  # the maps stay as they are
    assert set(parts) == {"progress"}
    assert (parts["progress"]["s"]["share"], parts["progress"]["s"]["amount"]) == (0.25, "4.0 of 16.0 MB")
    models.gate.set()
    *_, last = (parts for parts in steps if "panel" in parts)
    assert kinds(last["panel"])[1] == ["map", "tiles", "map", "map"]
    assert last["progress"] == {}
    assert ["S", "s"] in last["controls"]["models"]["choices"]  # without the arrow of a download


def test_models_to_download_have_an_arrow(page, monkeypatch):
    monkeypatch.setattr(page.renderer.service, "ready", lambda name: name in ("pico", "b"))
    choices = page.show()["controls"]["models"]["choices"]
    arrows = {name: title.endswith("\u2193") for title, name in choices}
    assert (arrows["pico"], arrows["b"], arrows["t"]) == (False, False, True)


def test_blocks_are_those_that_all_models_have(page):
    def blocks(**change: Any) -> list[int]:
        return [value for _, value in page.show(**change)["controls"]["block"]["choices"]]

    assert blocks(stage=1, block=2) == [1, 2, 0]
    assert page.state.block == 2
    assert blocks(stage=3, models=("t@untrained", "pico")) == [1, 2, 3, 4, 0]  # T has nine, pico four
    assert blocks(stage=1, models=("pico", BACKBONE)) == [1, 2, 0]  # a backbone has none


def test_block_that_a_model_lacks_becomes_the_last(page):
    parts = page.show(stage=3, block=99)
    assert page.state.block == 0
    assert tr("links.no_block", block=99, stage=3) in parts["state"]["notes"]
    choices = parts["controls"]["block"]["choices"]
    assert choices[-1] == [tr("page.last_block"), 0]


def test_classes_are_sent_with_another_label_set_only(page):
    assert page.show()["controls"]["target"]["label_set"] == "tiny-imagenet-200"
    page.held["label_set"] = "tiny-imagenet-200"
    assert page.show()["controls"]["target"] == {}
    assert page.show(models=("t@untrained",))["controls"]["target"]["label_set"] == "imagenet-1k"


def test_models_keep_their_order_and_siblings_are_hidden(page):
    names = [name for _, name in page.show()["controls"]["models"]["choices"]]
    assert not SIBLINGS & set(names)
    sibling = MODELS_WITHOUT["attention"][0]
    more = [name for _, name in page.show(models=("pico", sibling))["controls"]["models"]["choices"]]
    assert more == sorted(more, key=lambda name: (name not in names and name != sibling, more.index(name)))
    assert sibling in more


def test_backbone_is_a_column_without_parts_of_its_own(page):
    parts = page.show(models=("pico", BACKBONE))
    assert kinds(parts["panel"])[1] == ["text", "text", "map", "map"]
    assert "no TransXNet" in parts["panel"]["rows"][1]["cells"][0]["text"]
    assert [model_title(BACKBONE), BACKBONE] in parts["controls"]["models"]["choices"]
    for tab in ("attention", "kernels"):
        parts = page.show(tab=tab)
        assert "no TransXNet" in parts["panel"]["rows"][0]["cells"][1]["text"]
        assert figure_names(parts)  # of the other model
    names = [name for _, name in page.show(models=("pico",))["controls"]["models"]["choices"]]
    assert BACKBONE not in names


@pytest.mark.parametrize(("policy", "listed"), [("none", ()), ("listed", ("timm:test_vit",))])
def test_backbones_that_are_not_allowed_are_left_out(models, policy, listed):
    strict = Renderer(StudyService(device="cpu", backbones=Backbones(policy, listed)), backbones=listed)
    page = Page(strict)
    parts = page.show(models=("pico", BACKBONE))
    assert page.state.models == ("pico",)
    assert len(parts["state"]["notes"]) == 1


def test_offer_appears_once_the_model_is_loaded(page, monkeypatch):
    entry = page.renderer.service.preload("t")
    assert entry.finished.wait(60)
    offer = page.show()["controls"]["offer"]
    assert (offer["visible"], offer["waiting"]) == (True, False)
    assert not page.show(models=("pico", "t"))["controls"]["offer"]["visible"]
    monkeypatch.setattr(entry, "loaded", None)  # as if no source had it
    assert not page.renderer.controls.offer(("pico",))["visible"]
    monkeypatch.setattr(entry, "finished", threading.Event())  # as if it was still on its way
    assert page.renderer.controls.offer(("pico",))["waiting"]


# ---- tabs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tab", [tab for tab in VIEWS if tab not in ("sanity_checks", "compare")])
def test_tab_computes_its_own_analyses_only(page, tab):
    parts = page.show(tab=tab)
    assert parts["panel"]["tab"] == tab
    studies = page.renderer.service._studies.values()
    assert (
        any(set(study.options.analyses) == {*VIEWS[tab].maps, ALWAYS_SHOWN} for study in studies) or tab == "ablation"
    )


def test_figures_follow_the_maps(page):
    steps = list(page.steps(tab="erf"))
    panel = max(i for i, parts in enumerate(steps) if "panel" in parts)
    assert any(parts.get("figures", {}).get("keep") for parts in steps)  # the last ones stay meanwhile
    figures = max(i for i, parts in enumerate(steps) if parts.get("figures", {}).get("figures"))
    assert panel < figures


def test_equal_figures_are_not_drawn_again(page):
    assert page.show(tab="erf")["figures"]["figures"]
    assert "figures" not in page.show()
    assert page.show(position=(5, 5))["figures"]["figures"]


def test_attention_tables_are_sent_once(page):
    tables = page.show(tab="attention")["panel"]["tables"]
    assert all(tables.values())
    page.held["tables"] = tuple(tables)
    panel = page.show(position=(9, 9))["panel"]
    assert panel["position"] == [9, 9]
    assert set(panel["tables"]) == set(tables)
    assert set(panel["tables"].values()) == {None}


def test_full_ablation_is_drawn_when_requested(page):
    parts = page.show(tab="ablation")
    assert not parts.get("figures", {}).get("figures")
    assert not any("ablation_table" in study.options.analyses for study in page.renderer.service._studies.values())
    requested = page.show(start=True)
    assert figure_names(requested) == ["ablation_table", "ablation_heads"]
    switched = page.show(ablations=("no_osra@3.0",), mask="2x2:gA==", fill="blur")
    assert "figures" not in switched  # the table does not depend on these
    assert "figures" not in page.show(position=(5, 5))
    rows = [answer["panel"]["columns"][0]["cell"]["rows"][0] for answer in (parts, switched)]
    assert rows[0]["after"] == rows[0]["before"] != rows[1]["after"]
    assert "stage 1" in page.show(stage=1)["figures"]["figures"][1]["title"]
    assert page.show(target=LABELS.wnids[7], start=True)["figures"]["figures"]  # of another class


def test_slow_methods_are_computed_when_requested(page):
    quick = page.show(tab="grad_cam")["panel"]["rows"]
    rows = page.show(slow_methods=True)["panel"]["rows"]
    titles = ["Integrated gradients", "SmoothGrad", "Occlusion"]
    assert [row["title"] for row in rows] == [*(row["title"] for row in quick), *titles]
    assert {row["cells"][0]["kind"] for row in rows} == {"map"}


def test_other_backbones_join_the_receptive_fields(models, monkeypatch):
    renderer = Renderer(StudyService(device="cpu"), backbones=("timm:test_resnet", "timm:test_convnext"))
    monkeypatch.setattr(renderer.service, "ready", lambda name: name == "timm:test_convnext")
    page = Page(renderer)
    assert figure_names(page.show(tab="erf", other_backbones=True)) == ["beside", "erf_curves", "erf_pathways"]
    for name in (BACKBONE, "timm:test_convnext"):  # random weights where theirs are not on this disk
        assert renderer.service.peek(name).loaded is not None
    assert page.state.models == ("pico",)
    assert figure_names(page.show(other_backbones=False)) == ["erf_curves", "erf_pathways"]


def test_maps_on_the_page_stay_until_new_ones_are_there(page, monkeypatch):
    page.show()
    panels = [parts for parts in page.steps(position=(4, 4)) if "panel" in parts]
    assert len(panels) == 1  # no panel of skeletons in between


# ---- reference image ------------------------------------------------------------------------------------------------


def test_reference_is_the_next_example_until_another_is_chosen(page):
    labels = [example.name for example in page.renderer.examples]
    assert page.show(tab="kernels")["reference"]["chosen"] == labels[1]
    assert page.show(reference=labels[2])["reference"]["chosen"] == labels[2]
    assert page.show(image=labels[2])["reference"]["chosen"] == labels[3]  # never the image itself


def test_reference_may_be_the_previous_upload(page):
    service = page.renderer.service
    first, second = service.add_upload(image()), service.add_upload(image(7))
    parts = page.show(tab="kernels", upload=second, previous_upload=first, reference=PREVIOUS)
    assert (parts["reference"]["chosen"], parts["reference"]["items"][-1]["value"]) == (PREVIOUS, PREVIOUS)
    assert tr("links.reference_left_out") in parts["link"]["note"]
    parts = page.show(tab="compare", two_images=True)
    assert parts["panel"]["heads"][1]["title"] == tr("compare_photos.second_photo", label=tr("compare_photos.yours"))
    options = StudyOptions(analyses=("kernels",))
    kernels, other_kernels = (service.study(key, "pico", options).kernels for key in (second, first))
    cell = parts["panel"]["rows"][0]["cells"][1]
    assert cell["tiles"]["base64"] == floats(other_kernels.kernels[representatives(kernels, TILES)])
    manifest = manifest_of(export_view(page.renderer, page.state, "npz"))
    assert [source["sha256"] for source in manifest["images"]] == [image(7).sha256, image().sha256]
    assert [source["example"] for source in manifest["images"]] == [None, None]


def test_reference_that_is_gone_is_an_example(page):
    key = page.renderer.service.add_upload(image())
    parts = page.show(tab="kernels", upload=key, previous_upload="0" * 32, reference=PREVIOUS)
    assert parts["reference"]["chosen"] == page.renderer.examples[0].name
    assert PREVIOUS not in [item["value"] for item in parts["reference"]["items"]]


# ---- URL, tour, files -----------------------------------------------------------------------------------------------


def test_url_names_a_step_of_the_tour(renderer):
    state, notes = renderer.open([("tour", "3")])
    assert (state.tour, state.tab, notes) == (3, "attention", [])
    state, _ = renderer.open([("tour", "3"), ("tab", "erf")])
    assert (state.tour, state.tab) == (3, "erf")


def test_file_shows_what_the_page_shows(page):
    page.show(tab="grad_cam")
    file = export_view(page.renderer, page.state, "png")
    assert "-small-grad_cam-stage4-" in file.name
    assert file.data.startswith(b"\x89PNG")


def test_models_of_a_file_explain_the_class_of_the_first(page, monkeypatch):
    options = []
    study = page.renderer.service.study
    monkeypatch.setattr(page.renderer.service, "study", lambda *args: options.append(args[2]) or study(*args))
    parts = page.show(tab="grad_cam", models=("pico", "pico@untrained"))
    options.clear()
    manifest = manifest_of(export_view(page.renderer, page.state, "npz"))
    first = parts["predictions"]["predictions"][0]["wnid"]
    assert [(one.target, one.allow_missing_target) for one in options] == [(None, False), (first, True)]
    assert manifest["link"] == "?models=pico,pico@untrained&tab=grad_cam"


def test_file_of_a_model_that_is_not_ready_is_refused(page):
    page.show(models=("b",))
    with pytest.raises(LensError, match="No B here"):
        export_view(page.renderer, page.state, "png")


def test_tour_has_no_file(page):
    page.show(tab="tour")
    with pytest.raises(LensError):
        export_view(page.renderer, page.state, "png")


def test_studies_are_shared_between_pages(renderer):
    Page(renderer).show(position=(11, 12))
    before = len(renderer.service._studies)
    Page(renderer).show(position=(11, 12))
    assert len(renderer.service._studies) == before


def test_prediction_alone_is_a_study_without_maps(page):
    page.show()
    study = page.renderer.service.study(page.held["image"], "pico", StudyOptions(analyses=()))
    assert replace(study.options, analyses=()) == study.options
    assert LABELS.names[study.target.index] == study.target.label
