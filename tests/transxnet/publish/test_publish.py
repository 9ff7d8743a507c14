"""publish: the real huggingface_hub client against the loopback Hub, which takes uploads (tests/hub_uploads.py).

Small models in place of all variants (tests/fixtures/small_model.py), with the recipe's weights: every test may
convert, verify, send and fetch them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.fixtures import small_model
from tests.fixtures.tiny_model import SPEC as TINY
from tests.hub import NAMESPACE, HubServer, commit_of, file_digest, unused_url, use_hub
from tests.reference import recipe_state, reference_input
from transxnet import timm_registry, variants
from transxnet.__main__ import main
from transxnet.errors import PublishFailed
from transxnet.labels import label_set
from transxnet.model import TransXNet
from transxnet.publish import convert
from transxnet.publish import folder as folder_module
from transxnet.publish.convert import read_source, write_weights
from transxnet.publish.describe import describe
from transxnet.publish.upload import check_token, upload
from transxnet.variants import VARIANTS, find_variant
from transxnet.weights.load import load

DEPTHS = {"transxnet_nano": (1, 1, 2, 1), "transxnet_b": (1, 2, 1, 1), "transxnet_b_384": (1, 2, 1, 1)}
SMALL = {
    name: replace(
        spec, depths=DEPTHS.get(name, (1, 1, 1, 1)), dims=small_model.SPEC.dims, heads=small_model.SPEC.heads,
        kernel_groups=small_model.SPEC.kernel_groups, mlp_ratios=small_model.SPEC.mlp_ratios,
        bias_size=96 if name == "transxnet_b_384" else 64,
    )
    for name, spec in VARIANTS.items()
}  # fmt: skip
PICO = SMALL["transxnet_pico"]
REPO = f"{NAMESPACE}/transxnet_pico"
FILES = {"README.md", "config.json", "model.safetensors"}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (variants, timm_registry, convert):
        monkeypatch.setattr(module, "VARIANTS", SMALL)


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return recipe_state({key: list(value.shape) for key, value in TransXNet(PICO).to("meta").state_dict().items()})


@pytest.fixture(scope="module")
def checkpoint(state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the official releases are: under `state_dict`, with what argparse made of the command beside it."""
    path = tmp_path_factory.mktemp("source") / "pico.pth.tar"
    torch.save({"epoch": 300, "args": argparse.Namespace(lr=1e-3), "state_dict": state}, path)
    return path


@pytest.fixture(scope="module")
def logits(state: dict[str, Tensor]) -> Tensor:
    """What a model of these weights answers to `image()`."""
    return answer(state)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub without repositories, where this test's token may write to NAMESPACE."""
    (tmp_path / "root").mkdir()
    with HubServer(tmp_path / "root") as server:
        server.tokens = {"hf_owner": {NAMESPACE}}
        monkeypatch.setenv("HF_TOKEN", "hf_owner")
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        yield server


def answer(state: dict[str, Tensor]) -> Tensor:
    model = TransXNet(PICO).eval()
    model.load_state_dict({key: value.float() if value.is_floating_point() else value for key, value in state.items()})
    return model(image())


def image() -> Tensor:
    return reference_input(128, 128)


def publish(checkpoint: Path, *arguments: object, to: str = NAMESPACE, model: str = "pico") -> int:
    return main(["publish", "--model", f"{model}={checkpoint}", "--to", to, *map(str, arguments)])


def published(hub: HubServer) -> Path:
    return hub.root / REPO


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


# --- What is published, loads ---------------------------------------------------------------------------------------


def test_published_weights_load_three_ways_with_equal_logits(hub, checkpoint, logits, tmp_path, capsys):
    copy = tmp_path / "kept"
    assert publish(checkpoint, "--out", copy) == 0
    out = capsys.readouterr().out
    ours = load("pico", f"hf-hub:{REPO}", "cpu")
    ways = (
        ours.model,
        timm.create_model(f"hf-hub:{REPO}", pretrained=True).eval(),
        timm.create_model(f"local-dir:{copy}", pretrained=True).eval(),
        load("pico", f"local-dir:{copy}", "cpu").model,
    )
    assert all(torch.equal(model(image()), logits) for model in ways)
    digest, commit = file_digest(copy / "model.safetensors"), commit_of(published(hub))
    assert ours.provenance.as_json() == {
        "kind": "hub", "location": f"hf-hub:{REPO}", "revision": commit, "sha256": digest
    }  # fmt: skip
    assert f"published: hf-hub:{REPO}, commit {commit}" in out
    assert f"sha256 {digest}" in out
    assert "verified after upload" in out
    assert names(copy) == FILES
    assert names(published(hub)) == FILES | {".gitattributes"}
    assert all((copy / name).read_bytes() == (published(hub) / name).read_bytes() for name in FILES)


