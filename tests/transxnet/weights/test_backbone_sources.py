"""A backbone's weights: a folder, timm's repository on a Hub of the tests' own, or random ones when asked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from tests.hub import HubServer, commit_of, file_digest, unused_url, use_hub
from transxnet.errors import DigestMismatch, LensError, NoWeights, OutOfRange, UnknownName
from transxnet.weights.checkpoint import state_digest
from transxnet.weights.download import DownloadStopped, repository_folder
from transxnet.weights.load import Availability, available, load

NEVER_TRAINED = (
    "Random weights, not trained (seed 0). timm's initialization may set residual branches to zero: then the shortcuts "
    "dominate all maps."
)

NAME = "timm:test_resnet"
REPO = "timm/test_resnet.r160_in1k"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hub's folder with timm's repository of the miniature; not to be changed."""
    folder = tmp_path_factory.mktemp("hub") / REPO
    folder.mkdir(parents=True)
    state = {
        key: value.clone() for key, value in load(f"{NAME}@untrained", device="cpu").model.net.state_dict().items()
    }
    state["fc.bias"] += torch.linspace(-1, 1, 1000)  # unlike the untrained ones
    save_file(state, folder / "model.safetensors")
    (folder / "config.json").write_text(
        json.dumps({"architecture": "test_resnet", "num_classes": 1000}), encoding="utf-8"
    )
    return folder.parents[1]


@pytest.fixture
def hub(root, tmp_path, monkeypatch):
    monkeypatch.delenv("TRANSXNET_WEIGHTS", raising=False)
    with HubServer(root) as server:
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        yield server


def why_not(name: str = NAME, **options: object) -> NoWeights:
    with pytest.raises(NoWeights) as caught:
        load(name, device="cpu", **options)
    return caught.value


def test_second_load_uses_the_cache(root, tmp_path, monkeypatch):
    reports = []
    with HubServer(root) as server:
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        assert available(NAME) == Availability.HUB
        first = load(NAME, device="cpu", progress=lambda *call: reports.append(call))
    size = (root / REPO / "model.safetensors").stat().st_size
    assert reports[-1] == (size, size, f"hf-hub:{REPO}")
    assert first.provenance.as_json() == {
        "kind": "hub",
        "location": f"hf-hub:{REPO}",
        "revision": commit_of(root / REPO),
        "sha256": file_digest(root / REPO / "model.safetensors"),
    }
    assert available(NAME) == Availability.HUB_CACHE
    second = load(NAME, device="cpu")
    assert second.provenance == first.provenance
    assert (second.name, second.untrained, second.spec) == (NAME, False, second.model.spec)
    x = torch.rand(1, 3, 160, 160)
    plain = timm.create_model("test_resnet", checkpoint_path=str(root / REPO / "model.safetensors")).eval()
    with torch.no_grad():
        assert torch.equal(first.model(x), plain(x))
        assert torch.equal(second.model(x), plain(x))


def test_download_goes_to_the_given_cache(hub, root, tmp_path):
    private, shared = tmp_path / "own", tmp_path / "cache"
    assert available(NAME, hub_cache=private) == Availability.HUB
    assert load(NAME, device="cpu", hub_cache=private).provenance.sha256 == file_digest(
        root / REPO / "model.safetensors"
    )
    assert available(NAME, hub_cache=private) == Availability.HUB_CACHE
    assert available(NAME) == Availability.HUB  # the client's own has nothing of it
    assert [path.name for path in private.glob("models--*")] == [repository_folder(REPO, private).name]
    assert not list(shared.glob("models--*"))
    load(NAME, device="cpu")
    load(NAME, device="cpu", hub_cache=tmp_path / "another")  # the client's own has it now
    assert not (tmp_path / "another").exists()
    assert hub.downloads("model.safetensors") == 2


@pytest.mark.parametrize("error", [DownloadStopped("enough"), OutOfRange("Too large.")])
def test_report_stops_a_download(hub, tmp_path, error):
    def stop(received: int, total: int, what: str) -> None:
        if received:
            raise error

    with pytest.raises(type(error)) as caught:
        load(NAME, device="cpu", progress=stop)
    assert caught.value is error
    assert not list((tmp_path / "cache").rglob("model.safetensors"))
    assert not list((tmp_path / "cache").rglob("*.incomplete"))
    assert load(NAME, device="cpu").provenance.kind == "hub"


def test_tagged_name_uses_the_same_repository(hub):
    assert load(f"{NAME}.r160_in1k", device="cpu").provenance.location == f"hf-hub:{REPO}"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (429, "too many requests to the Hub (127.0.0.1) (429). Wait a few minutes"),
        (503, "server error at the Hub (127.0.0.1) (503). Try again in a few minutes."),
        ("truncated", f"Could not download {REPO}: the connection to the Hub (127.0.0.1) was interrupted. Try again"),
        ("corrupt", f"hf-hub:{REPO} is not the published file: its SHA-256 is"),
    ],
)
def test_failures_have_messages_and_leave_nothing(hub, fault, message):
    hub.fail(fault, "model.safetensors")
    error = why_not()
    assert [source for source, *_ in error.attempts] == ["folder", "hub"]
    assert message in " ".join(error.attempts[1])
    assert error.what.startswith("No weights for timm:test_resnet:")
    assert error.remedy == "Use timm:test_resnet@untrained for random weights."
    hub.heal()
    assert load(NAME, device="cpu").provenance.kind == "hub"  # nothing wrong was kept


