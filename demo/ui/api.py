"""The same things by machine: named endpoints. The image first, all else with defaults.

Hidden components stand for the parameters, which demo/parameters.py declares: types, bounds and defaults. A value is
validated before Gradio looks at it, so the methods below get what is declared there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from transxnet.images import SourceImage
from transxnet.study import Study, StudyOptions

from .. import replies
from ..asking import Asking, check_target
from ..parameters import PARAMETERS, split
from ..replies_ablation import ablation_of
from ..studio import Studio
from ..temporary_files import temporary_files
from ..validation import Parameter
from .components import in_words
from .typed import component_of, parameter_of


def add_endpoints(studio: Studio) -> None:
    """Register the named endpoints in the Blocks that is being built."""
    its = Endpoints(studio)
    for function, pngs in (
        (its.predict, None), (its.attention, "single"), (its.kernels, "single"), (its.grad_cam, "single"),
        (its.erf, "single"), (its.explain, "multiple"), (its.ablation_table, "multiple"), (its.sanity_checks,
        "multiple"),
        (its.compare, "single"), (its.ablation, "single"), (its.export, FILE),
    ):  # fmt: skip
        _endpoint(function, pngs)


FILE = "file"


class Endpoints:
    """One method an endpoint: its name, its words and its parameters are the endpoint's.

    A default stands here only where the endpoint's differs from the parameter's own.
    """

    def __init__(self, studio: Studio):
        self.studio = studio
        self.asking = Asking(studio)

    def _studied(
        self, image: SourceImage | None, variant: str, part: tuple[str, ...], second: SourceImage | None = None,
        **options: Any,
    ) -> Study:  # fmt: skip
        image = _needed(image)
        (variant,) = self.studio.check_names([variant])  # before timm says whether it knows the name
        check_target(options.get("target"), variant)  # before a model loads
        key = self.studio.add(image, visitor=False)
        other = self.studio.add(second, visitor=False) if second is not None else ""
        return self.studio.study(key, variant, StudyOptions(analyses=part, **options), other)

    def predict(self, image, variant, top, autocast):
        """Classify an image.

        image: JPEG, PNG, WebP, GIF, BMP or AVIF. variant: t, s, b, b_384, pico, nano, pico's siblings pico_matched,
        pico_static, pico_noosra and pico_noste, a timm backbone as timm:resnet50, or any of them as NAME@untrained.
        top: how many answers. autocast: half precision where this page runs on CUDA, nothing elsewhere. Returns JSON:
        provenance of the weights, and top, best first, each with index, wnid, label and probability.
        """
        return replies.answers(self._studied(image, variant, (), top=top, autocast=autocast))

    def attention(self, image, variant, stage, block, head, x, y):
        """What OSRA's query at a point mixes in. A variant without OSRA is refused.

        stage, block, head count from 1; block 0 is the stage's last, head 0 the mean. x, y: the point in pixels of
        the upright image, -1 the middle. Returns JSON (numbers and provenance), a PNG overlay, and an NPZ with the
        raw weights: attention (heads, key rows, key columns).
        """
        s = self._studied(image, variant, ("attention",), stage=stage, block=block, position=_position(x, y))
        return _files(*replies.map_of(s, "attention", image, head))

    def kernels(self, image, variant, stage, block):
        """The depthwise kernels IDConv generated for this image; of a variant without IDConv the learned ones.

        stage, block count from 1; block 0 is the stage's last. Returns JSON, a PNG of sixteen kernels, and an NPZ:
        kernels (C, 7, 7), kernels_static, kernels_gates (G, C, 7, 7), kernels_biases (C,), kernels_bias_gates (G, C).
        """
        s = self._studied(image, variant, ("kernels",), stage=stage, block=block)
        return _files(*replies.map_of(s, "kernels", image))

    def grad_cam(self, image, variant, target, stage=4):
        """Which places of a stage's output raised or lowered a class's score: raw Grad-CAM, in logits.

        target: a class by name, WNID or index; empty takes the model's own answer. stage counts from 1.
        Returns JSON, a PNG overlay of what raised it, and an NPZ with the raw signed map `grad_cam`.
        """
        s = self._studied(image, variant, ("grad_cam",), target=target.strip() or None, cam_layer=stage)
        return _files(*replies.map_of(s, "grad_cam", image))

    def erf(self, image, variant, stage, x, y):
        """The effective receptive field of one unit on this image: absolute gradient, summed over colors.

        stage counts from 1; x, y: the point in pixels of the upright image, -1 the middle. Returns JSON with
        numbers r20, r30, r50, r99 (share of the image inside the smallest square about the unit that holds that
        part of the raw sum), a PNG overlay, and an NPZ with the raw map `receptive_field`.
        """
        s = self._studied(image, variant, ("receptive_field",), stage=stage, position=_position(x, y))
        return _files(*replies.map_of(s, "receptive_field", image))

    def explain(self, image, *, variant, part="erf_pathways", stage, block, target, cam_layer, x, y, second):
        """Any one explanation by name, with its figures.

        part: attention, position_attention, attention_depth, rollout, rollouts, pathway_energies, kernels,
        kernel_depth, clusters,
        spectra, kernel_change, grad_cam, contrast, cam_stages, receptive_field, erf_pathways, integrated_gradients,
        smooth_grad, occlusion, ablation_table or sanity_checks. variant: also a timm backbone, timm:NAME or
        timm:NAME@untrained, for
        the parts that need nothing of TransXNet. Others as in the endpoints above. second: another image, for
        kernel_change and ablation_table. Returns JSON (numbers, provenance, and `figures`, each with its words,
        numbers and
        table), a list of PNGs, and an NPZ with the raw arrays.
        """
        s = self._studied(
            image, variant, (part,), second, stage=stage, block=block, position=_position(x, y),
            target=target.strip() or None, cam_layer=cam_layer,
        )  # fmt: skip
        return _many_files(*replies.figures_of(s, part, image))

    def ablation_table(self, image, variant, target, stage, second):
        """The answer with each part changed: gates uniform, other kernels, even attention, heads off, halves silent.

        target: whose probability is followed; empty takes the model's own answer. stage: whose heads are drawn.
        second: the image whose kernels are lent; without it a plain gray one. Returns JSON, PNGs and an NPZ as
        /explain does.
        """
        s = self._studied(image, variant, ("ablation_table",), second, stage=stage, target=target.strip() or None)
        return _many_files(*replies.figures_of(s, "ablation_table", image))

    def sanity_checks(self, image, variant, target, stage, x, y, thorough):
        """Whether to believe the maps of one answer: insertion and deletion, model randomization, agreement, checks.

        Takes tens of seconds on a CPU. thorough: randomize layer by layer for the slow methods, too: minutes.
        Returns JSON, PNGs and an NPZ as /explain does; the first figure is the table of checks.
        """
        s = self._studied(
            image, variant, ("sanity_checks",), target=target.strip() or None, stage=stage, position=_position(x, y),
            thorough=thorough,
        )  # fmt: skip
        return _many_files(*replies.figures_of(s, "sanity_checks", image))

    def compare(
        self, image, *, variants="pico,pico@untrained", part="attention", stage, block, target, cam_layer, x, y
    ):
        """Two or three variants on one image: how far one map agrees, where it differs, what each costs.

        variants: two or three names, with commas. part: the map that is compared. Others as in the endpoints above.
        Returns JSON (a manifest whose `numbers` hold `pairs`, each with rank_correlation from -1 to 1, in_common from
        0 to 1 of the highest tenth of the pixels and mean_absolute in `units`, and `costs`; no pairs where the maps
        explain different classes), a PNG of maps and differences, and an NPZ with maps and `difference/A/B`.
        """
        asked = self.asking.about(
            _needed(image), "compare", variants, compared=part, stage=stage, block=block, target=target,
            cam_layer=cam_layer, position=_position(x, y), analyses=(part,),
        )  # fmt: skip
        numbers, (png, npz) = self.asking.files(asked, "png", "npz")
        return _files(numbers, png.data, npz.data)

    def ablation(self, image, variant, edits, mask, fill, target, second):
        """The answer with parts switched off and a region painted out, before and after.

        edits: with commas, each uniform_gates, other_kernels, uniform_attention, no_idconv, no_osra, no_ste or
        head_off:HEAD, everywhere or @STAGE.BLOCK, both from 1, 0 for any: no_osra@3.0. mask: the region as
        ROWSxCOLS:BASE64, the bits of a grid over the whole upright image, row by row, packed as numpy.packbits does.
        fill: what stands in it. target: the class that is followed; empty takes the model's own answer. second: whose
        kernels other_kernels lends; without it a plain gray one. Returns JSON (probability and logit of each answer
        before and after, the changes made and those that were skipped), a PNG of what the model was given, and an NPZ
        with both logits.
        """
        s = self._studied(
            _needed(image), variant, ("ablation",), second, edits=split(edits), mask=mask.strip(), fill=fill,
            target=target.strip() or None,
        )  # fmt: skip
        return _files(*ablation_of(s))

    def export(
        self, image, view, format, variants, stage, block, target, cam_layer, x, y, head, direction, colormap,
        diverging, opacity, gamma, threshold, scale, edits, mask, fill,
    ):  # fmt: skip
        """A view as a file to keep, as the page's Download gives it, its manifest inside.

        format: png, svg, npz or html. variants: up to three names, with commas. head, from 1, 0 for the mean, and
        direction are of attention; edits, mask and fill of ablation_table. How it is drawn: colormap of magnitudes and
        diverging of signed maps, empty for each map's own; opacity 0 to 1, gamma 0.3 to 3, threshold 0 to 0.95 of the
        scale's maximum, scale raw, normalized or masked. Others as in the endpoints above. Returns JSON (the manifest)
        and the file.
        """
        display = {
            "head": head, "direction": direction, "colormap": colormap, "diverging": diverging, "gamma": gamma,
            "opacity": opacity, "threshold": threshold, "view": scale,
        }  # fmt: skip
        asked = self.asking.about(
            _needed(image), view, variants, display, stage=stage, block=block, target=target,
            cam_layer=cam_layer, position=_position(x, y), edits=split(edits), mask=mask.strip(), fill=fill,
        )  # fmt: skip
        numbers, (made,) = self.asking.files(asked, format)
        (path,) = _write({made.name: made.data})
        return numbers, path


def _endpoint(function: Callable[..., Any], pngs: str | None) -> None:
    """One endpoint: an image, then what else the function takes.

    pngs: "single" or "multiple", FILE for one file of any kind, None for JSON alone.
    """
    _, *others = inspect.signature(function).parameters.values()
    declared = [parameter_of(one.name, ... if one.default is one.empty else one.default) for one in others]
    outputs: list[Any] = [gr.JSON(visible=False, label="numbers")]
    if pngs == FILE:
        outputs.append(gr.File(visible=False, label=FILE))
    elif pngs is not None:
        outputs += [gr.File(visible=False, label="png", file_count=pngs), gr.File(visible=False, label="npz")]
    image = PARAMETERS["image"]
    inputs = [component_of(image, None), *(component_of(parameter, default) for parameter, default in declared)]
    gr.Button(visible=False).click(
        _callable(function, declared), inputs, outputs, api_name=function.__name__,
        api_description=inspect.getdoc(function), concurrency_limit=4, concurrency_id="api",  # visitors wait too
    )  # fmt: skip


def _callable(function: Callable[..., Any], declared: Sequence[tuple[Parameter, Any]]) -> Callable[..., Any]:
    """What Gradio calls, and reads names and defaults from: values by position, errors as their sentences."""
    names = [parameter.name for parameter, _ in declared]

    @wraps(function)
    def answer(image: SourceImage | None, *values: Any) -> Any:
        with in_words():
            return function(image, **dict(zip(names, values, strict=True)))

    by_position = inspect.Parameter.POSITIONAL_OR_KEYWORD
    defaults = [inspect.Parameter(parameter.name, by_position, default=default) for parameter, default in declared]
    answer.__signature__ = inspect.Signature([inspect.Parameter("image", by_position), *defaults])
    return answer


def _needed(image: SourceImage | None) -> SourceImage:
    if image is None:
        raise gr.Error("No image came with the request. Send one as the first argument.", print_exception=False)
    return image


def _position(x: float, y: float) -> tuple[float, float] | None:
    return None if x < 0 or y < 0 else (float(x), float(y))


def _files(numbers: dict[str, Any], png: bytes, npz: bytes) -> tuple[dict[str, Any], str, str]:
    return numbers, *_write({"map.png": png, "raw.npz": npz})


def _many_files(numbers: dict[str, Any], pngs: list[bytes], npz: bytes) -> tuple[dict[str, Any], list[str], str]:
    *figures, raw = _write({f"figure-{i + 1}.png": png for i, png in enumerate(pngs)} | {"raw.npz": npz})
    return numbers, figures, raw


def _write(files: dict[str, bytes]) -> list[str]:
    """Write files into Gradio's temporary folder, where they live for an hour at most; returns their paths."""
    return temporary_files(get_upload_folder()).write(files)