def test_upload_is_one_commit(hub, checkpoint):
    assert publish(checkpoint) == 0
    assert [path for method, path in hub.requests if "/commit/" in path] == [f"api/models/{REPO}/commit/main"]
    first = commit_of(published(hub))
    assert publish(checkpoint) == 0  # and what is there already is not sent again
    assert sum("/commit/" in path for _, path in hub.requests) == 1
    assert sum(method == "PUT" for method, _ in hub.requests) == 1
    assert commit_of(published(hub)) == first


def test_other_name_branch_and_private_repository(hub, checkpoint, logits):
    repo = f"{NAMESPACE}/my.pico"
    assert publish(checkpoint, "--branch", "v1", "--private", to=repo) == 0
    assert hub.created[repo]["name"] == "my.pico"
    assert "private" in json.dumps(hub.created[repo])
    assert names(hub.root / repo / "revisions" / "v1") >= FILES
    assert not names(hub.root / repo) & FILES
    assert torch.equal(load("pico", f"hf-hub:{repo}@v1", "cpu").model(image()), logits)
    card = (hub.root / repo / "revisions" / "v1" / "README.md").read_text(encoding="utf-8")
    assert card.count(f'"hf-hub:{repo}@v1"') == 2  # the card loads that branch, both ways
    assert torch.equal(timm.create_model(f"hf-hub:{repo}@v1", pretrained=True).eval()(image()), logits)


# --- The folder -----------------------------------------------------------------------------------------------------


def test_dry_run_writes_the_folder_without_requests(checkpoint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    use_hub(monkeypatch, unused_url(), tmp_path / "cache")
    assert publish(checkpoint, "--dry-run", to="somebody/pico-1") == 0
    folder = tmp_path / "pico-1"
    assert names(folder) == FILES
    assert names(tmp_path) == {"pico-1"}
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    labels = label_set("tiny-imagenet-200")
    assert {key: config[key] for key in ("architecture", "num_classes", "num_features", "sha256")} == {
        "architecture": "transxnet_pico", "num_classes": 200, "num_features": PICO.dims[-1],
        "sha256": file_digest(folder / "model.safetensors"),
    }  # fmt: skip
    assert config["label_names"] == list(labels.wnids)
    assert config["label_descriptions"]["n02165456"].startswith("ladybug, ladybeetle")
    how = config["pretrained_cfg"]
    assert (how["input_size"], how["pool_size"], how["crop_pct"]) == ([3, 128, 128], [4, 4], 1.0)
    assert (how["interpolation"], how["mean"], how["std"]) == ("bicubic", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    assert (how["first_conv"], how["classifier"]) == ("patch_embed.proj.conv", "classifier.2")
    out = capsys.readouterr().out
    assert "dry run: nothing was uploaded" in out
    assert "the 3 files for hf-hub:somebody/pico-1" in out


def test_readme_contains_the_provenance(checkpoint, tmp_path):
    assert publish(checkpoint, "--dry-run", "--out", tmp_path / "out") == 0
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert text.startswith("---\nlibrary_name: timm\nlicense: apache-2.0\npipeline_tag: image-classification\n")
    assert "| source file | `pico.pth.tar` |" in text
    assert f"| SHA-256 of the source file | `{file_digest(checkpoint)}` |" in text
    assert file_digest(tmp_path / "out" / "model.safetensors") in text
    assert f'transxnet.load("pico", "hf-hub:{REPO}")' in text
    assert f'timm.create_model("hf-hub:{REPO}", pretrained=True)' in text
    assert "local-dir:FOLDER" in text
    assert "These weights were not evaluated" in text  # pico.pth.tar is nobody's released file
    assert "@article{lou2025transxnet," in text
    assert str(checkpoint.parent) not in text


def test_official_file_gets_the_papers_numbers(tmp_path):
    spec = find_variant("t")
    shapes = {key: list(value.shape) for key, value in TransXNet(spec).to("meta").state_dict().items()}
    torch.save(recipe_state(shapes), tmp_path / "transx-t.pth.tar")
    assert publish(tmp_path / "transx-t.pth.tar", "--dry-run", "--out", tmp_path / "out", model="t") == 0
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "this file was not evaluated for this card" in text
    assert "| 81.6% | 70.7% | 1.8 | 12.8 M |" in text
    assert len(json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))["label_names"]) == 1000


