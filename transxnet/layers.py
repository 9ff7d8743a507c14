"""The layers of TransXNet as in the paper's figures (arXiv 2310.19380, sections 3.1-3.4).

The paper's names, and the names in the official checkpoints, which are the attribute names here so that a checkpoint
loads with strict=True:

    DPE, dynamic position encoding        pos_embed
    D-Mixer, the dual dynamic mixer       token_mixer            class DMixer
      OSRA, overlapping spatial-reduction
            attention                     token_mixer.global_unit   class OSRA
      IDConv, input-dependent depthwise
            convolution                   token_mixer.local_unit    class IDConv
      STE, squeezed token enhancer        token_mixer.proj       class STE
    MS-FFN, multi-scale feed-forward      mlp                    class MSFFN
    LayerScale                            layer_scale_1, layer_scale_2

Shapes: B images, C channels of the module at hand (the stage's width in Block, DMixer, STE and MSFFN,
half of it in OSRA and IDConv), H x W positions, d channels a head, G kernel groups, K = 7.
Every norm has eps 1e-5, GELU is the exact one, divisions of channel counts floor.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.fx
import torch.nn.functional as F
from timm.layers import DropPath
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .trace import Tap, active_trace


class ConvBNAct(nn.Module):
    """Convolution without bias, BatchNorm, and an optional GELU."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = False):
        super().__init__()
        # the stem's 7x7/4 has padding 3, an OSRA reduction of kernel sr+3 has (sr+3)//2: both are kernel//2
        self.conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(cout)
        self.act = nn.GELU() if act else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:  # (B, cin, H, W) -> (B, cout, H/stride, W/stride)
        return self.act(self.bn(self.conv(x)))


