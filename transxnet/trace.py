"""Recording and editing of tensors inside the model: Tap, Trace, Record.

The model contains identity modules, `Tap`, at every tensor of interest. The `Trace` that is active in the *current
context* records them and may replace what passes through:

    with Trace(keep=("attention", "stage")) as trace:
        logits = model(image)
    trace.find_one("attention", stage=3, block=1).tensor          # (B, heads, Nq, Nk)

Why not forward hooks: they are set on the shared model, so they leak when an exception passes and, under threads,
receive other users' images. A contextvars.ContextVar belongs to one thread (or task) only. Without an active trace a
Tap costs one ContextVar read and returns its input unchanged. It does the same while torch.compile, torch.export,
torch.jit.trace or torch.fx captures a graph: a captured graph contains no taps.

Kinds of tensor, by the kind of their Tap (B images, G groups, C channels of the half, K = 7):

    stage            output of a stage                        (B, C_stage, H, W)
    block            output of a block                        (B, C_stage, H, W)
    attention        OSRA's weights after softmax             (B, heads, Nq, Nk), rows sum to 1
    idconv_input     what IDConv pools and convolves          (B, C, H, W)
    gates            IDConv's softmax over groups             (B, G, C, K, K)
    kernels          the kernels that IDConv composes         (B, C, K, K)
    bias_gates       the same for the biases                  (B, G, C)
    biases           the biases that IDConv composes          (B, C)
    idconv, osra     the two halves of D-Mixer's output       (B, C, H, W)
    ste              what STE adds to them, joined            (B, C_stage, H, W)
    norm_statistics  mean and 1/std of a one-group GroupNorm  (B, 2, 1, 1), recorded or edited
    head             the head's normalized features           (B, C_stage, H, W)
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from .errors import OutOfRange

KINDS = (
    "stage", "block", "attention", "idconv_input", "gates", "kernels", "bias_gates", "biases", "idconv", "osra", "ste",
    "norm_statistics", "head",
)  # fmt: skip

Edit = Callable[["Tap", torch.Tensor], torch.Tensor]
Keep = Callable[["Tap"], bool]

_active: contextvars.ContextVar[Trace | None] = contextvars.ContextVar("transxnet_trace", default=None)


@dataclass(frozen=True)
class Record:
    """One recorded tensor and its origin.

    Attributes:
        path: The Tap's name inside the model, e.g. "network.4.8.token_mixer.global_unit.attention".
        kind: One of KINDS.
        stage: From 1; 0 is none.
        block: From 1; 0 is none.
        tensor: The tensor, with its graph if gradients are on.
    """

    path: str
    kind: str
    stage: int
    block: int
    tensor: torch.Tensor


class Tap(nn.Module):
    """Identity. Without parameters, so it adds no checkpoint keys; `TransXNet` sets its path, stage and block."""

    def __init__(self, kind: str):
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"unknown kind of tap {kind!r}; known: {', '.join(KINDS)}")
        self.kind = kind
        self.path, self.stage, self.block = "", 0, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # any shape in, the same out
        trace = active_trace()
        if trace is None or _is_symbolic(x):
            return x
        return trace.visit(self, x)

    def is_recorded(self) -> bool:
        """Whether the active trace records this tensor: lets a module compute what only a trace would use."""
        trace = active_trace()
        return trace is not None and trace.keeps(self)

    def is_edited(self) -> bool:
        """Whether the active trace edits this tensor: lets a module take the explicit form of a fused step."""
        trace = active_trace()
        return trace is not None and trace.edit_for(self) is not None

    def __prepare_scriptable__(self) -> Tap:  # torch.jit.script calls it
        raise NotImplementedError(
            "torch.jit.script does not support this model, whose taps (transxnet.trace) read a Python context "
            "variable: use torch.jit.trace, torch.export or torch.compile"
        )

    def extra_repr(self) -> str:
        return self.kind


class Trace:
    """Records and edits the taps of the models run inside its `with` block, in this thread only.

    Recorded tensors are the live ones, with their graph if gradients are on: explain.* differentiates them with
    torch.autograd.grad. Recording changes no bit of the logits.

    Args:
        keep: Which tensors to record: names of kinds, or a predicate of the Tap. Nothing by default, since all
            attention of B at 384 px is about 125 MB.
        edits: kind -> function (tap, tensor) -> tensor of the same shape. Edits come before recording, so a record is
            what the model continues with. The function may return its input to leave a tap unchanged.

    Raises:
        ValueError: There is no such kind.
        TypeError: `keep` is a single string.
    """

    def __init__(self, keep: Iterable[str] | Keep = (), edits: Mapping[str, Edit] | None = None):
        self._keep = keep if callable(keep) else _keep_kinds(keep)
        self._edits = dict(edits or {})
        _check_kinds(self._edits)
        self.records: list[Record] = []
        self._token: contextvars.Token | None = None

    def __enter__(self) -> Trace:
        if self._token is not None:
            raise RuntimeError("this Trace is already active; make a new one for a nested block")
        self._token = _active.set(self)
        return self

    def __exit__(self, *exc: object) -> None:
        token, self._token = self._token, None
        _active.reset(token)  # also after an exception: nothing stays active

    def keeps(self, tap: Tap) -> bool:
        """Whether this tap's tensor is recorded."""
        return bool(self._keep(tap))

    def edit_for(self, tap: Tap) -> Edit | None:
        """The edit of this tap's kind, if any."""
        return self._edits.get(tap.kind)

    def visit(self, tap: Tap, x: torch.Tensor) -> torch.Tensor:
        """Edit and record one tensor; called by the Tap.

        Tensors of half precision are edited and recorded as float32, on the way to what follows in the model.

        Raises:
            ValueError: The edit changes the shape.
        """
        if x.dtype in (torch.float16, torch.bfloat16) and (self.keeps(tap) or self.edit_for(tap)):
            return self.visit(tap, x.float()).to(x.dtype)
        edit = self.edit_for(tap)
        if edit is not None:
            edited = edit(tap, x)
            if edited.shape != x.shape:
                raise ValueError(f"the edit of {tap.path} returned {tuple(edited.shape)}, expected {tuple(x.shape)}")
            x = edited
        if self.keeps(tap):
            self.records.append(Record(tap.path, tap.kind, tap.stage, tap.block, x))
        return x

    def find(self, kind: str, stage: int | None = None, block: int | None = None) -> list[Record]:
        """Records of a kind in the order the model made them; stage and block count from 1, None is any."""
        return [
            r for r in self.records if r.kind == kind and stage in (None, r.stage) and block in (None, r.block)
        ]  # fmt: skip

    def find_one(self, kind: str, stage: int | None = None, block: int | None = None) -> Record:
        """The only matching record.

        Raises:
            OutOfRange: There is none, or more than one.
        """
        records = self.find(kind, stage, block)
        if len(records) != 1:
            template = "The trace holds {count} records of {kind} at stage {stage}, block {block}, not one."
            raise OutOfRange(
                template, remedy="Name a stage and block that the model has, and keep that kind when tracing.",
                count=len(records), kind=repr(kind), stage=stage or "any", block=block or "any",
            )  # fmt: skip
        return records[0]


