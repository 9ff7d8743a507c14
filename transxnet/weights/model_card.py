"""Write the Markdown model card of a checkpoint from its JSON card: `markdown(card)`.

The keys of a card, all optional but `name`; the lines of a missing key are left out:

* name, about, parameters, classes, label_set, weights (a phrase), sha256, preprocessing, limits, command
* accuracy, accuracy_at_other_sizes, accuracy_on_photographs: as training.evaluate's Accuracy.as_json gives them
* validation, photographs, data: {files, pictures, digest} of the images for evaluation and training; data also `what`
  and `held_out`, the number of images used only for the accuracy in the log
* run (a phrase), start, recipe, steps, steps_planned, loss, seconds, hardware: the training run
* log, plot: names of files next to the card, a CSV and a PNG. hashes: name -> SHA-256 of a list of images
* compared_with: [{name, what, accuracy}], variants measured in the same way; `what` says how each differs
* folder: name of a local folder that holds the model, in place of a repository
* repository ("NAMESPACE/NAME", followed by "@REVISION" unless that is main), provenance ({file, sha256, stored,
  taken}), paper ({top1, v2_top1, gmacs, params_m}, the paper's numbers, in percent): written by `publish`

Sections after Mitchell et al., "Model Cards for Model Reporting" (arXiv 1810.03993); `front_matter` is the YAML that
the Hub reads (https://huggingface.co/docs/hub/model-cards).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PAPER = "https://arxiv.org/abs/2310.19380"
CODE = "https://github.com/LMMMEng/TransXNet"
CITATION = """\
@article{lou2025transxnet,
  title   = {TransXNet: Learning Both Global and Local Dynamics With a Dual Dynamic Token Mixer for Visual Recognition},
  author  = {Lou, Meng and Zhang, Shu and Zhou, Hong-Yu and Yang, Sibei and Wu, Chuan and Yu, Yizhou},
  journal = {IEEE Transactions on Neural Networks and Learning Systems},
  year    = {2025}
}"""

Card = Mapping[str, Any]
Row = Sequence[str]


def markdown(card: Card) -> str:
    """The model card of one checkpoint, GitHub's Markdown, ending in a newline."""
    sections = (
        ("", _opening(card)),
        ("Usage", _usage(card)),
        ("Accuracy", _accuracy(card)),
        ("Preprocessing", _preprocessing(card)),
        ("Training", _training(card)),
        ("Provenance", _provenance(card)),
        ("Limitations", "\n".join(f"* {limit}" for limit in card.get("limits") or ())),
        ("Citation", f"Please cite the paper of TransXNet's authors:\n\n```bibtex\n{CITATION}\n```"),
    )
    parts = [f"# {card['name']}"]
    for title, text in sections:
        if text:
            parts += [f"## {title}", text] if title else [text]
    return "\n\n".join(parts) + "\n"


def front_matter(card: Card, license: str = "apache-2.0") -> str:
    """The YAML block a Hub repository's README.md begins with."""
    lines = ["---", "library_name: timm", f"license: {license}", "pipeline_tag: image-classification"]
    lines += ["tags:", "- image-classification", "- timm", "- transxnet"]
    if card.get("label_set"):
        lines += ["datasets:", f"- {card['label_set']}"]
    return "\n".join([*lines, "---", ""])


# --- Sections: a text, or '' if the card contains nothing for it ---------------------------------------------------


def _opening(card: Card) -> str:
    about = card.get("about", "")
    text = (
        f"A [TransXNet]({PAPER}) image classifier: in every block half of the channels go through attention over an "
        "overlapping, reduced key map (OSRA), the other half through depthwise kernels generated from the image "
        f"itself (IDConv).{f' This model: {about}.' if about else ''}"
    )
    labels = f" ({card['label_set']})" if card.get("label_set") else ""
    side = (card.get("preprocessing") or {}).get("image_size")
    rows = [
        ("parameters", f"{card['parameters']:,}" if "parameters" in card else ""),
        ("classes", f"{card['classes']:,}{labels}" if "classes" in card else ""),
        ("image", f"{side} × {side} px" if side else ""),
        ("weights", card.get("weights", "")),
        ("SHA-256", f"`{card['sha256']}`" if card.get("sha256") else ""),
    ]
    return _paragraphs(text, _table(("", ""), rows))


