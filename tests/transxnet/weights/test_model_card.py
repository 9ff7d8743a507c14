"""The Markdown model card: word for word for a small card, and what missing keys leave out."""

from __future__ import annotations

import json

import pytest
import yaml

from transxnet.weights.model_card import CITATION, front_matter, markdown
from transxnet.weights.sources import BUNDLED

CARD = {
    "name": "transxnet_pico",
    "about": "a small one",
    "parameters": 2214983,
    "classes": 200,
    "label_set": "tiny-imagenet-200",
    "sha256": "ab" * 32,
    "preprocessing": {
        "image_size": 128, "crop_pct": 0.9, "interpolation": "bicubic",
        "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
    },
    "data": {"what": "images of 64 px", "files": ["a.zip", "b.zip"], "pictures": 100000, "digest": "cd" * 32},
    "recipe": {"name": "short", "sizes": [[96, 0.25], [128, 0.75]], "lr": 6e-4, "flip": True, "teacher": None},
    "steps": 547,
    "steps_planned": 600,
    "seconds": 4848,
    "hardware": "2 threads",
    "accuracy": {
        "image_size": 128, "pictures": 5000, "left_out": 0,
        "top1": 0.469, "top5": 0.734, "top1_interval": [0.4552, 0.4829], "top5_interval": [0.7216, 0.7461],
    },
    "accuracy_at_other_sizes": [{"image_size": 96, "pictures": 5000, "top1": 0.4196}],
    "validation": {"files": ["val.zip"]},
    "accuracy_on_photographs": [{"image_size": 128, "pictures": 40, "left_out": 20, "top1": 0.35, "top5": 0.725}],
    "log": "transxnet_pico.csv",
    "plot": "transxnet_pico.png",
    "hashes": {"list of held-out images": "ef" * 32},
    "compared_with": [
        {"name": "transxnet_pico_static", "what": "static | kernels", "accuracy": {"top1": 0.4, "top5": 0.7}}
    ],
    "limits": ["It is often wrong.", "Not calibrated."],
}  # fmt: skip

EXPECTED = f"""\
# transxnet_pico

A [TransXNet](https://arxiv.org/abs/2310.19380) image classifier: in every block half of the channels go through \
attention over an overlapping, reduced key map (OSRA), the other half through depthwise kernels generated from the \
image itself (IDConv). This model: a small one.

|  |  |
| --- | --- |
| parameters | 2,214,983 |
| classes | 200 (tiny-imagenet-200) |
| image | 128 × 128 px |
| SHA-256 | `{"ab" * 32}` |

## Usage

```python
import timm
import transxnet  # TransXNet Lens: registers the architecture with timm

loaded = transxnet.load("pico")  # loaded.model, loaded.provenance
model = timm.create_model("transxnet_pico", pretrained=True)  # the same weights
```

## Accuracy

Measured with these weights; 95% confidence intervals in parentheses.

| images | size | top-1 | top-5 |
| --- | --- | --- | --- |
| 5,000 validation images (val.zip) | 128 px | 46.9% (45.5 to 48.3) | 73.4% (72.2 to 74.6) |
| 5,000 validation images (val.zip) | 96 px | 42.0% |  |
| 40 photos; 20 of other classes excluded | 128 px | 35.0% | 72.5% |

Compared with its variants:

| model | description | top-1 | top-5 |
| --- | --- | --- | --- |
| transxnet_pico | this model | 46.9% (45.5 to 48.3) | 73.4% (72.2 to 74.6) |
| transxnet_pico_static | static \\| kernels | 40.0% | 70.0% |

## Preprocessing

The shorter side is resized to 142 px (bicubic), the center 128 × 128 px are cropped (crop_pct 0.9), and values from 0 \
to 1 are normalized with mean 0.485 0.456 0.406 and standard deviation 0.229 0.224 0.225 (RGB).

## Training

|  |  |
| --- | --- |
| training data | images of 64 px; 100,000 images; a.zip, b.zip |
| steps | 547 of 600 planned |
| duration | 1 h 20 min |
| hardware | 2 threads |

![Loss and accuracy by epoch](transxnet_pico.png)

Loss and accuracy per epoch: [transxnet_pico.csv](transxnet_pico.csv).

Recipe:

| setting | value |
| --- | --- |
| `name` | short |
| `sizes` | 96: 0.25, 128: 0.75 |
| `lr` | 0.0006 |
| `flip` | yes |

## Provenance

|  |  |
| --- | --- |
| list of training images, SHA-256 | `{"cd" * 32}` |
| list of held-out images, SHA-256 | `{"ef" * 32}` |

## Limitations

* It is often wrong.
* Not calibrated.

## Citation

Please cite the paper of TransXNet's authors:

```bibtex
{CITATION}
```
"""