def test_damaged_cache_is_downloaded_again(hub, root):
    blob = Path(load(NAME, device="cpu").provenance.detail).resolve()
    data = bytearray(blob.read_bytes())
    data[-1] ^= 0xFF
    blob.write_bytes(data)
    assert isinstance(why_not(allow_download=False).__cause__, DigestMismatch)
    assert load(NAME, device="cpu").provenance.sha256 == file_digest(root / REPO / "model.safetensors")


def test_missing_network_is_reported_immediately(tmp_path, monkeypatch):
    use_hub(monkeypatch, unused_url(), tmp_path / "cache")
    assert "connection refused by" in why_not().attempts[1][1]
    assert "is not on this disk" in why_not(allow_download=False).attempts[1][1]


def test_missing_repository_is_reported(hub):
    message = why_not("timm:test_vit").attempts[1]
    assert message[1] == "The Hub has no repository timm/test_vit.r160_in1k, or it is private."
    assert "timm publishes no weights for" in why_not("timm:resnet50t").attempts[1][1]
    assert available("timm:resnet50t") == Availability.NOWHERE


def test_folder_is_the_first_source(hub, root, tmp_path):
    content = (root / REPO / "model.safetensors").read_bytes()
    for name in ("test_resnet", "test_resnet.r160_in1k"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.safetensors").write_bytes(content)
        assert available(NAME, weights_dir=folder) == Availability.FOLDER
        provenance = load(NAME, device="cpu", weights_dir=folder).provenance
        assert (provenance.kind, provenance.location) == ("folder", f"{name}.safetensors")
        assert provenance.sha256 == file_digest(root / REPO / "model.safetensors")
    assert hub.requests == []


def test_untagged_file_does_not_match_a_tag(hub, tmp_path):
    (tmp_path / "resnet50.safetensors").write_bytes(b"others")
    error = why_not("timm:resnet50.gluon_in1k", weights_dir=tmp_path)
    assert error.attempts[0][1] == "The folder contains no resnet50.gluon_in1k.safetensors."
    assert "is damaged" in why_not("timm:resnet50", weights_dir=tmp_path).attempts[0][1]


def test_given_source_is_the_only_one_tried(hub, root):
    assert load(NAME, root / REPO, "cpu").provenance.kind == "folder"
    assert load(NAME, f"hf-hub:{REPO}", "cpu").provenance.kind == "hub"
    assert load(NAME, root / REPO / "model.safetensors", "cpu").provenance.kind == "file"
    error = why_not("timm:test_convnext", source=root / REPO)
    assert "contains test_resnet, not test_convnext." in error.attempts[0][1]
    assert len(error.attempts) == 1


def test_weights_of_another_backbone_do_not_fit(root, tmp_path):
    error = why_not("timm:test_convnext", source=root / REPO / "model.safetensors")
    assert error.attempts[0][1] == "model.safetensors contains test_resnet, not test_convnext."
    shutil.copy(root / REPO / "model.safetensors", tmp_path / "other.safetensors")
    error = why_not("timm:test_convnext", source=tmp_path / "other.safetensors")
    assert error.attempts[0][1] == "The tensors of other.safetensors do not fit test_convnext."


def test_untrained_is_seeded_and_labeled():
    first, again = (load(f"{NAME}@untrained", device="cpu") for _ in range(2))
    assert first.untrained
    assert first.name == f"{NAME}@untrained"
    assert available(f"{NAME}@untrained") == Availability.UNTRAINED
    assert first.provenance.note == NEVER_TRAINED
    assert first.provenance == again.provenance
    assert first.provenance.sha256 == state_digest(again.model.state_dict())
    with pytest.raises(UnknownName, match="takes no source"):
        load(f"{NAME}@untrained", "somewhere")


def test_images_of_another_size():
    large = load("timm:test_vit@untrained", device="cpu", image_size=224)
    assert (large.spec.image_size, large.spec.strides, large.spec.origins) == (224, (16,) * 4, (7.5,) * 4)
    assert large.provenance.note.endswith("Built for images of 224 px instead of 160 px.")
    assert large.model(torch.zeros(1, 3, 224, 224)).shape == (1, 1000)
    small = load(f"{NAME}@untrained", device="cpu", image_size=96)
    assert small.provenance.note == f"{NEVER_TRAINED} Images of 96 px instead of the model's own 160 px."
    assert load("pico", device="cpu", image_size=256).spec.image_size == 256
    with pytest.raises(OutOfRange, match="The image size 8 px is out of range"):
        load("pico", device="cpu", image_size=8)
    with pytest.raises(LensError, match="timm:test_maxvit does not accept images of 250 px"):
        load("timm:test_maxvit@untrained", device="cpu", image_size=250)