def _usage(card: Card) -> str:
    name, repository, folder = card["name"], card.get("repository"), card.get("folder")
    short = name.removeprefix("transxnet_")
    if folder and not repository:
        calls = [
            f'loaded = transxnet.load("{short}", "{folder}")  # loaded.model, loaded.provenance',
            f'model = timm.create_model("local-dir:{folder}", pretrained=True)  # the same weights',
        ]
    elif not repository:
        calls = [
            f'loaded = transxnet.load("{short}")  # loaded.model, loaded.provenance',
            f'model = timm.create_model("{name}", pretrained=True)  # the same weights',
        ]
    else:
        calls = [
            f'model = transxnet.load("{short}", "hf-hub:{repository}").model  # checks the SHA-256',
            f'model = timm.create_model("hf-hub:{repository}", pretrained=True)',
            'model = timm.create_model("local-dir:FOLDER", pretrained=True)  # a local copy of this repository',
        ]
    lines = ["import timm", "import transxnet  # TransXNet Lens: registers the architecture with timm", "", *calls]
    after = "All three return exactly the same logits." if repository else ""
    return _paragraphs("```python\n" + "\n".join(lines) + "\n```", after)


def _accuracy(card: Card) -> str:
    measurements = [*filter(None, [card.get("accuracy")]), *(card.get("accuracy_at_other_sizes") or ())]
    rows = [_measured(accuracy, card.get("validation"), "validation images") for accuracy in measurements]
    photos = card.get("accuracy_on_photographs") or ()
    rows += [_measured(accuracy, card.get("photographs"), "photos") for accuracy in photos]
    parts = []
    if rows:
        parts += ["Measured with these weights; 95% confidence intervals in parentheses."]
        parts += [_table(("images", "size", "top-1", "top-5"), rows)]
    parts += [_comparison(card), _paper(card)]
    if not any(parts):
        parts = [
            "These weights were not evaluated for this card. To evaluate them: `python -m transxnet evaluate "
            f"--models {card['name'].removeprefix('transxnet_')}=FILE --data PATH`."
        ]
    return _paragraphs(*parts)


def _measured(accuracy: Card, images: Card | None, what: str) -> Row:
    files = ", ".join((images or {}).get("files") or ())
    left_out = f"; {accuracy['left_out']:,} of other classes excluded" if accuracy.get("left_out") else ""
    dataset = f"{accuracy['pictures']:,} {what}{f' ({files})' if files else ''}{left_out}"
    return dataset, f"{accuracy['image_size']} px", _share(accuracy, "top1"), _share(accuracy, "top5")


def _share(accuracy: Card, which: str) -> str:
    """ "46.9% (45.5 to 48.3)"."""
    if which not in accuracy:
        return ""
    low_high = accuracy.get(f"{which}_interval")
    interval = f" ({100 * low_high[0]:.1f} to {100 * low_high[1]:.1f})" if low_high else ""
    return f"{100 * accuracy[which]:.1f}%{interval}"


def _comparison(card: Card) -> str:
    siblings = card.get("compared_with") or ()
    if not siblings:
        return ""
    this_model = {"name": card["name"], "what": "this model", "accuracy": card.get("accuracy") or {}}
    rows = [
        (row["name"], row.get("what", ""), *(_share(row.get("accuracy") or {}, which) for which in ("top1", "top5")))
        for row in (this_model, *siblings)
    ]
    return _paragraphs("Compared with its variants:", _table(("model", "description", "top-1", "top-5"), rows))


def _paper(card: Card) -> str:
    paper = card.get("paper")
    if not paper:
        return ""
    rows = [(f"{paper['top1']:g}%", f"{paper['v2_top1']:g}%", f"{paper['gmacs']:g}", f"{paper['params_m']:g} M")]
    head = ("ImageNet-1K top-1", "ImageNet-V2 top-1", "GMACs", "parameters")
    return _paragraphs(
        f"Reported in [the paper]({PAPER}) for this model; this file was not evaluated for this card.",
        _table(head, rows),
    )