def test_card_is_written_exactly():
    assert markdown(CARD) == EXPECTED


def test_card_with_only_a_name():
    text = markdown({"name": "transxnet_t"})
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Usage",
        "## Accuracy",
        "## Citation",
    ]
    assert "--models t=FILE" in text  # accuracy not measured: how to measure it
    assert "|" not in text
    assert "None" not in text


def test_every_optional_key_may_be_missing():
    for key in CARD.keys() - {"name"}:
        text = markdown({name: value for name, value in CARD.items() if name != key})
        assert "None" not in text, key
        assert "\n\n\n" not in text, key


def test_published_card_shows_three_ways_to_load():
    text = markdown(CARD | {"repository": "ns/my.pico", "provenance": {"file": "x.pth", "sha256": "01" * 32}})
    assert 'transxnet.load("pico", "hf-hub:ns/my.pico")' in text
    assert 'timm.create_model("hf-hub:ns/my.pico", pretrained=True)' in text
    assert 'timm.create_model("local-dir:FOLDER", pretrained=True)' in text
    assert f"| source file | `x.pth` |\n| SHA-256 of the source file | `{'01' * 32}` |" in text


def test_numbers_of_the_paper_are_labeled():
    text = markdown({"name": "transxnet_t", "paper": {"top1": 81.6, "v2_top1": 70.7, "gmacs": 1.8, "params_m": 12.8}})
    assert "this file was not evaluated for this card" in text
    assert "| 81.6% | 70.7% | 1.8 | 12.8 M |" in text
    assert "These weights were not evaluated" not in text


def test_front_matter_is_valid_yaml():
    block = front_matter(CARD)
    assert block.startswith("---\n")
    assert block.endswith("---\n")
    assert yaml.safe_load(block.strip("-\n")) == {
        "library_name": "timm",
        "license": "apache-2.0",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "timm", "transxnet"],
        "datasets": ["tiny-imagenet-200"],
    }


@pytest.mark.parametrize(
    ("seconds", "duration"), [(7, "7 s"), (59.6, "1 min 0 s"), (303, "5 min 3 s"), (7260, "2 h 1 min")]
)
def test_durations(seconds, duration):
    assert f"| duration | {duration} |" in markdown({"name": "transxnet_t", "seconds": seconds})


@pytest.mark.parametrize("path", sorted(BUNDLED.glob("*.json")), ids=lambda path: path.stem)
def test_every_bundled_card_is_written(path):
    card = json.loads(path.read_text(encoding="utf-8"))
    text = markdown(card)
    assert text.startswith(f"# {card['name']}\n")
    assert f"{100 * card['accuracy']['top1']:.1f}%" in text
    assert card["sha256"] in text
    assert all(f"* {limit}" in text for limit in card["limits"])
    assert "None" not in text


def test_held_out_images_are_listed():
    text = markdown({"name": "x", "run": "a short one", "data": {"pictures": 100_000, "held_out": 2_000}})
    assert "| run | a short one |" in text
    assert "| training data | 100,000 images, 2,000 of them held out |" in text