def test_bundled_file_is_published_with_its_card(state, tmp_path):
    """Its accuracy, log and plot; in float16, as it was stored."""
    source = tmp_path / "transxnet_pico.safetensors"
    half = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    save_file(half, source)
    (tmp_path / "curve.png").write_bytes(b"PNG")
    accuracy = {"pictures": 10, "image_size": 128, "top1": 0.5, "top1_interval": [0.25, 0.75]}
    card = {"name": "transxnet_pico", "sha256": file_digest(source), "accuracy": accuracy, "plot": "curve.png"}
    source.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    assert publish(source, "--dry-run", "--out", tmp_path / "out") == 0
    converted = load_file(tmp_path / "out" / "model.safetensors")
    assert {str(value.dtype) for value in converted.values()} == {"torch.float16", "torch.int64"}
    assert all(torch.equal(value, half[key]) for key, value in converted.items())
    assert torch.equal(load("pico", tmp_path / "out", "cpu").model(image()), answer(half))
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "50.0% (25.0 to 75.0)" in text
    assert "![Loss and accuracy by epoch](curve.png)" in text
    assert (tmp_path / "out" / "curve.png").read_bytes() == b"PNG"
    assert "float16, which represents each value of the source exactly" in text


def test_card_of_another_file_is_ignored(state, tmp_path):
    save_file(state, tmp_path / "mine.safetensors")
    card = {"name": "transxnet_pico", "sha256": "ab" * 32, "accuracy": {"top1": 0.99, "pictures": 1, "image_size": 1}}
    (tmp_path / "mine.json").write_text(json.dumps(card), encoding="utf-8")
    assert publish(tmp_path / "mine.safetensors", "--dry-run", "--out", tmp_path / "out") == 0
    assert "99.0 %" not in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("wrap", "ema", "averaged"),
    [
        (lambda w, a: w, False, False),
        (lambda w, a: {"model": w}, False, False),
        (lambda w, a: {f"module.{key}": value for key, value in w.items()}, False, False),
        (lambda w, a: {"state_dict": w, "state_dict_ema": a}, False, False),
        (lambda w, a: {"state_dict": w, "state_dict_ema": a}, True, True),
        (lambda w, a: {"state_dict_ema": a}, True, True),
        (
            lambda w, a: {"recipe": "smoke", "step": 5, "model": w, "ema": a, "optimizer": {}},
            False,
            True,
        ),  # our own run
    ],
)
def test_every_layout_is_converted(wrap: Callable, ema, averaged, state, tmp_path):
    average = {key: value / 2 if value.is_floating_point() else value for key, value in state.items()}
    torch.save(wrap(state, average), tmp_path / "checkpoint.pt")
    source, expected = read_source("pico", tmp_path / "checkpoint.pt", ema=ema), average if averaged else state
    write_weights(source, tmp_path / "model.safetensors")
    converted = load_file(tmp_path / "model.safetensors")
    assert converted.keys() == expected.keys()
    assert all(torch.equal(value, expected[key]) for key, value in converted.items())
    assert not averaged or "average" in describe(source, REPO, "ab" * 32)["provenance"]["taken"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_precision_equals_that_of_the_source(dtype, state, tmp_path):
    factor = 1 if dtype == torch.float16 else 2.0**-40  # float16 has no such small numbers
    stored = {key: (factor * value).to(dtype) if value.is_floating_point() else value for key, value in state.items()}
    torch.save(stored, tmp_path / "any.pt")
    assert read_source("pico", tmp_path / "any.pt").dtype == dtype


# --- What is refused, before anything is sent -----------------------------------------------------------------------


def refused(capsys: pytest.CaptureFixture[str], checkpoint: Path, *arguments: object, **options: str) -> str:
    """What the command says when it publishes nothing."""
    assert publish(checkpoint, *arguments, **options) == 2
    return capsys.readouterr().err


def test_another_architecture_is_refused_before_the_upload(hub, checkpoint, capsys):
    message = refused(capsys, checkpoint, model="nano")
    assert "pico.pth.tar does not have the architecture of transxnet_nano" in message
    assert "Choose another name for it: NAME=SOURCE." in message
    assert hub.requests == []
    assert names(hub.root) == set()


def test_b_is_not_published_as_b_384(hub, tmp_path, capsys):
    shapes = {key: list(value.shape) for key, value in TransXNet(find_variant("b")).to("meta").state_dict().items()}
    save_file({key: torch.zeros(shape) for key, shape in shapes.items()}, tmp_path / "b.safetensors")
    message = refused(capsys, tmp_path / "b.safetensors", model="b-384")
    assert "b.safetensors contains transxnet_b: its bias tables are for 64 px" in message
    assert "Publish it with --model b=b.safetensors." in message
    assert hub.requests == []


def test_a_damaged_conversion_is_never_uploaded(hub, checkpoint, tmp_path, monkeypatch, capsys):
    """One bit of one tensor: digest and shapes agree, the tensors do not."""
    write = folder_module.write_weights

    def damaged(source, path):
        write(source, path)
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)

    monkeypatch.setattr(folder_module, "write_weights", damaged)
    message = refused(capsys, checkpoint, "--out", tmp_path / "out")
    assert "other values from the converted file than pico.pth.tar contains" in message
    assert "Nothing was published." in message
    assert hub.requests == []
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