def active_trace() -> Trace | None:
    """The trace that is active in this thread, if any; None inside torch.compile and torch.jit.trace."""
    if torch.compiler.is_dynamo_compiling() or torch.jit.is_tracing():
        return None
    return _active.get()


def _is_symbolic(x: torch.Tensor) -> bool:
    """Whether this is a proxy of torch.fx or a fake tensor of torch.export.

    Another thread's export does not matter: is_compiling() is true for the whole process, but tensors tell.
    """
    return not isinstance(x, torch.Tensor) or (type(x) is not torch.Tensor and torch.compiler.is_compiling())


def set_tap_locations(model: nn.Module, locate: Callable[[str], tuple[int, int]]) -> None:
    """Set the path of every Tap of a model and, by locate(path) -> (stage, block), its stage and block."""
    for path, module in model.named_modules():
        if isinstance(module, Tap):
            module.path = path
            module.stage, module.block = locate(path)


def _keep_kinds(kinds: Iterable[str]) -> Keep:
    if isinstance(kinds, str):
        raise TypeError(f"keep takes a tuple of kinds, e.g. ({kinds!r},)")
    recorded = frozenset(kinds)
    _check_kinds(recorded)
    return lambda tap: tap.kind in recorded


def _check_kinds(kinds: Iterable[str]) -> None:
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise ValueError(f"unknown kinds {sorted(unknown)}; known: {', '.join(KINDS)}")