class Downsample(nn.Module):
    """Patch embedding: the stem (7x7, stride 4) and the steps between stages (3x3, stride 2)."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int):
        super().__init__()
        self.proj = ConvBNAct(cin, cout, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:  # (B, cin, H, W) -> (B, cout, H/stride, W/stride)
        return self.proj(x)


class GroupNorm1(nn.GroupNorm):
    """GroupNorm with one group: one mean and one variance for the whole image.

    Through them every pixel affects every unit, so the decomposed receptive field detaches them. The `statistics` tap
    records (mean, 1/std) and lets a trace edit them; only in that case the norm is computed in its explicit form, so
    that recording changes no value.
    """

    def __init__(self, channels: int):
        super().__init__(1, channels, eps=1e-5)
        self.statistics = Tap("norm_statistics")

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> the same
        if self.statistics.is_edited():
            mean, rstd = self.statistics(self._statistics(x)).unbind(1)  # each (B, 1, 1)
            x = (x - mean[..., None]) * rstd[..., None]
            return x * self.weight[:, None, None] + self.bias[:, None, None]
        if self.statistics.is_recorded():
            self.statistics(self._statistics(x))
        return super().forward(x)

    def _statistics(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, 2, 1, 1): mean, 1/std
        variance, mean = torch.var_mean(x, dim=(1, 2, 3), correction=0)  # (B,), (B,)
        return torch.stack((mean, (variance + self.eps).rsqrt()), dim=1)[..., None, None]


class LayerScale(nn.Module):
    """One learned factor and one offset per channel on a residual branch: a depthwise 1x1 convolution."""

    def __init__(self, channels: int, start: float):
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.full((channels, 1, 1, 1), float(start)))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> the same
        return F.conv2d(x, self.weight, self.bias, groups=self.channels)


class OSRA(nn.Module):
    """Overlapping spatial-reduction attention: every position attends to a key map that is sr times smaller.

    attention = softmax(q k^T / sqrt(d) + relative_pos_enc). The key map is the output of a strided depthwise
    convolution with overlapping windows (kernel sr + 3), refined by a local 3x3 convolution.
    """

    def __init__(self, channels: int, heads: int, sr_ratio: int):
        super().__init__()
        self.heads = heads
        self.scale = (channels // heads) ** -0.5
        self.q = nn.Conv2d(channels, channels, 1)
        self.kv = nn.Conv2d(channels, 2 * channels, 1)
        self.sr = self._reduction(channels, sr_ratio)
        self.local_conv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.attention = Tap("attention")

    @staticmethod
    def _reduction(channels: int, sr_ratio: int) -> nn.Module:
        if sr_ratio == 1:
            return nn.Identity()
        return nn.Sequential(
            ConvBNAct(channels, channels, sr_ratio + 3, sr_ratio, groups=channels, act=True),
            ConvBNAct(channels, channels, 1, groups=channels),
        )

    def forward(self, x: Tensor, relative_pos_enc: Tensor) -> Tensor:
        b, c, h, w = x.shape
        q = self._heads(self.q(x))  # (B, heads, Nq, d), Nq = H*W
        reduced = self.sr(x)  # (B, C, H/sr, W/sr)
        reduced = reduced + self.local_conv(reduced)
        k, v = self.kv(reduced).chunk(2, dim=1)  # each (B, C, H/sr, W/sr)
        scores = (q * self.scale) @ self._heads(k).transpose(-2, -1)  # (B, heads, Nq, Nk)
        scores = scores + fit_bias(relative_pos_enc, scores.shape[-2:])
        attention = self.attention(scores.softmax(dim=-1))
        out = attention @ self._heads(v)  # (B, heads, Nq, d)
        return out.transpose(-2, -1).reshape(b, c, h, w)

    def _heads(self, x: Tensor) -> Tensor:  # (B, C, h, w) -> (B, heads, h*w, d)
        b, c, h, w = x.shape
        return x.reshape(b, self.heads, c // self.heads, h * w).transpose(-2, -1)


def fit_bias(bias: Tensor, size: tuple[int, int]) -> Tensor:
    """relative_pos_enc (1, heads, Nq, Nk) at another (Nq, Nk).

    Resized bicubically over the flattened Nq x Nk plane. This mixes values that are not neighbors in the image, but the
    checkpoints were trained and tested with it.
    """
    if bias.shape[-2:] == size:
        return bias
    return F.interpolate(bias, size=tuple(size), mode="bicubic", align_corners=False)


torch.fx.wrap("fit_bias")  # torch.fx cannot follow its comparison of sizes, and calls it as one node


def convolve_per_image(x: Tensor, kernels: Tensor, biases: Tensor, kernel_size: int) -> Tensor:
    """Depthwise convolution with kernels of each image, as a matrix product.

    Equal to the grouped convolution in IDConv up to rounding, but slower. For exported graphs whose batch size is not
    fixed: there the number of groups, batch size times channels, would have to be a constant.

    Args:
        x: (B, C, H, W).
        kernels: (B, C, K, K).
        biases: (B, C).
        kernel_size: K, odd.

    Returns:
        (B, C, H, W).
    """
    b, c, h, w = x.shape
    patches = F.unfold(x, kernel_size, padding=kernel_size // 2).reshape(b, c, kernel_size**2, h * w)
    out = kernels.reshape(b, c, 1, kernel_size**2) @ patches  # (B, C, 1, H*W)
    return out.reshape(b, c, h, w) + biases[:, :, None, None]


class IDConv(nn.Module):
    """Input-dependent depthwise convolution: K x K kernels generated from the image they are applied to.

    The image, pooled to K x K, determines for every channel and every kernel position the weights that mix G learned
    kernels. The generated kernel depends on image and channel, and is shared by all positions of that image.
    """

    def __init__(self, channels: int, groups: int, kernel_size: int):
        super().__init__()
        self.groups, self.kernel_size = groups, kernel_size
        self.weight = nn.Parameter(torch.empty(groups, channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.empty(groups, channels))
        self.proj = nn.Sequential(
            ConvBNAct(channels, channels // 4, 1, act=True),
            nn.Conv2d(channels // 4, groups * channels, 1),
        )
        self.input = Tap("idconv_input")
        self.gates, self.kernels = Tap("gates"), Tap("kernels")
        self.bias_gates, self.biases = Tap("bias_gates"), Tap("biases")
        nn.init.trunc_normal_(self.weight, std=0.02)
        nn.init.trunc_normal_(self.bias, std=0.02)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> the same
        x = self.input(x)
        b, c, h, w = x.shape
        k = self.kernel_size
        kernels, biases = self._kernels(x), self._biases(x)  # (B, C, K, K), (B, C)
        if torch.jit.is_tracing() or isinstance(b, torch.SymInt):  # a graph for any batch size
            return convolve_per_image(x, kernels, biases, k)
        # one convolution with a group per image and channel applies to each image its kernels
        out = F.conv2d(
            x.reshape(1, b * c, h, w), kernels.reshape(b * c, 1, k, k), biases.reshape(b * c), padding=k // 2,
            groups=b * c,
        )  # fmt: skip
        return out.reshape(b, c, h, w)

    def _kernels(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, K, K)
        pooled = adaptive_avg_pool(x, self.kernel_size)  # (B, C, K, K)
        gates = self.gates(self._mix(pooled))  # (B, G, C, K, K)
        return self.kernels((gates * self.weight).sum(dim=1))

    def _biases(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C)
        mean = x.mean(dim=(2, 3), keepdim=True)  # (B, C, 1, 1)
        gates = self.bias_gates(self._mix(mean)[..., 0, 0])  # (B, G, C)
        return self.biases((gates * self.bias).sum(dim=1))

    def _mix(self, pooled: Tensor) -> Tensor:  # (B, C, k, k) -> (B, G, C, k, k), sums to 1 over G
        b, c, kh, kw = pooled.shape
        return self.proj(pooled).reshape(b, self.groups, c, kh, kw).softmax(dim=1)


def adaptive_avg_pool(x: Tensor, size: int) -> Tensor:
    """F.adaptive_avg_pool2d on every device: MPS has it only where the sizes divide each other.

    Elsewhere rows, then columns are averaged window by window. Value i of K along an axis of n is the mean over
    floor(i n / K) to below ceil((i + 1) n / K), as in torch.

    Args:
        x: (B, C, H, W).
        size: K, rows and columns of the result.

    Returns:
        (B, C, K, K).
    """
    height, width = x.shape[-2:]
    if _divides(height, size) and _divides(width, size):
        return F.adaptive_avg_pool2d(x, size)
    rows = [x[..., window, :].mean(dim=-2) for window in _windows(height, size)]
    x = torch.stack(rows, dim=-2)  # (B, C, K, W)
    return torch.stack([x[..., window].mean(dim=-1) for window in _windows(width, size)], dim=-1)


torch.fx.wrap("adaptive_avg_pool")  # one call in an FX graph, which cannot depend on the size


def _divides(n: int, size: int) -> bool:
    return (n % size if n > size else size % n) == 0


def _windows(n: int, size: int) -> list[slice]:
    return [slice(i * n // size, -(-(i + 1) * n // size)) for i in range(size)]


class StaticConv(IDConv):
    """The baseline of IDConv: a static depthwise convolution, the same for every image.

    It is IDConv with one group: every gate is 1, and no kernel is generated.
    """

    def __init__(self, channels: int, kernel_size: int):
        super().__init__(channels, 1, kernel_size)
        del self.proj

    def _mix(self, pooled: Tensor) -> Tensor:  # (B, C, k, k) -> (B, 1, C, k, k)
        return torch.ones_like(pooled)[:, None]


class STE(nn.Sequential):
    """Squeezed token enhancer: joins the two halves through a depthwise 3x3 and a narrow bottleneck."""

    def __init__(self, channels: int):
        inner = max(16, channels // 8)
        super().__init__(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels),
            nn.GELU(),
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, inner, 1),
            nn.GELU(),
            nn.BatchNorm2d(inner),
            nn.Conv2d(inner, channels, 1),
            nn.BatchNorm2d(channels),
        )
        self.added = Tap("ste")  # last in the sequence, so that it records what is added

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> the same
        return x + super().forward(x)


class DMixer(nn.Module):
    """Dual dynamic token mixer: the first half of the channels through IDConv, the second through OSRA.

    idconv, osra, ste: False removes that part, see VariantSpec.
    """

    def __init__(
        self, channels: int, heads: int, sr_ratio: int, groups: int, kernel_size: int,
        idconv: bool = True, osra: bool = True, ste: bool = True,
    ):  # fmt: skip
        super().__init__()
        wide = channels // 2 if osra else 0
        local = channels - wide
        self.widths = (local, wide)
        self.local_unit = IDConv(local, groups, kernel_size) if idconv else StaticConv(local, kernel_size)
        self.global_unit = OSRA(wide, heads, sr_ratio) if osra else None
        self.proj = STE(channels) if ste else nn.Identity()
        self.idconv, self.osra = Tap("idconv"), Tap("osra")

    def forward(self, x: Tensor, relative_pos_enc: Tensor | None) -> Tensor:  # (B, C, H, W) -> the same
        local, wide = x.split(self.widths, dim=1)  # each (B, C/2, H, W)
        local = self.idconv(self.local_unit(local))
        if self.global_unit is None:
            return self.proj(local)
        wide = self.osra(self.global_unit(wide, relative_pos_enc))
        return self.proj(torch.cat((local, wide), dim=1))


class MultiScaleDWConv(nn.Module):
    """Depthwise 1x1, 3x3, 5x5 and 7x7 convolutions, each on a quarter of the channels."""

    def __init__(self, channels: int):
        super().__init__()
        quarter = channels // 4
        self.parts = (channels - 3 * quarter, quarter, quarter, quarter)  # the first takes the remainder
        self.proj = nn.ModuleList(
            nn.Conv2d(c, c, k, padding=k // 2, groups=c) for c, k in zip(self.parts, (1, 3, 5, 7), strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> the same
        parts = x.split(self.parts, dim=1)
        return torch.cat([conv(parts[i]) for i, conv in enumerate(self.proj)], dim=1)


class MSFFN(nn.Module):
    """Multi-scale feed-forward network: expand, convolve at four scales, reduce."""

    def __init__(self, channels: int, ratio: int):
        super().__init__()
        hidden = channels * ratio
        self.fc1 = nn.Sequential(nn.Conv2d(channels, hidden, 1, bias=False), nn.GELU(), nn.BatchNorm2d(hidden))
        self.dwconv = MultiScaleDWConv(hidden)
        self.act = nn.GELU()
        self.norm = nn.BatchNorm2d(hidden)
        self.fc2 = nn.Sequential(nn.Conv2d(hidden, channels, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> the same
        x = self.fc1(x)  # (B, ratio*C, H, W)
        x = self.norm(self.act(x + self.dwconv(x)))
        return self.fc2(x)  # (B, C, H, W)


class Block(nn.Module):
    """x + DPE; + D-Mixer; + MS-FFN: each a residual, the last two scaled and dropped in training.

    parts: which parts D-Mixer has, see DMixer.
    """

    def __init__(
        self, channels: int, heads: int, sr_ratio: int, groups: int, kernel_size: int, mlp_ratio: int,
        layer_scale: float, drop_path: float = 0.0, **parts: bool,
    ):  # fmt: skip
        super().__init__()
        self.pos_embed = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm1 = GroupNorm1(channels)
        self.token_mixer = DMixer(channels, heads, sr_ratio, groups, kernel_size, **parts)
        self.norm2 = GroupNorm1(channels)
        self.mlp = MSFFN(channels, mlp_ratio)
        self.drop_path = DropPath(drop_path)
        self.layer_scale_1 = LayerScale(channels, layer_scale)
        self.layer_scale_2 = LayerScale(channels, layer_scale)
        self.output = Tap("block")

    def forward(self, x: Tensor, relative_pos_enc: Tensor | None) -> Tensor:  # (B, C, H, W) -> the same
        x = x + self.pos_embed(x)
        x = x + self.drop_path(self.layer_scale_1(self.token_mixer(self.norm1(x), relative_pos_enc)))
        x = x + self.drop_path(self.layer_scale_2(self.mlp(self.norm2(x))))
        return self.output(x)


class Stage(nn.ModuleList):
    """The blocks of one stage. It is called as a module, so that hooks on it receive the stage's input and output.

    Attributes:
        grad_checkpointing: Whether a backward pass computes the activations inside its blocks again instead of
            keeping them in memory. Without effect while a trace is active, which keeps what it records.
    """

    def __init__(self, blocks: Iterable[nn.Module] = ()):
        super().__init__(blocks)
        self.grad_checkpointing = False

    def forward(self, x: Tensor, relative_pos_enc: Tensor | None) -> Tensor:  # (B, C, H, W) -> the same
        is_checkpointed = self.grad_checkpointing and torch.is_grad_enabled() and active_trace() is None
        for block in self:
            if is_checkpointed:
                x = checkpoint(block, x, relative_pos_enc, use_reentrant=False)
            else:
                x = block(x, relative_pos_enc)
        return x
