"""The named endpoints, through Gradio's own client and a page served in this process on loopback."""

from __future__ import annotations

import io
import json
import secrets
import threading
from argparse import Namespace
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio import processing_utils
from gradio_client import Client, handle_file
from PIL import Image
from safetensors.torch import save_file

from demo.examples import examples
from demo.i18n.translate import tr
from demo.renderer import Renderer
from demo.server import launch_options
from demo.service import StudyService
from demo.ui.page import Page
from demo.views.compare import compared_map
from transxnet import load
from transxnet.explain.attribution.methods import METHODS
from transxnet.explain.sanity.agreement import compare_maps
from transxnet.export.figures import figures_for
from transxnet.images import decode
from transxnet.study import StudyOptions, study

IMAGE = examples()[0].path
ENDPOINTS = {
    "/predict": ["image", "model", "top", "autocast", "image_size"],
    "/attention": ["image", "model", "stage", "block", "head", "x", "y", "image_size"],
    "/kernels": ["image", "model", "stage", "block", "image_size"],
    "/grad_cam": ["image", "model", "target", "stage", "cam_layer", "image_size"],
    "/erf": ["image", "model", "stage", "x", "y", "image_size"],
    "/explain": [
        "image",
        "model",
        "analysis",
        "stage",
        "block",
        "target",
        "cam_layer",
        "x",
        "y",
        "reference",
        "image_size",
    ],
    "/ablation_table": ["image", "model", "target", "stage", "reference", "image_size"],
    "/sanity_checks": ["image", "model", "target", "stage", "x", "y", "full_cascade", "image_size"],
    "/compare": ["image", "models", "analysis", "stage", "block", "target", "cam_layer", "x", "y", "image_size"],
    "/ablation": ["image", "model", "ablations", "mask", "fill", "target", "reference", "image_size"],
    "/export": [
        "image",
        "tab",
        "format",
        "models",
        "stage",
        "block",
        "target",
        "cam_layer",
        "x",
        "y",
        "head",
        "direction",
        "colormap",
        "diverging",
        "opacity",
        "gamma",
        "threshold",
        "scale",
        "ablations",
        "mask",
        "fill",
        "image_size",
    ],
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A folder with a pico, so that these tests need no bundled one: random weights, saved as trained ones are."""
    folder = tmp_path_factory.mktemp("weights")
    save_file(load("pico@untrained").model.state_dict(), folder / "transxnet_pico.safetensors")
    return folder


@pytest.fixture(scope="module")
def client(weights) -> Iterator[Client]:
    page = Page(Renderer(StudyService(device="cpu", weights_dir=str(weights))))
    page.blocks.queue(api_open=False)
    options = launch_options(Namespace(host="127.0.0.1", quiet=True))
    _, url, _ = page.blocks.launch(prevent_thread_lock=True, **options)
    try:
        yield Client(url, verbose=False)
    finally:
        page.blocks.close()


@pytest.fixture(scope="module")
def expected(weights):
    """The library's study of the same image with every default."""
    return study(load("pico", weights_dir=weights), decode(IMAGE))


def refusal(client: Client, *args: object, **kwargs: object) -> str:
    """The sentence of an error."""
    with pytest.raises(Exception) as caught:
        client.predict(*args, **kwargs)
    sentence = str(caught.value)
    assert "/" not in sentence
    assert len(sentence.split()) > 5
    assert "show_error" not in sentence  # Gradio's words where it was given none
    return sentence


# ---- what can be asked ----------------------------------------------------------------------------------------------


def test_endpoints_and_their_parameters(client):
    described = client.view_api(return_format="dict")
    assert described["unnamed_endpoints"] == {}
    endpoints = described["named_endpoints"]
    assert {
        name: [p["parameter_name"] for p in endpoint["parameters"]] for name, endpoint in endpoints.items()
    } == ENDPOINTS
    for name, endpoint in endpoints.items():
        assert [p["parameter_has_default"] for p in endpoint["parameters"]] == [False] + [True] * (
            len(ENDPOINTS[name]) - 1
        )
        assert endpoint["description"].splitlines()[0].endswith(".")
        assert "Returns JSON" in endpoint["description"].replace("\n", " ")
        returned = {"/predict": ["numbers"], "/export": ["numbers", "file"]}
        assert [r["label"] for r in endpoint["returns"]] == returned.get(name, ["numbers", "png", "npz"])
        image = endpoint["parameters"][0]
        assert "URL" not in json.dumps(image["python_type"])  # addresses are not fetched
        assert "http" not in json.dumps(image["example_input"])


def test_choices_are_described_as_enums(client):
    described = client.view_api(return_format="dict")["named_endpoints"]
    enums = {
        (name, p["parameter_name"]): p["type"].get("enum")
        for name, endpoint in described.items()
        for p in endpoint["parameters"]
    }
    assert enums["/attention", "stage"] == [1, 2, 3, 4]
    assert enums["/export", "format"] == ["png", "svg", "npz", "html"]
    assert enums["/export", "scale"] == ["raw", "normalized", "masked"]
    assert enums["/compare", "analysis"] == ["attention", "grad_cam", "receptive_field"]
    assert enums["/ablation", "fill"] == ["gray", "blur", "inpaint"]
    assert "sanity_checks" in enums["/explain", "analysis"]
    assert enums["/predict", "model"] is None


# ---- variants without a part ----------------------------------------------------------------------------------------


def test_attention_of_a_model_without_osra_is_refused(client):
    sentence = refusal(client, handle_file(IMAGE), "pico_noosra@untrained", api_name="/attention")
    assert "has no OSRA, so there is no attention: its IDConv takes all channels." in sentence
    assert sentence.endswith(tr("errors.part_missing_remedy"))


@pytest.mark.parametrize("endpoint", ["/predict", "/kernels", "/grad_cam", "/erf"])
def test_other_endpoints_accept_a_model_without_osra(client, endpoint):
    reply = client.predict(handle_file(IMAGE), "pico_noosra@untrained", api_name=endpoint)
    assert (reply if endpoint == "/predict" else reply[0])["model"] == "pico_noosra@untrained"


def test_kernels_of_a_model_without_idconv_are_static(client):
    _, _, npz = client.predict(handle_file(IMAGE), "pico_static@untrained", api_name="/kernels")
    arrays = np.load(npz)
    learned = load("pico_static@untrained", device="cpu").model.network[4][-1].token_mixer.local_unit.weight
    assert np.array_equal(arrays["kernels"], arrays["kernels_static"])
    assert (arrays["kernels_gates"] == 1).all()
    assert np.array_equal(arrays["kernels"], learned.numpy()[0])


# ---- values ---------------------------------------------------------------------------------------------------------


def test_predict_with_an_image_only(client, expected):
    reply = client.predict(handle_file(IMAGE), api_name="/predict")
    assert [a["index"] for a in reply["predictions"]] == [a.index for a in expected.predictions.top]
    assert [a["probability"] for a in reply["predictions"]] == pytest.approx(
        [a.probability for a in expected.predictions.top]
    )
    assert reply["provenance"] == expected.provenance.as_json()
    assert reply["untrained"] is False
    assert len(client.predict(handle_file(IMAGE), top=3, api_name="/predict")["predictions"]) == 3


@pytest.mark.parametrize(
    ("endpoint", "part", "array"),
    [
        ("/attention", "attention", "heads"),
        ("/kernels", "kernels", "kernels"),
        ("/grad_cam", "grad_cam", "heatmap"),
        ("/erf", "receptive_field", "heatmap"),
    ],
)
def test_maps_with_an_image_only(client, expected, endpoint, part, array):
    numbers, png, npz = client.predict(handle_file(IMAGE), api_name=endpoint)
    raw = getattr(getattr(expected, part), array)
    arrays = np.load(npz, allow_pickle=False)
    assert arrays[part] == pytest.approx(raw, rel=1e-5, abs=1e-7 * float(np.abs(raw).max()))
    assert numbers["range"] == pytest.approx([raw.min(), raw.max()], rel=1e-5, abs=1e-8)
    assert numbers["provenance"] == expected.provenance.as_json()
    assert numbers["crop"]["source_size"] == list(decode(IMAGE).size)
    with Image.open(png) as image:
        assert image.format == "PNG"
        assert np.asarray(image).std() > 1
    if part == "receptive_field":
        assert numbers["numbers"]["r50"] == pytest.approx(expected.receptive_field.numbers["r50"], rel=1e-6)
    if part == "grad_cam":
        assert numbers["target"]["index"] == expected.target.index


def test_parameters_reach_the_study(client, weights):
    options = StudyOptions(stage=2, block=1, position=(40, 200), target="goldfish", cam_layer=3)
    expected = study(load("pico", weights_dir=weights), decode(IMAGE), options)
    at = {"stage": 2, "x": 40, "y": 200}
    _, _, npz = client.predict(handle_file(IMAGE), block=1, head=2, **at, api_name="/attention")
    assert np.load(npz)["attention"] == pytest.approx(expected.attention.heads, rel=1e-5, abs=1e-8)
    numbers, _, _ = client.predict(handle_file(IMAGE), **at, api_name="/erf")
    assert numbers["numbers"] == pytest.approx(expected.receptive_field.numbers, rel=1e-5)
    assert numbers["position"] == [40, 200]
    numbers, _, npz = client.predict(handle_file(IMAGE), target="goldfish", stage=3, api_name="/grad_cam")
    heatmap = expected.grad_cam.heatmap
    assert np.load(npz)["grad_cam"] == pytest.approx(heatmap, rel=1e-4, abs=1e-6 * float(np.abs(heatmap).max()))
    assert numbers["target"]["label"] == "goldfish"


def test_random_weights_need_their_name(client):
    reply = client.predict(handle_file(IMAGE), model="pico@untrained", api_name="/predict")
    assert reply["untrained"] is True
    assert reply["provenance"]["kind"] == "untrained"


# ---- any part, with its figures -------------------------------------------------------------------------------------


def test_explain_returns_any_analysis_with_figures(client, weights):
    expected = study(
        load("pico", weights_dir=weights),
        decode(IMAGE),
        StudyOptions(stage=2, analyses=("clusters", "pathway_energies")),
    )
    numbers, pngs, npz = client.predict(handle_file(IMAGE), analysis="clusters", stage=2, api_name="/explain")
    (figure,) = numbers["figures"]
    assert figure["name"] == "kernel_clusters"
    assert figure["limits"]
    assert figure["alt"]
    assert (figure["png"], len(pngs)) == (0, 1)
    assert len(figure["table"]["rows"]) == len(expected.clusters.medoids)
    assert json.loads(str(np.load(npz)["about"])) == numbers
    with Image.open(pngs[0]) as image:
        assert image.format == "PNG"
        assert image.width >= 1200
    _, _, npz = client.predict(handle_file(IMAGE), analysis="pathway_energies", api_name="/explain")
    (study_figure,) = figures_for("pathway_energies", [expected])
    raw = np.load(npz)
    for name, values in study_figure.arrays.items():
        assert raw[f"{study_figure.name}/{name}"] == pytest.approx(values, rel=1e-4)


def test_explain_returns_raw_maps_of_a_backbone(client):
    backbone = "timm:test_resnet@untrained"
    numbers, pngs, npz = client.predict(handle_file(IMAGE), backbone, analysis="contrast", stage=2, api_name="/explain")
    expected = study(load(backbone), decode(IMAGE), StudyOptions(stage=2, analyses=("contrast",)))
    assert numbers["model"] == backbone
    assert (len(numbers["figures"]), len(pngs)) == (0, 1)
    assert np.load(npz)["contrast"] == pytest.approx(expected.contrast.heatmap, rel=1e-3, abs=1e-6)
    assert client.predict(handle_file(IMAGE), backbone, api_name="/predict")["untrained"] is True


def test_ablation_table_borrows_kernels_of_the_reference(client, weights):
    reference = examples()[1].path
    numbers, pngs, _ = client.predict(handle_file(IMAGE), reference=handle_file(reference), api_name="/ablation_table")
    assert [figure["name"] for figure in numbers["figures"]] == ["ablation_table", "ablation_heads"]
    assert len(pngs) == 2
    gray, _, _ = client.predict(handle_file(IMAGE), api_name="/ablation_table")
    assert gray["figures"][0]["caption"].endswith("those of a plain gray image.")
    assert numbers["figures"][0]["caption"].endswith("those of another image.")
    changed = [n["figures"][0]["numbers"] for n in (numbers, gray)]
    borrowed = [name for name in changed[0] if "other_kernels" in name]
    assert borrowed
    assert any(changed[0][name] != changed[1][name] for name in borrowed)


def test_sanity_checks_cover_every_map(client, monkeypatch):
    """Of three methods here; the others are as slow as ten of these."""
    methods = {name: METHODS[name] for name in ("attention", "grad_cam", "receptive_field")}
    monkeypatch.setattr("transxnet.study.analyses.METHODS", methods)
    numbers, pngs, _ = client.predict(handle_file(IMAGE), "timm:test_resnet@untrained", api_name="/sanity_checks")
    checks, *others = numbers["figures"]
    assert checks["png"] is None
    maps = [row[0].split(" · ")[-1] for row in checks["table"]["rows"]]
    assert maps == ["Grad-CAM", "Receptive field", "Attention"]  # which a ResNet does not have: its row says so
    assert [figure["png"] for figure in others] == [0, 1, 2]
    assert len(pngs) == 3


# ---- several variants, changes, files -------------------------------------------------------------------------------


def test_compare_measures_how_far_maps_agree(client, weights):
    numbers, png, npz = client.predict(handle_file(IMAGE), analysis="receptive_field", stage=2, api_name="/compare")
    options = StudyOptions(stage=2, analyses=("receptive_field",))
    names = ("pico", "pico@untrained")
    studies = [study(load(name, weights_dir=weights), decode(IMAGE), options) for name in names]
    comparison = compare_maps({s.model: compared_map(s, "receptive_field") for s in studies})
    (pair,), (expected,) = numbers["numbers"]["pairs"], comparison.differences
    assert (pair["first"], pair["second"]) == names
    assert pair["rank_correlation"] == pytest.approx(expected.correlation, abs=1e-4)
    assert pair["in_common"] == pytest.approx(expected.overlap, abs=1e-3)
    assert pair["mean_absolute"] == pytest.approx(expected.mean_absolute, rel=1e-4)
    assert numbers["numbers"]["costs"]["pico"]["parameters"] == sum(
        p.numel() for p in load("pico", weights_dir=weights).model.parameters()
    )
    with np.load(npz, allow_pickle=False) as arrays:
        difference = arrays["difference/pico/pico@untrained"]
        assert difference == pytest.approx(expected.values, rel=1e-3, abs=1e-3 * float(np.abs(expected.values).max()))
    with Image.open(png) as image:
        assert json.loads(image.text["transxnet-lens"])["numbers"] == numbers["numbers"]


def test_ablation_returns_predictions_with_a_part_off(client, weights):
    numbers, _, npz = client.predict(handle_file(IMAGE), ablations="no_osra@2.0", api_name="/ablation")
    options = StudyOptions(analyses=("ablation",), ablations=("no_osra@2.0",))
    expected = study(load("pico", weights_dir=weights), decode(IMAGE), options).ablation
    assert [ablation["key"] for ablation in numbers["ablations"]] == ["no_osra@2.0"]
    assert numbers["target"]["logit"] == pytest.approx([one.logit for one in expected.target], rel=1e-4)
    assert np.load(npz)["logits_after"] == pytest.approx(expected.logits_after, rel=1e-3, abs=1e-4)
    assert not np.array_equal(expected.logits_after, expected.logits_before)


def test_export_is_the_download_of_the_page(client, weights):
    numbers, file = client.predict(handle_file(IMAGE), "erf", "npz", stage=2, x=40, y=200, api_name="/export")
    expected = study(load("pico", weights_dir=weights), decode(IMAGE), StudyOptions(stage=2, position=(40, 200)))
    assert Path(file).name.startswith(f"{decode(IMAGE).sha256[:12]}-pico-erf-stage2-")
    with np.load(file, allow_pickle=False) as arrays:
        heatmap = expected.receptive_field.heatmap
        assert arrays["pico/receptive_field"] == pytest.approx(
            heatmap, rel=1e-4, abs=1e-6 * float(np.abs(heatmap).max())
        )
        inside = json.loads(str(arrays["manifest"]))
    assert inside["request"] == numbers["request"]
    assert (numbers["request"]["stage"], numbers["request"]["position"]) == (2, [40, 200])
    _, default_file = client.predict(handle_file(IMAGE), "grad_cam", "png", api_name="/export")
    _, viridis_file = client.predict(handle_file(IMAGE), "grad_cam", "png", colormap="viridis", api_name="/export")
    with Image.open(default_file) as first, Image.open(viridis_file) as second:
        assert first.size == second.size
        assert not np.array_equal(np.asarray(first), np.asarray(second))


# ---- what cannot be answered ----------------------------------------------------------------------------------------


def test_invalid_values_are_refused_with_a_reason(client, tmp_path):
    file = handle_file(IMAGE)
    assert "'zeta'" in refusal(client, file, model="zeta", api_name="/predict")
    assert "stage must be one of 1, 2, 3, 4, not 9" in refusal(client, file, stage=9, api_name="/attention")
    assert "block 7" in refusal(client, file, stage=1, block=7, api_name="/kernels")
    assert "5000" in refusal(client, file, x=5000, y=1, api_name="/erf")
    for target in ("zebroid", "--5", "²"):
        assert f"is called '{target}'" in refusal(client, file, target=target, api_name="/grad_cam")
    assert "stage must be one of 1, 2, 3, 4, not 'abc'" in refusal(client, file, stage="abc", api_name="/attention")
    assert "No image" in refusal(client, None, api_name="/predict")
    assert "'horoscope'" in refusal(client, file, analysis="horoscope", api_name="/explain")
    assert "timm has no backbone called 'resnet5000'" in refusal(client, file, "timm:resnet5000", api_name="/explain")
    assert "generates no kernels" in refusal(
        client, file, "timm:test_resnet@untrained", analysis="clusters", api_name="/explain"
    )
    assert "second image" in refusal(client, file, analysis="kernel_change", api_name="/explain")
    assert "'tour'" in refusal(client, file, "tour", api_name="/export")
    assert "'gif'" in refusal(client, file, "erf", "gif", api_name="/export")
    for endpoint in ("/export", "/compare"):
        assert "At most 3 models" in refusal(client, file, models="pico,t,s,b", api_name=endpoint)
    assert "no model called 'pico0'" in refusal(client, file, "erf", models="pico0,pico1", api_name="/export")
    many = ",".join(f"pico{i}" for i in range(5_000))
    assert "models must be text of at most 400 characters" in refusal(
        client, file, "erf", models=many, api_name="/export"
    )
    assert "'no_hope'" in refusal(client, file, ablations="no_hope", api_name="/ablation")
    (tmp_path / "notes.jpg").write_text("Dear diary, this is no image.", encoding="utf-8")
    assert "notes.jpg" in refusal(client, handle_file(tmp_path / "notes.jpg"), api_name="/predict")
    tiny = io.BytesIO()
    Image.new("RGB", (1, 1)).save(tiny, "PNG")
    (tmp_path / "tiny.png").write_bytes(tiny.getvalue())
    assert "too small" in refusal(client, handle_file(tmp_path / "tiny.png"), api_name="/predict")


@pytest.mark.parametrize(
    "endpoint", ["/grad_cam", "/explain", "/ablation_table", "/sanity_checks", "/compare", "/ablation", "/export"]
)
def test_unknown_class_is_refused_before_loading(client, endpoint, monkeypatch):
    loaded = []
    monkeypatch.setattr(StudyService, "hold", lambda *args, **more: loaded.append(args))
    sentence = refusal(client, handle_file(IMAGE), target="zebroid", api_name=endpoint)
    assert "None of the 200 classes of tiny-imagenet-200 is called 'zebroid'" in sentence
    assert loaded == []


# ---- addresses ------------------------------------------------------------------------------------------------------


@pytest.fixture
def remote_server(monkeypatch) -> Iterator[tuple[str, list[str]]]:
    """A server with an image, and the paths that were requested.

    Gradio's own guard refuses addresses of this machine, so it is disabled here.
    """
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(IMAGE.read_bytes())

        def log_message(self, *args: object) -> None:
            pass

    async def get(url: str) -> httpx.Response:
        async with httpx.AsyncClient() as plain:
            return await plain.get(url)

    monkeypatch.setattr(processing_utils, "async_ssrf_protected_get", get)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", requests
        server.shutdown()


def as_file(path: str | None, **more: object) -> dict[str, object]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **more}


