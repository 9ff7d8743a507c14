"""The API: named endpoints, which are MCP tools as well. The image comes first, all else has defaults.

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

from transxnet.errors import InvalidValue
from transxnet.images import SourceImage
from transxnet.study import Study, StudyOptions

from .. import replies
from ..export_request import display_of
from ..exports import export, manifest_of
from ..parameters import PARAMETERS, parameter_of, split
from ..service import StudyService
from ..temporary_files import temporary_files
from ..validation import Parameter
from .components import component_of


def add_endpoints(service: StudyService) -> None:
    """Register the named endpoints in the Blocks that is being built."""
    endpoints = Endpoints(service)
    for name, files in OUTPUTS.items():
        _endpoint(getattr(endpoints, name), files)


MAP = {"png": "single", "npz": "single"}  # files, by label: one or several
FIGURES = {"png": "multiple", "npz": "single"}
OUTPUTS: dict[str, dict[str, str]] = {  # endpoint -> which files it returns besides JSON
    "predict": {}, "attention": MAP, "kernels": MAP, "grad_cam": MAP, "erf": MAP, "explain": FIGURES,
    "ablation_table": FIGURES, "sanity_checks": FIGURES, "compare": MAP, "ablation": MAP, "export": {"file": "single"},
}  # fmt: skip
READERS = {  # to StudyOptions
    "target": lambda text: text.strip() or None, "ablations": split, "mask": str.strip,
    "image_size": lambda side: side or None, "cam_layer": lambda text: int(text) if text.isdigit() else text.strip(),
}  # fmt: skip


class Endpoints:
    """One method per endpoint: its name, docstring and parameters are the endpoint's.

    A default stands here only where the endpoint's differs from the parameter's own.
    """

    def __init__(self, service: StudyService):
        self.service = service

    def _studied(
        self, image: SourceImage, model: str, part: tuple[str, ...], reference: SourceImage | None = None,
        **options: Any,
    ) -> Study:  # fmt: skip
        (model,) = self.service.check_names([model])  # before timm says whether it knows the name
        replies.check_target(options.get("target"), model)  # before a model loads
        key = self.service.add(image, visitor=False)
        other = self.service.add(reference, visitor=False) if reference is not None else ""
        return self.service.study(key, model, StudyOptions(analyses=part, **options), other)

    def predict(self, image, model, top, autocast, image_size):
        """Classify an image.

        image: JPEG, PNG, WebP, GIF, BMP or AVIF. model: t, s, b, b_384, pico, nano, its ablations (pico_matched,
        pico_static, pico_noosra, pico_noste), a timm backbone as timm:resnet50, or any of them as NAME@untrained for
        random weights. top: number of predictions. autocast: half precision on CUDA, no effect elsewhere. image_size:
        side of the model input in pixels, 96 to 1024 in steps of 32; 0 is the model's own. Returns JSON: provenance of
        the weights, and predictions, best first, each with index, wnid (null for a class without one), label and
        probability.
        """
        return replies.predictions(self._studied(image, model, (), top=top, autocast=autocast, image_size=image_size))

    def attention(self, image, model, stage, block, head, x, y, image_size):
        """OSRA's attention from one query position. A model without OSRA is refused.

        stage, block and head count from 1; block 0 is the stage's last, head 0 the mean. x, y: query position in pixels
        of the upright image, -1 is the center. Returns JSON (numbers and provenance), a PNG overlay, and an NPZ with
        the raw weights: attention (heads, key rows, key columns).
        """
        options = {"stage": stage, "block": block, "position": _position(x, y), "image_size": image_size}
        s = self._studied(image, model, ("attention",), **options)
        return _files(*replies.map_of(s, "attention", image, head))

    def kernels(self, image, model, stage, block, image_size):
        """The depthwise kernels that IDConv generated for this image; of a model without IDConv the learned ones.

        stage and block count from 1; block 0 is the stage's last. Returns JSON, a PNG of sixteen kernels, and an NPZ:
        kernels (C, 7, 7), kernels_static, kernels_gates (G, C, 7, 7), kernels_biases (C,), kernels_bias_gates (G, C).
        """
        s = self._studied(image, model, ("kernels",), stage=stage, block=block, image_size=image_size)
        return _files(*replies.map_of(s, "kernels", image))

    def grad_cam(self, image, model, target, stage=4, *, cam_layer="", image_size):
        """Signed Grad-CAM: how much each unit of a stage's output raised or lowered the logit of a class.

        target: class by name, WNID or index; empty for the model's own prediction. stage counts from 1. cam_layer
        replaces it: a block (3.2), head, a module of the model by its name (network.4.1.norm2), or several separated by
        commas, whose maps are combined. Returns JSON, a PNG overlay of the positive values, and an NPZ with the raw
        signed map `grad_cam`.
        """
        options = {"target": target, "cam_layer": cam_layer or stage, "image_size": image_size}
        s = self._studied(image, model, ("grad_cam",), **options)
        return _files(*replies.map_of(s, "grad_cam", image))

    def erf(self, image, model, stage, x, y, image_size):
        """The effective receptive field of one unit on this image: absolute gradient, summed over color channels.

        stage counts from 1; x, y: query position in pixels of the upright image, -1 is the center. Returns JSON with
        the numbers r20, r30, r50 and r99 (area of the smallest square around the unit that contains that percentage of
        the sum, as a fraction of the input), a PNG overlay, and an NPZ with the raw map `receptive_field`.
        """
        options = {"stage": stage, "position": _position(x, y), "image_size": image_size}
        s = self._studied(image, model, ("receptive_field",), **options)
        return _files(*replies.map_of(s, "receptive_field", image))

    def explain(
        self, image, *, model, analysis="erf_pathways", stage, block, target, cam_layer, x, y, reference, image_size
    ):
        """One analysis by name, with its figures.

        analysis: attention, position_attention, attention_depth, rollout, rollouts, pathway_energies, kernels,
        kernel_depth, clusters, spectra, kernel_change, grad_cam, contrast, cam_stages, receptive_field, erf_pathways,
        integrated_gradients, smooth_grad, occlusion, ablation_table or sanity_checks. model: for analyses that need no
        part of TransXNet also a timm backbone. reference: another image, for kernel_change and ablation_table. All
        others as in the endpoints above. Returns JSON (numbers, provenance, and `figures`, each with title, numbers and
        table), a list of PNGs, and an NPZ with the raw arrays.
        """
        s = self._studied(
            image, model, (analysis,), reference, stage=stage, block=block, position=_position(x, y),
            target=target, cam_layer=cam_layer, image_size=image_size,
        )  # fmt: skip
        return _many_files(*replies.figures_of(s, analysis, image))

    def ablation_table(self, image, model, target, stage, reference, image_size):
        """The prediction with one part ablated at a time.

        Ablations: uniform gates, kernels of another image, uniform attention, single heads off, each half of the token
        mixer off, STE off.

        target: the class whose probability is reported; empty for the model's own prediction. stage: whose heads are
        ablated. reference: the image whose kernels are borrowed (default: uniform gray). Returns JSON, PNGs and an NPZ
        as /explain does.
        """
        options = {"stage": stage, "target": target, "image_size": image_size}
        s = self._studied(image, model, ("ablation_table",), reference, **options)
        return _many_files(*replies.figures_of(s, "ablation_table", image))

    def sanity_checks(self, image, model, target, stage, x, y, full_cascade, image_size):
        """Tests of the maps: insertion and deletion, parameter randomization, agreement between methods.

        Takes tens of seconds on a CPU. full_cascade: randomize layer by layer for multi-pass methods as well, which
        takes minutes. Returns JSON, PNGs and an NPZ as /explain does; the first figure is the table of outcomes.
        """
        options = {"target": target, "stage": stage, "position": _position(x, y), "full_cascade": full_cascade}
        s = self._studied(image, model, ("sanity_checks",), **options, image_size=image_size)
        return _many_files(*replies.figures_of(s, "sanity_checks", image))

    def compare(
        self, image, *, models="pico,pico@untrained", analysis="attention", stage, block, target, cam_layer, x, y,
        image_size,
    ):  # fmt: skip
        """Two or three models on one image: agreement and difference of one map, and the cost of each model.

        models: two or three names, separated by commas. analysis: the map that is compared. All others as in the
        endpoints above. Returns JSON (a manifest whose `numbers` hold `pairs`, each with rank_correlation from -1 to 1,
        in_common, the overlap of the highest 10% of pixels from 0 to 1, and mean_absolute in `units`, and `costs`; no
        pairs where the maps explain different classes), a PNG of maps and differences, and an NPZ with maps and
        `difference/A/B`.
        """
        request = replies.request_of_tab(
            self.service, image, "compare", models, target, compared=analysis, analyses=(analysis,), stage=stage,
            block=block, cam_layer=cam_layer, position=_position(x, y), image_size=image_size,
        )  # fmt: skip
        return _files(manifest_of(request), export("png", request).data, export("npz", request).data)

    def ablation(self, image, model, ablations, mask, fill, target, reference, image_size):
        """The prediction before and after parts are switched off and a region is occluded.

        ablations: separated by commas, each uniform_gates, other_kernels, uniform_attention, no_idconv, no_osra, no_ste
        or head_off:HEAD, everywhere or @STAGE.BLOCK, both from 1, 0 for any: no_osra@3.0. mask: the occluded region as
        ROWSxCOLS:BASE64, the bits of a grid over the whole upright image, row by row, packed as numpy.packbits does.
        fill: what replaces it. target: the class that is reported; empty for the model's own prediction. reference: the
        image whose kernels other_kernels borrows (default: uniform gray). Returns JSON (probability and logit of each
        prediction before and after, the ablations applied and those skipped), a PNG of the model input, and an NPZ with
        both logit vectors.
        """
        options = {"ablations": ablations, "mask": mask, "fill": fill, "target": target, "image_size": image_size}
        return _files(*replies.ablation_of(self._studied(image, model, ("ablation",), reference, **options)))

    def export(
        self, image, tab, format, models, stage, block, target, cam_layer, x, y, head, direction, colormap,
        diverging, opacity, gamma, threshold, scale, ablations, mask, fill, image_size,
    ):  # fmt: skip
        """One tab as a file, as the page's download buttons give it, with its manifest inside.

        format: png, svg, npz or html. models: up to three names, separated by commas. head (from 1, 0 for the mean) and
        direction apply to attention; ablations, mask and fill to ablation. Display: colormap of magnitudes and
        diverging of signed maps (empty: each map's own), opacity 0 to 1, gamma 0.3 to 3, threshold 0 to 0.95 of the
        scale's maximum, scale raw, normalized or masked. All others as in the endpoints above. Returns JSON (the
        manifest) and the file.
        """
        display = display_of(head, direction, colormap, diverging, opacity, gamma, threshold, scale)
        request = replies.request_of_tab(
            self.service, image, tab, models, target, display, stage=stage, block=block, cam_layer=cam_layer,
            position=_position(x, y), ablations=ablations, mask=mask, fill=fill, image_size=image_size,
        )  # fmt: skip
        file = export(format, request)
        return manifest_of(request), *_write({file.name: file.data})


def _endpoint(function: Callable[..., Any], files: dict[str, str]) -> None:
    """One endpoint: an image, then what else the function takes; JSON, then the files."""
    _, *options = inspect.signature(function).parameters.values()
    parameters = [parameter_of(o.name, None if o.default is o.empty else o.default) for o in options]
    outputs: list[Any] = [gr.JSON(visible=False, label="numbers")]
    outputs += [gr.File(visible=False, label=label, file_count=count) for label, count in files.items()]
    gr.Button(visible=False).click(
        _callable(function, parameters), [component_of(p) for p in (PARAMETERS["image"], *parameters)], outputs,
        api_name=function.__name__, api_description=inspect.getdoc(function),
        concurrency_limit=4, concurrency_id="api",  # visitors wait too
    )  # fmt: skip


def _callable(function: Callable[..., Any], parameters: Sequence[Parameter]) -> Callable[..., Any]:
    """What Gradio calls, with values by position, and reads names and defaults from."""

    @wraps(function)
    def answer(image: SourceImage | None, *values: Any) -> Any:
        if image is None:
            raise InvalidValue("No image came with the request. Send one as the first argument.")
        named = {p.name: value for p, value in zip(parameters, values, strict=True)}
        return function(image, **named | {name: read(named[name]) for name, read in READERS.items() if name in named})

    by_position = inspect.Parameter.POSITIONAL_OR_KEYWORD
    defaults = [inspect.Parameter(p.name, by_position, default=p.default) for p in parameters]
    answer.__signature__ = inspect.Signature([inspect.Parameter("image", by_position), *defaults])
    return answer


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
