"""The architecture diagram agrees with VariantSpec and with the modules of a real model."""

from __future__ import annotations

import pytest
import torch

from demo.architecture import STAGES, architecture, expanded_block, stage_numbers
from demo.i18n.translate import tr_group
from demo.state import TABS
from transxnet.model import STAGES as STAGE_INDICES
from transxnet.model import TransXNet
from transxnet.variants import VARIANTS, find_variant

NAMES = ("pico", "pico_static", "pico_noosra", "pico_noste")


@pytest.fixture(scope="module", params=NAMES)
def model(request) -> TransXNet:
    return TransXNet(find_variant(request.param)).eval()


@torch.no_grad()
def test_numbers_match_the_modules(model):
    size = model.spec.image_size
    feature_maps = model.forward_intermediates(torch.zeros(1, 3, size, size), intermediates_only=True)
    for stage, index, features in zip(STAGES, STAGE_INDICES, feature_maps, strict=True):
        numbers, block = stage_numbers(model.spec, stage), model.network[index][-1]
        mixer = block.token_mixer
        assert (numbers["depth"], numbers["dim"]) == (len(model.network[index]), block.pos_embed.out_channels)
        assert tuple(features.shape[1:]) == (numbers["dim"], numbers["grid"], numbers["grid"])
        assert (numbers["local"], numbers["wide"]) == mixer.widths
        assert numbers["kernel"] == mixer.local_unit.kernel_size
        assert numbers["hidden"] == block.mlp.fc1[0].out_channels
        if model.spec.idconv:
            assert numbers["groups"] == mixer.local_unit.groups
        if model.spec.ste:
            assert numbers["inner"] == mixer.proj[3].out_channels
        if model.spec.osra:
            osra = mixer.global_unit
            assert (numbers["heads"], numbers["width"]) == (osra.heads, round(osra.scale**-2))
            assert osra.sr(features[:, : numbers["wide"]]).shape[-2:] == (numbers["keys"], numbers["keys"])
    assert stage_numbers(model.spec, 4)["classes"] == model.classifier[2].out_channels


@torch.no_grad()
def test_boxes_follow_the_execution_order(model):
    block, executed = model.network[0][0], []
    parts = {
        "dpe": block.pos_embed, "norm": block.norm1, "idconv": block.token_mixer.local_unit,
        "osra": block.token_mixer.global_unit, "ste": block.token_mixer.proj, "ffn": block.mlp,
    }  # fmt: skip
    for name, part in parts.items():
        if part is not None:
            part.register_forward_hook(lambda *_, name=name: executed.append(name))
    model(torch.zeros(1, 3, 32, 32))
    boxes = expanded_block(model.spec, "", 1)
    mixer = [boxes[key]["kind"] for key in ("local", "global", "join") if boxes[key]]
    kinds = [boxes["before"]["kind"], boxes["norm"]["kind"], *mixer, boxes["after"]["kind"]]
    assert kinds == [name for name in executed if model.spec.ste or name != "ste"]


def test_missing_parts_have_no_box():
    def missing(name: str) -> set[str]:
        return {key for key, box in expanded_block(find_variant(name), name, 3).items() if box is None}

    assert missing("pico") == missing("pico_static") == set()
    assert missing("pico_noosra") == {"split", "global", "concat"}
    assert missing("pico_noste") == {"join"}
    assert expanded_block(find_variant("pico_static"), "", 3)["local"]["title"] == "Static convolution"
    halves = {name: architecture(find_variant(name), name, 3)["flow"][2]["halves"] for name in NAMES}
    assert halves == {"pico": 2, "pico_static": 2, "pico_noosra": 1, "pico_noste": 2}


def test_text_of_pico_and_b():
    pico = architecture(find_variant("pico"), "pico", 3)
    assert [box["title"] for box in pico["flow"]] == [
        "Image", "Stem", "Stage 1", "Stage 2", "Stage 3", "Stage 4", "Head",
    ]  # fmt: skip
    assert pico["flow"][4]["lines"] == [
        "8 × 8 positions", "128 channels", "4 blocks", "IDConv: mixes 2 kernels", "OSRA: 4 heads, 4 × 4 keys",
    ]  # fmt: skip
    assert pico["flow"][2]["lines"][-1] == "OSRA: 1 head, 4 × 4 keys"
    assert pico["name"].startswith("Architecture of pico: 10 blocks in four stages.")
    blocks = architecture(find_variant("b"), "B", 3)["blocks"]
    assert blocks[0]["global"]["lines"] == [
        "38 channels, 2 heads", "keys 8 times smaller: 7 × 7", "softmax(q kᵀ / √19 + bias) v"
    ]  # fmt: skip
    assert blocks[0]["join"]["lines"][1] == "1 × 1 to 16, back to 76"
    assert blocks[0]["after"]["lines"][0] == "1 × 1 to 608"
    assert blocks[3]["global"]["lines"][1] == "keys not reduced: 7 × 7"


@pytest.mark.parametrize("name", [spec.short for spec in VARIANTS.values()])
def test_every_box_opens_a_tab(name):
    diagram = architecture(find_variant(name), name, 3)
    boxes = diagram["flow"] + [box for block in diagram["blocks"] for box in block.values() if isinstance(box, dict)]
    for box in boxes:
        assert box["go"]["tab"] in TABS
        assert tr_group("tabs.")[box["go"]["tab"]] in box["name"]
        assert "{" not in box["name"]
    stages = [(box["go"]["tab"], box["go"]["stage"]) for box in diagram["flow"] if box["kind"] == "stage"]
    assert stages == [("erf", stage) for stage in STAGES]
    for stage, block in zip(STAGES, diagram["blocks"], strict=True):
        opens = {"local": "kernels", "global": "attention", "mixer": "ablation", "join": "ablation"}
        for key, tab in opens.items():
            assert block[key] is None or block[key]["go"] == {"tab": tab, "stage": stage, "block": 0}
    assert diagram["flow"][-1]["go"] == {"tab": "grad_cam", "cam_layer": 4}