def send_events(client: Client, *requests: tuple[int, list[object]]) -> list[str]:
    """Send events as any program can, without Gradio's client. requests: (event's id, values). Returns their errors."""
    session = secrets.token_hex(8)
    for event, data in requests:
        body = {"data": data, "fn_index": event, "session_hash": session}
        assert httpx.post(f"{client.src}gradio_api/queue/join", json=body).is_success
    with httpx.stream("GET", f"{client.src}gradio_api/queue/data?session_hash={session}", timeout=60) as stream:
        messages = [json.loads(line[5:]) for line in stream.iter_lines() if line.startswith("data:")]
    completed = [message for message in messages if message["msg"] == "process_completed"]
    assert [message["success"] for message in completed] == [False] * len(requests)
    return [message["output"]["error"] for message in completed]


def event_of(client: Client, endpoint: str) -> int:
    return next(d["id"] for d in client.config["dependencies"] if d["api_name"] == endpoint)


def test_endpoints_fetch_no_address(client, remote_server):
    url, requests = remote_server
    predict, attention = event_of(client, "predict"), event_of(client, "attention")
    errors = send_events(
        client,
        (predict, [as_file(f"{url}/a.jpg"), "pico", 5, False]),
        (predict, [as_file(f"{url}/b.jpg", url=f"{url}/b.jpg", is_stream=True), "pico", 5, False]),
        (predict, [None, as_file(f"{url}/c.jpg"), 5, False]),  # in place of the model
        (attention, [None, "pico", as_file(f"{url}/d.jpg"), 0, 0, -1, -1]),  # of a number
        (predict, [as_file("data:image/png;base64,iVBORw0KGgo="), "pico", 5, False]),
    )
    assert set(errors) == {tr("errors.not_uploaded")}
    (error,) = send_events(client, (predict, [as_file(None, url=f"{url}/e.jpg"), "pico", 5, False]))
    assert error
    assert url not in error
    assert requests == []


def test_upload_fetches_no_address(client, remote_server):
    url, requests = remote_server
    private = [d for d in client.config["dependencies"] if d["api_visibility"] != "public" and d["backend_fn"]]
    assert len(private) == 1
    errors = send_events(client, (private[0]["id"], [as_file(f"{url}/x.jpg")]))
    assert errors == [tr("errors.not_uploaded")]
    assert requests == []


def test_events_of_javascript_are_not_callable(client):
    event = next(d for d in client.config["dependencies"] if not d["backend_fn"])
    body = {"data": [None] * len(event["inputs"]), "fn_index": event["id"], "session_hash": "a"}
    response = httpx.post(f"{client.src}gradio_api/queue/join", json=body)
    assert response.status_code == 404
    assert "no event number" in response.json()["detail"]


def test_endpoints_read_no_file_of_the_server(client):
    predict = event_of(client, "predict")
    files = [as_file(str(IMAGE)), {"path": str(IMAGE)}, {"path": "/etc/nowhere"}, {"url": "/etc/passwd"}]
    assert set(send_events(client, *((predict, [file, "pico", 5, False]) for file in files))) == {
        tr("errors.not_uploaded")
    }