def test_logits_are_compared_as_well_as_tensors(checkpoint, tmp_path, monkeypatch, capsys):
    """A loader that hands over the right tensors in a model that computes something else."""

    def create_model(name: str, pretrained: bool) -> torch.nn.Module:
        model = load("pico", checkpoint, "cpu").model
        model.forward = lambda x: TransXNet.forward(model, x) + 1e-3
        return model

    monkeypatch.setattr(folder_module.timm, "create_model", create_model)
    message = refused(capsys, checkpoint, "--dry-run", "--out", tmp_path / "out")
    assert "timm loads other values from the converted file" in message
    assert "the logits of an image differ" in message
    assert not (tmp_path / "out").exists()


def test_non_empty_folder_is_refused(checkpoint, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine", encoding="utf-8")
    message = refused(capsys, checkpoint, "--dry-run", "--out", tmp_path / "out")
    assert message.startswith("transxnet: out already exists and is not overwritten. Pass another folder with --out")
    assert names(tmp_path / "out") == {"mine.txt"}


def test_empty_folder_is_accepted(checkpoint, tmp_path):
    (tmp_path / "out").mkdir()
    assert publish(checkpoint, "--dry-run", "--out", tmp_path / "out") == 0
    assert names(tmp_path / "out") == FILES


@pytest.mark.parametrize("to", ["", "a/b/c", "no spaces", "ns/na..me"])
def test_invalid_repository_is_refused(to, checkpoint, capsys):
    assert "is not a valid repository on the Hub. Write NAMESPACE or NAMESPACE/NAME" in refused(
        capsys, checkpoint, to=to
    )


def test_ema_requires_a_moving_average(checkpoint, tmp_path, capsys):
    message = refused(capsys, checkpoint, "--ema", "--dry-run", "--out", tmp_path / "out")
    assert "pico.pth.tar contains no moving average (EMA) of its weights. Leave out --ema" in message


# --- What the Hub refuses -------------------------------------------------------------------------------------------

REFUSALS: dict[str, tuple[Callable[[HubServer], None], str]] = {
    "no token": (lambda hub: None, "Publishing needs a token, and none is set. Create one with write permission"),
    "401": (lambda hub: hub.tokens.clear(), "does not accept the token (401). Nothing was published."),
    "403": (lambda hub: hub.tokens.update(hf_owner={"other"}), f"The token may not write to {REPO} (403). Nothing was"),
    "402": (lambda hub: hub.fail(402, "repos/create"), f"requires a paid plan for {NAMESPACE} (402)"),
    "404": (lambda hub: hub.fail(404, "repos/create"), f"has no namespace {NAMESPACE} (404)"),
    "409": (lambda hub: hub.fail(409, "commit"), f"Somebody else changed {REPO} meanwhile (409)"),
    "413": (lambda hub: hub.fail(413, "commit"), f"rejected {REPO} (413)"),
    "429": (lambda hub: hub.fail(429, "preupload"), "Too many requests to the Hub (127.0.0.1) (429)"),
    "500": (lambda hub: hub.fail(500, "objects/batch"), "Server error at the Hub (127.0.0.1) (500)"),
    "cut": (lambda hub: hub.fail("cut", "commit"), f"publish {REPO}: the connection to the Hub (127.0.0.1) was"),
    "refused": (lambda hub: None, "connection refused by the Hub"),
    "no network": (lambda hub: None, "cannot be reached from this server"),
    "offline": (lambda hub: None, f"Could not publish {REPO}: HF_HUB_OFFLINE is set. Unset it."),
}  # fmt: skip


def refusal(name: str, hub: HubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    inject, _ = REFUSALS[name]
    inject(hub)
    if name == "no token":
        monkeypatch.delenv("HF_TOKEN")
    elif name == "refused":
        use_hub(monkeypatch, unused_url(), tmp_path / "cache")
    elif name == "no network":
        use_hub(monkeypatch, "http://hub.example", tmp_path / "cache")
    elif name == "offline":
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def folder_to_upload(tmp_path: Path) -> Path:
    """A folder to upload that costs nothing to make."""
    folder = tmp_path / "made"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(name, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", REFUSALS)
def test_refusal_is_explained_and_nothing_is_published(name, hub, folder_to_upload, tmp_path):
    assert REFUSALS[name][1] in cause_of(name, hub, folder_to_upload, tmp_path)
    published_names = names(published(hub)) if published(hub).is_dir() else set()
    assert not published_names & FILES  # an empty repository may have been created


def test_every_refusal_has_a_different_message(hub, folder_to_upload, tmp_path):
    """Each cause once: what is said of one never stands for another."""
    causes = {name: cause_of(name, hub, folder_to_upload, tmp_path) for name in REFUSALS}
    assert len(set(causes.values())) == len(REFUSALS), causes


def cause_of(name: str, hub: HubServer, folder_to_upload: Path, tmp_path: Path) -> str:
    hub.tokens = {"hf_owner": {NAMESPACE}}
    hub.heal()
    with pytest.MonkeyPatch.context() as patch:
        refusal(name, hub, patch, tmp_path)
        try:
            check_token()
            upload(folder_to_upload, REPO)
        except PublishFailed as error:
            return str(error)
    raise AssertionError(f"{name} was not refused")


def test_command_reports_the_refusal(hub, checkpoint, capsys):
    hub.tokens = {"hf_owner": {"somebody-else"}}
    message = refused(capsys, checkpoint)
    assert message.startswith(
        f"transxnet: The token may not write to {REPO} (403). Nothing was published. If {NAMESPACE}"
    )
    assert names(hub.root) == set()


def test_corrupted_upload_is_detected(hub, checkpoint, capsys):
    hub.fail("corrupt", "model.safetensors")
    message = refused(capsys, checkpoint)
    commit = commit_of(published(hub))
    assert f"model.safetensors in commit {commit[:8]} of {REPO} differs from the uploaded file." in message


def test_failed_verification_download_is_reported(hub, checkpoint, capsys):
    hub.fail(500, "resolve")
    message = refused(capsys, checkpoint)
    assert f"{REPO} was published as {commit_of(published(hub))[:8]}, but could not be verified:" in message


# --- Models of the user's own -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["known", "other"])
def test_own_models_load_back_with_their_names_and_preprocessing(architecture, tmp_path, capsys):
    spec = replace(PICO, num_classes=3) if architecture == "known" else replace(TINY, num_classes=3, ste=False)
    weights = recipe_state({key: list(value.shape) for key, value in TransXNet(spec).to("meta").state_dict().items()})
    folder = tmp_path / "source"
    folder.mkdir()
    save_file(weights, folder / "model.safetensors")
    preprocessing = {"mean": [0.5] * 3, "std": [0.25] * 3, "crop_pct": 0.875, "input_size": [3, 96, 96]}
    (folder / "config.json").write_text(json.dumps({"pretrained_cfg": preprocessing}), encoding="utf-8")
    (tmp_path / "names.txt").write_text("robin\nwren\n박새", encoding="utf-8")
    command = ["publish", "--model", f"birds={folder}", "--class-names", str(tmp_path / "names.txt"), "--activation"]
    command += ["sigmoid", "--to", "somebody", "--dry-run", "--out", str(tmp_path / "out")]
    assert main(command) == 0
    assert "hf-hub:somebody/birds" in capsys.readouterr().out
    loaded = load("mine", tmp_path / "out", "cpu")
    assert loaded.spec.labels.names == ("robin", "wren", "박새")
    assert (loaded.spec.mean, loaded.spec.std, loaded.spec.crop_pct) == ((0.5,) * 3, (0.25,) * 3, 0.875)
    assert (loaded.spec.image_size, loaded.spec.activation) == (96, "sigmoid")
    by_timm = timm.create_model(f"local-dir:{tmp_path / 'out'}", pretrained=True).eval()
    assert by_timm.pretrained_cfg["label_names"] == ["robin", "wren", "박새"]
    expected = TransXNet(spec).eval()
    expected.load_state_dict(weights)
    with torch.no_grad():
        assert torch.equal(loaded.model(image()), expected(image()))
        assert torch.equal(by_timm(image()), expected(image()))
