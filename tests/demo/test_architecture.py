"""The figure of the architecture says what VariantSpec and a real model's modules say."""

from __future__ import annotations

import pytest
import torch

from demo.architecture import STAGES, architecture, numbers, opened
from demo.i18n.tabs import TABS
from demo.i18n.translate import tr
from transxnet.model import STAGES as PLACES
from transxnet.model import TransXNet
from transxnet.variants import VARIANTS, find_variant

NAMES = ("pico", "pico_static", "pico_noosra", "pico_noste")


@pytest.fixture(scope="module", params=NAMES)
def model(request) -> TransXNet:
    return TransXNet(find_variant(request.param)).eval()


@torch.no_grad()
def test_its_numbers_are_those_of_the_modules(model):
    grids = model.forward_intermediates(
        torch.zeros(1, 3, model.spec.image_size, model.spec.image_size), intermediates_only=True
    )
    for stage, place, features in zip(STAGES, PLACES, grids, strict=True):
        n, block = numbers(model.spec, stage), model.network[place][-1]
        mixer = block.token_mixer
        assert (n["depth"], n["dim"]) == (len(model.network[place]), block.pos_embed.out_channels)
        assert tuple(features.shape[1:]) == (n["dim"], n["grid"], n["grid"])
        assert (n["local"], n["wide"]) == mixer.widths
        assert n["kernel"] == mixer.local_unit.kernel_size
        assert n["hidden"] == block.mlp.fc1[0].out_channels
        if model.spec.idconv:
            assert n["groups"] == mixer.local_unit.groups
        if model.spec.ste:
            assert n["inner"] == mixer.proj[3].out_channels
        if model.spec.osra:
            unit = mixer.global_unit
            assert (n["heads"], n["width"]) == (unit.heads, round(unit.scale**-2))
            assert unit.sr(features[:, : n["wide"]]).shape[-2:] == (n["keys"], n["keys"])
    assert numbers(model.spec, 4)["classes"] == model.classifier[2].out_channels


@torch.no_grad()
def test_a_block_has_its_boxes_in_the_order_in_which_they_work(model):
    block, called = model.network[0][0], []
    parts = {
        "dpe": block.pos_embed, "norm": block.norm1, "idconv": block.token_mixer.local_unit,
        "osra": block.token_mixer.global_unit, "ste": block.token_mixer.proj, "ffn": block.mlp,
    }  # fmt: skip
    for name, part in parts.items():
        if part is not None:
            part.register_forward_hook(lambda *_, name=name: called.append(name))
    model(torch.zeros(1, 3, 32, 32))
    boxes = opened(model.spec, "", 1)
    inside = [boxes[key]["kind"] for key in ("local", "global", "join") if boxes[key]]
    drawn = [boxes["before"]["kind"], boxes["norm"]["kind"], *inside, boxes["after"]["kind"]]
    assert drawn == [name for name in called if model.spec.ste or name != "ste"]


def test_what_a_variant_lacks_is_not_drawn():
    def missing(name: str) -> set[str]:
        return {key for key, box in opened(find_variant(name), name, 3).items() if box is None}

    assert missing("pico") == missing("pico_static") == set()
    assert missing("pico_noosra") == {"split", "global", "concat"}
    assert missing("pico_noste") == {"join"}
    assert opened(find_variant("pico_static"), "", 3)["local"]["title"] == "Static convolution"
    halves = {name: architecture(find_variant(name), name, 3)["flow"][2]["halves"] for name in NAMES}
    assert halves == {"pico": 2, "pico_static": 2, "pico_noosra": 1, "pico_noste": 2}


def test_the_words_of_pico_and_of_b():
    made = architecture(find_variant("pico"), "pico", 3)
    assert [box["title"] for box in made["flow"]] == [
        "SourceImage", "Stem", "Stage 1", "Stage 2", "Stage 3", "Stage 4", "Head",
    ]  # fmt: skip
    assert made["flow"][4]["lines"] == [
        "8 × 8 positions", "128 channels", "4 blocks", "IDConv: 2 kernels mixed", "OSRA: 4 heads, 4 × 4 keys",
    ]  # fmt: skip
    assert made["flow"][2]["lines"][-1] == "OSRA: one head, 4 × 4 keys"
    assert made["name"].startswith("The architecture of pico: 10 blocks in four stages.")
    block = architecture(find_variant("b"), "B", 3)["blocks"][0]
    assert block["global"]["lines"] == [
        "38 channels, 2 heads", "keys 8 times smaller: 7 × 7", "softmax(q kᵀ / √19 + bias) v"
    ]  # fmt: skip
    assert block["join"]["lines"][1] == "1 × 1 to 16, back to 76"
    assert block["after"]["lines"][0] == "1 × 1 to 608"
    last = architecture(find_variant("b"), "B", 3)["blocks"][3]
    assert last["global"]["lines"][1] == "keys not reduced: 7 × 7"


@pytest.mark.parametrize("name", [spec.short for spec in VARIANTS.values()])
def test_every_box_opens_a_view_that_there_is(name):
    made = architecture(find_variant(name), name, 3)
    boxes = made["flow"] + [box for block in made["blocks"] for box in block.values() if isinstance(box, dict)]
    for box in boxes:
        assert box["go"]["view"] in TABS
        assert tr(TABS[box["go"]["view"]]) in box["name"]
        assert "{" not in box["name"]
    stages = [(box["go"]["view"], box["go"]["stage"]) for box in made["flow"] if box["kind"] == "stage"]
    assert stages == [("erf", stage) for stage in STAGES]
    for stage, block in zip(STAGES, made["blocks"], strict=True):
        opens = {"local": "kernels", "global": "attention", "mixer": "ablation", "join": "ablation"}
        for key, view in opens.items():
            assert block[key] is None or block[key]["go"] == {"view": view, "stage": stage, "block": 0}
    assert made["flow"][-1]["go"] == {"view": "grad_cam", "cam": 4}
