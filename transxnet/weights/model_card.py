"""A card (JSON, what is known about one checkpoint) -> its Markdown model card: `markdown(card)`.

A card's keys, all optional but `name`; what is missing leaves its lines out:

* name, about, parameters, classes, label_set, weights (in words), sha256, preprocessing, limits, command
* accuracy, accuracy_at_other_sizes, accuracy_on_photographs: as training.evaluate's Accuracy.as_json gives them
* validation, photographs, data: {files, pictures, digest} of the images measured and trained on; data also `what`
  and `held_out`, how many of them only the log's accuracy was measured on
* run (in words), start, recipe, steps, steps_planned, loss, seconds, hardware: the training run
* log, plot: names of files beside the card, a CSV and a PNG. hashes: words -> SHA-256 of a list of images
* compared_with: [{name, what, accuracy}], siblings measured likewise; `what` says how each differs
* repository ("NAMESPACE/NAME", "@REVISION" behind it where that is not main), provenance ({file, sha256, stored,
  taken}), paper ({top1, v2_top1, gmacs, params_m}, the paper's words, in percent): of what `publish` made

Sections after Mitchell et al., "Model Cards for Model Reporting" (arXiv 1810.03993); `front_matter` is the YAML that
the Hub reads (https://huggingface.co/docs/hub/model-cards).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
        ("Load it", _loading(card)),
        ("Accuracy", _accuracy(card)),
        ("How images are prepared", _preprocessing(card)),
        ("How it was trained", _training(card)),
        ("Where the weights come from", _provenance(card)),
        ("Limits", "\n".join(f"* {limit}" for limit in card.get("limits") or ())),
        ("Citation", f"TransXNet is its authors' work; please cite their paper:\n\n```bibtex\n{CITATION}\n```"),
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


# --- Sections: a text, or '' where the card says nothing about it ---------------------------------------------------


def _opening(card: Card) -> str:
    about = card.get("about", "")
    text = (
        f"A [TransXNet]({PAPER}) image classifier: in every block half of the channels go through attention over an "
        "overlapping, reduced key map (OSRA), the other half through depthwise kernels generated from the image "
        f"itself (IDConv).{f' This one: {about}.' if about else ''}"
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


def _loading(card: Card) -> str:
    name, repository = card["name"], card.get("repository")
    short = name.removeprefix("transxnet_")
    if not repository:
        ways = [
            f'loaded = transxnet.load("{short}")  # the model, and its provenance',
            f'model = timm.create_model("{name}", pretrained=True)  # the same weights by timm\'s conventions',
        ]
    else:
        ways = [
            f'model = transxnet.load("{short}", "hf-hub:{repository}").model  # the digest is checked',
            f'model = timm.create_model("hf-hub:{repository}", pretrained=True)',
            'model = timm.create_model("local-dir:FOLDER", pretrained=True)  # a copy of this repository on your disk',
        ]
    lines = ["import timm", "import transxnet  # TransXNet Lens: registers the architecture with timm", "", *ways]
    after = "All three give the same logits, to the bit." if repository else ""
    return _paragraphs("```python\n" + "\n".join(lines) + "\n```", after)


def _accuracy(card: Card) -> str:
    own = card.get("accuracy")
    measured = [*([own] if own else []), *(card.get("accuracy_at_other_sizes") or ())]
    rows = [_measured(one, card.get("validation"), "validation images") for one in measured]
    photos = card.get("accuracy_on_photographs") or ()
    rows += [_measured(one, card.get("photographs"), "photographs") for one in photos]
    parts = []
    if rows:
        parts += ["Measured on these very weights; in brackets the 95 % interval."]
        parts += [_table(("measured on", "size", "top-1", "top-5"), rows)]
    parts += [_siblings(card), _paper(card)]
    if not any(parts):
        parts = [_unmeasured(card)]
    return _paragraphs(*parts)


def _measured(accuracy: Card, images: Card | None, what: str) -> Row:
    files = ", ".join((images or {}).get("files") or ())
    left_out = f"; {accuracy['left_out']:,} of other classes left out" if accuracy.get("left_out") else ""
    where = f"{accuracy['pictures']:,} {what}{f' ({files})' if files else ''}{left_out}"
    return where, f"{accuracy['image_size']} px", _share(accuracy, "top1"), _share(accuracy, "top5")


def _share(accuracy: Card, which: str) -> str:
    """ "46.9 % (45.5 to 48.3)"."""
    if which not in accuracy:
        return ""
    low_high = accuracy.get(f"{which}_interval")
    bracket = f" ({100 * low_high[0]:.1f} to {100 * low_high[1]:.1f})" if low_high else ""
    return f"{100 * accuracy[which]:.1f} %{bracket}"


def _siblings(card: Card) -> str:
    others = card.get("compared_with") or ()
    if not others:
        return ""
    own = {"name": card["name"], "what": "this model", "accuracy": card.get("accuracy") or {}}
    rows = [
        (one["name"], one.get("what", ""), *(_share(one.get("accuracy") or {}, which) for which in ("top1", "top5")))
        for one in (own, *others)
    ]
    return _paragraphs("Beside its siblings:", _table(("model", "what it is", "top-1", "top-5"), rows))


def _paper(card: Card) -> str:
    paper = card.get("paper")
    if not paper:
        return ""
    rows = [(f"{paper['top1']:g} %", f"{paper['v2_top1']:g} %", f"{paper['gmacs']:g}", f"{paper['params_m']:g} M")]
    head = ("ImageNet-1K top-1", "ImageNet-V2 top-1", "GMACs", "parameters")
    return _paragraphs(
        f"What [the paper]({PAPER}) reports for this model. These are its authors' numbers: nobody measured this very "
        "file for this card.",
        _table(head, rows),
    )


def _unmeasured(card: Card) -> str:
    return (
        "Nobody measured these weights for this card. `python -m transxnet evaluate "
        f"--model {card['name'].removeprefix('transxnet_')} --source FILE --data PATH` does."
    )


def _preprocessing(card: Card) -> str:
    how = card.get("preprocessing")
    if not how:
        return ""
    side, crop = how["image_size"], how.get("crop_pct", 1.0)
    mean, std = (" ".join(f"{value:g}" for value in how[key]) for key in ("mean", "std"))
    return (
        f"The shorter side is resized to {int(side / crop)} px ({how['interpolation']}), the middle {side} × {side} px "
        f"are kept (crop_pct {crop:g}), values in 0 to 1 are normalized with mean {mean} and standard deviation {std} "
        "(R G B)."
    )


def _training(card: Card) -> str:
    data = card.get("data") or {}
    images = f"{data['pictures']:,} images" if "pictures" in data else ""
    images += f", {data['held_out']:,} of them held out of this run" if data.get("held_out") else ""
    rows = [
        ("run", card.get("run", "")),
        ("learned from", "; ".join(filter(None, (data.get("what"), images, ", ".join(data.get("files") or ()))))),
        ("began as", card.get("start", "")),
        ("teacher", card.get("teacher", "")),
        ("steps", _steps(card)),
        ("loss", f"{card['loss']:g} (smoothed, label smoothing included)" if "loss" in card else ""),
        ("time", _duration(card["seconds"]) if "seconds" in card else ""),
        ("hardware", card.get("hardware", "")),
    ]
    recipe = [(f"`{key}`", _value(value)) for key, value in (card.get("recipe") or {}).items()]
    plot = f"![Loss and accuracy by epoch]({card['plot']})" if card.get("plot") else ""
    log = f"Every epoch's loss and accuracy: [{card['log']}]({card['log']})." if card.get("log") else ""
    return _paragraphs(
        _table(("", ""), rows), plot, log,
        _paragraphs("Its recipe:", _table(("setting", "value"), recipe)) if recipe else "",
    )  # fmt: skip


def _steps(card: Card) -> str:
    if "steps" not in card:
        return ""
    planned = card.get("steps_planned", card["steps"])
    return f"{card['steps']:,}" if planned == card["steps"] else f"{card['steps']:,} of {planned:,} planned"


def _provenance(card: Card) -> str:
    source = card.get("provenance") or {}
    lists = [(words, (card.get(key) or {}).get("digest")) for key, words in _LISTS]
    rows = [
        ("made from", f"`{source['file']}`" if source.get("file") else ""),
        ("SHA-256 of that file", f"`{source['sha256']}`" if source.get("sha256") else ""),
        ("taken from it", source.get("taken", "")),
        ("stored as", source.get("stored", "")),
        *((f"list of {words}, SHA-256", f"`{digest}`") for words, digest in lists if digest),
        *((f"{words}, SHA-256", f"`{digest}`") for words, digest in (card.get("hashes") or {}).items()),
        ("command", f"`{card['command']}`" if card.get("command") else ""),
    ]
    return _table(("", ""), rows)


_LISTS = (("data", "training images"), ("validation", "validation images"), ("photographs", "photographs"))

# --- Words and tables -----------------------------------------------------------------------------------------------


def _table(head: Row, rows: Sequence[Row]) -> str:
    """A Markdown table of the rows that say something beside their first cell; '' if none does."""
    kept = [row for row in rows if any(row[1:])]
    if not kept:
        return ""
    return "\n".join(_line(row) for row in (head, ["---"] * len(head), *kept))


def _line(cells: Row) -> str:
    """ "| a | b |": a cell may hold neither a line break nor a bar of its own."""
    return f"| {' | '.join(' '.join(str(cell).split()).replace('|', chr(92) + '|') for cell in cells)} |"


def _paragraphs(*texts: str) -> str:
    return "\n\n".join(filter(None, texts))


def _duration(seconds: float) -> str:
    """ "1 h 20 min", "5 min 3 s"."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def _value(value: object) -> str:
    """A recipe's setting as words: pairs as "96: 0.25", yes and no for truth values."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_value(one)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(": ".join(_items(one)) if isinstance(one, (list, tuple)) else _value(one) for one in value)
    return "" if value is None else str(value)


def _items(values: Sequence[object]) -> Iterator[str]:
    return (_value(value) for value in values)
