"""Read the architecture of a TransXNet from the names and shapes of its tensors.

Depths from the numbers of blocks, widths, heads, kernel groups, kernel size, MS-FFN ratios and reduction ratios from
shapes, missing parts from missing names. A combination that VARIANTS has gets its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields

from torch import Tensor

from ..errors import WeightsMismatch
from ..model import STAGES, stored_bias_size
from ..variants import VARIANTS, VariantSpec

# fields of a VariantSpec that determine its tensors, without bias tables and classifier
SHAPES = ("depths", "dims", "heads", "kernel_groups", "mlp_ratios", "sr_ratios", "kernel_size", "idconv", "osra", "ste")
_BLOCK = re.compile(r"network\.([0246])\.(\d{1,4})\.norm1\.weight")


def infer_architecture(state: Mapping[str, Tensor], name: str) -> dict[str, object]:
    """The fields SHAPES of the architecture of these tensors, and `bias_size`.

    Args:
        state: As layouts.transxnet_state returns it.
        name: Of the file, for messages.

    Raises:
        WeightsMismatch: A stage has no block, or a shape is impossible.
    """
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    try:
        return _architecture(shapes) | {"bias_size": stored_bias_size(dict(state)) or 224}
    except (KeyError, IndexError, ZeroDivisionError, ValueError) as error:
        raise WeightsMismatch(
            "The tensors of {name} are not those of a TransXNet: {key} is missing or has an unknown shape.",
            remedy="Pass a checkpoint of a complete model.", name=name, key=str(error).strip("'")[:80],
        ) from error  # fmt: skip


def _architecture(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
    blocks = [match for key in shapes if (match := _BLOCK.fullmatch(key))]
    first = [f"network.{index}.0." for index in STAGES]  # prefix of each stage's first block
    mixers = [f"{block}token_mixer." for block in first]
    osra = any(".global_unit." in key for key in shapes)
    idconv = any(".local_unit.proj." in key for key in shapes)
    dims = tuple(shapes[f"{block}norm1.weight"][0] for block in first)
    hidden = [shapes[f"{block}mlp.fc1.0.weight"][0] for block in first]
    kernels = [shapes[f"{mixer}local_unit.weight"] for mixer in mixers]  # each (G, C, K, K)
    tables = [shapes[f"relative_pos_enc.{stage}"] if osra else (1, 1) for stage in range(len(STAGES))]
    reductions = [shapes.get(f"{mixer}global_unit.sr.0.conv.weight") for mixer in mixers]  # (C, 1, sr + 3, sr + 3)
    return {
        "depths": tuple(1 + max(int(block[2]) for block in blocks if int(block[1]) == index) for index in STAGES),
        "dims": dims,
        "heads": tuple(table[1] for table in tables),
        "kernel_groups": tuple(kernel[0] for kernel in kernels),
        "mlp_ratios": tuple(width // dim for width, dim in zip(hidden, dims, strict=True)),
        "sr_ratios": tuple(1 if shape is None else shape[-1] - 3 for shape in reductions),
        "kernel_size": kernels[0][-1],
        "idconv": idconv,
        "osra": osra,
        "ste": any(".token_mixer.proj." in key for key in shapes),
    }


def known_variant(architecture: Mapping[str, object], hint: str = "") -> VariantSpec | None:
    """The variant with this architecture; of several the one called `hint`, or with these bias tables, or the first."""
    equal = [spec for spec in VARIANTS.values() if same_architecture(spec, architecture)]
    by_name = [spec for spec in equal if hint in (spec.name, spec.short)]
    by_bias = [spec for spec in equal if spec.bias_size == architecture["bias_size"]]
    return next(iter((*by_name, *by_bias, *equal)), None)


def same_architecture(spec: VariantSpec, architecture: Mapping[str, object]) -> bool:
    """Whether a variant has this architecture. What a missing part would have does not count."""
    ignored = {"heads", "sr_ratios"} if not spec.osra else set()
    ignored |= {"kernel_groups"} if not spec.idconv else set()
    return all(getattr(spec, name) == architecture[name] for name in SHAPES if name not in ignored)


def architecture_of(spec: VariantSpec) -> dict[str, object]:
    """The fields SHAPES and `bias_size` of a spec."""
    return {field.name: getattr(spec, field.name) for field in fields(spec) if field.name in (*SHAPES, "bias_size")}