def _preprocessing(card: Card) -> str:
    config = card.get("preprocessing")
    if not config:
        return ""
    side, crop = config["image_size"], config.get("crop_pct", 1.0)
    mean, std = (" ".join(f"{value:g}" for value in config[key]) for key in ("mean", "std"))
    return (
        f"The shorter side is resized to {int(side / crop)} px ({config['interpolation']}), the center {side} × {side} "
        f"px are cropped (crop_pct {crop:g}), and values from 0 to 1 are normalized with mean {mean} and standard "
        f"deviation {std} (RGB)."
    )


def _training(card: Card) -> str:
    data = card.get("data") or {}
    images = f"{data['pictures']:,} images" if "pictures" in data else ""
    images += f", {data['held_out']:,} of them held out" if data.get("held_out") else ""
    rows = [
        ("run", card.get("run", "")),
        ("training data", "; ".join(filter(None, (data.get("what"), images, ", ".join(data.get("files") or ()))))),
        ("initialization", card.get("start", "")),
        ("teacher", card.get("teacher", "")),
        ("steps", _steps(card)),
        ("loss", f"{card['loss']:g} (smoothed, label smoothing included)" if "loss" in card else ""),
        ("duration", _duration(card["seconds"]) if "seconds" in card else ""),
        ("hardware", card.get("hardware", "")),
    ]
    recipe = [(f"`{key}`", _value(value)) for key, value in (card.get("recipe") or {}).items()]
    plot = f"![Loss and accuracy by epoch]({card['plot']})" if card.get("plot") else ""
    log = f"Loss and accuracy per epoch: [{card['log']}]({card['log']})." if card.get("log") else ""
    return _paragraphs(
        _table(("", ""), rows), plot, log,
        _paragraphs("Recipe:", _table(("setting", "value"), recipe)) if recipe else "",
    )  # fmt: skip


def _steps(card: Card) -> str:
    if "steps" not in card:
        return ""
    planned = card.get("steps_planned", card["steps"])
    return f"{card['steps']:,}" if planned == card["steps"] else f"{card['steps']:,} of {planned:,} planned"


def _provenance(card: Card) -> str:
    source = card.get("provenance") or {}
    lists = [(name, (card.get(key) or {}).get("digest")) for key, name in _LISTS]
    rows = [
        ("source file", f"`{source['file']}`" if source.get("file") else ""),
        ("SHA-256 of the source file", f"`{source['sha256']}`" if source.get("sha256") else ""),
        ("weights used", source.get("taken", "")),
        ("precision", source.get("stored", "")),
        *((f"list of {name}, SHA-256", f"`{digest}`") for name, digest in lists if digest),
        *((f"{name}, SHA-256", f"`{digest}`") for name, digest in (card.get("hashes") or {}).items()),
        ("command", f"`{card['command']}`" if card.get("command") else ""),
    ]
    return _table(("", ""), rows)


_LISTS = (("data", "training images"), ("validation", "validation images"), ("photographs", "photos"))

# --- Text and tables -----------------------------------------------------------------------------------------------


def _table(head: Row, rows: Sequence[Row]) -> str:
    """A Markdown table of the rows with text after their first cell; '' if there is none."""
    rows = [row for row in rows if any(row[1:])]
    return "\n".join(_line(row) for row in (head, ["---"] * len(head), *rows)) if rows else ""


def _line(cells: Row) -> str:
    """ "| a | b |"; line breaks in cells become spaces, and bars are escaped."""
    return f"| {' | '.join(' '.join(str(cell).split()).replace('|', chr(92) + '|') for cell in cells)} |"


def _paragraphs(*texts: str) -> str:
    return "\n\n".join(filter(None, texts))


def _duration(seconds: float) -> str:
    """ "1 h 20 min", "5 min 3 s"."""
    seconds = round(seconds)
    hours, minutes = divmod(seconds // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def _value(value: object) -> str:
    """A setting of a recipe as text: pairs as "96: 0.25", booleans as yes and no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_value(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(
            ": ".join(map(_value, item)) if isinstance(item, (list, tuple)) else _value(item) for item in value
        )
    return "" if value is None else str(value)
