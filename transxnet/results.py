"""What explanations return and draw draws: frozen dataclasses of numpy arrays, raw values, no pictures.

Coordinates. A pixel's number is the place of its centre. A *unit* of a stage with stride s is centred on
view pixel s*i (definitions: not s*i + (s-1)/2, because of the paddings), OSRA's keys on 32*j. The *view* is
exactly what the model saw; the *upload* is the upright picture the person gave. People's points are (x, y)
in upload pixels; rows and columns of units count from 0, stages, blocks and heads from 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .errors import OutOfRange


@dataclass(frozen=True)
class Geometry:
    """Where the values of a grid sit, in view and in upload pixels."""

    grid: tuple[int, int]  # rows, columns of the map
    stride: float  # view pixels from one value to the next
    view_size: tuple[int, int]  # height, width of the view
    crop_box: tuple[float, float, float, float]  # x0, y0, x1, y1 of the view in upload pixels (edges)
    upload_size: tuple[int, int]  # width, height of the upload
    origin: float = 0.0  # view pixel of value [0, 0]

    def center(self, row: float, col: float) -> tuple[float, float]:
        """(x, y) in view pixels of a value's centre."""
        return self.origin + self.stride * col, self.origin + self.stride * row

    def center_in_upload(self, row: float, col: float) -> tuple[float, float]:
        """(x, y) in upload pixels of a value's centre."""
        return self.to_upload(*self.center(row, col))

    def to_upload(self, x: float, y: float) -> tuple[float, float]:
        """View pixel -> upload pixel, centres to centres."""
        sx, sy = self._scale()
        return (x + 0.5) * sx + self.crop_box[0] - 0.5, (y + 0.5) * sy + self.crop_box[1] - 0.5

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        """Upload pixel -> view pixel, centres to centres; may fall outside the view."""
        sx, sy = self._scale()
        return (x + 0.5 - self.crop_box[0]) / sx - 0.5, (y + 0.5 - self.crop_box[1]) / sy - 0.5

    def unit_at(self, x: float, y: float) -> tuple[int, int]:
        """(row, column) of the value nearest to an upload point; a point outside the view takes the nearest edge.

        Raises OutOfRange for a point outside the upload.
        """
        width, height = self.upload_size
        if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
            raise OutOfRange(
                f"The point ({x:g}, {y:g}) is outside the picture.",
                remedy=f"Choose x from 0 to {width - 1} and y from 0 to {height - 1} of the upright picture.",
            )
        vx, vy = self.to_view(x, y)
        row, col = round((vy - self.origin) / self.stride), round((vx - self.origin) / self.stride)
        return min(max(row, 0), self.grid[0] - 1), min(max(col, 0), self.grid[1] - 1)

    def at(self, grid: tuple[int, int], stride: float, origin: float = 0.0) -> Geometry:
        """The same view with another grid on it."""
        return Geometry(tuple(grid), stride, self.view_size, self.crop_box, self.upload_size, origin)

    def _scale(self) -> tuple[float, float]:
        x0, y0, x1, y1 = self.crop_box
        return (x1 - x0) / self.view_size[1], (y1 - y0) / self.view_size[0]


@dataclass(frozen=True)
class Answer:
    """One class a model answered. index is the model's own output."""

    index: int
    wnid: str
    label: str
    probability: float
    logit: float


@dataclass(frozen=True)
class Prediction:
    """top: the best answers, best first. probabilities and logits: (classes,) float32."""

    top: tuple[Answer, ...]
    probabilities: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True)
class Explanation:
    """One map over a picture, raw: heat is float32 (rows, columns) in `units`, scaled and clipped nowhere."""

    method: str  # "grad_cam", "erf", "integrated_gradients", "occlusion", "attention", …
    variant: str
    layer: str  # in words that count from 1: "stage 4, block 2"
    target: str  # what was explained: "ladybug (class 31)", "query at row 3, column 5"
    heat: np.ndarray
    signed: bool  # True: draw with a diverging map centred on zero
    units: str  # "weight", "logit per unit of feature", …
    geometry: Geometry
    numbers: dict[str, float] = field(default_factory=dict)  # what is worth reading beside the picture

    @property
    def value_range(self) -> tuple[float, float]:
        """Smallest and largest raw value."""
        return float(self.heat.min()), float(self.heat.max())


@dataclass(frozen=True)
class AttentionMaps:
    """What OSRA's query at one unit mixes in. heads: (heads, key rows, key columns) float32, each sums to 1."""

    variant: str
    stage: int
    block: int
    query: tuple[int, int]  # row, column of the query's unit
    heads: np.ndarray
    entropy: np.ndarray  # (heads,): entropy of the row over log Nk, 0 (one key) to 1 (all alike)
    distance: np.ndarray  # (heads,): mean distance from the query to its keys, view pixels
    keys: Geometry  # where keys sit
    queries: Geometry  # where queries sit

    @property
    def mean(self) -> np.ndarray:
        """Mean over heads: (key rows, key columns)."""
        return self.heads.mean(axis=0)

    def head(self, head: int) -> np.ndarray:
        """Map of one head, counted from 1; 0 is the mean."""
        if not 0 <= head <= len(self.heads):
            raise OutOfRange(
                f"Stage {self.stage} has no head {head}.",
                remedy=f"Choose 1 to {len(self.heads)}, or 0 for the mean of all.",
            )
        return self.heads[head - 1] if head else self.mean


@dataclass(frozen=True)
class AttentionTable:
    """All of one block's attention: which keys every query mixes in. Nq queries and Nk keys, row by row."""

    variant: str
    stage: int
    block: int
    weights: np.ndarray  # (heads, Nq, Nk) float32; each row sums to 1
    entropy: np.ndarray  # (heads, Nq): entropy of the row over log Nk, 0 (one key) to 1 (all alike)
    distance: np.ndarray  # (heads, Nq): mean distance from the query to its keys, view pixels
    keys: Geometry
    queries: Geometry

    def at(self, row: int, col: int) -> AttentionMaps:
        """Forward view: the key maps of the query in this row and column, from 0; copies, not views of the table."""
        _check_cell(self.queries, row, col, f"queries of stage {self.stage}")
        query = row * self.queries.grid[1] + col
        return AttentionMaps(
            self.variant, self.stage, self.block, (row, col),
            self.weights[:, query].reshape(-1, *self.keys.grid).copy(),
            self.entropy[:, query].copy(), self.distance[:, query].copy(),
            self.keys, self.queries,
        )  # fmt: skip

    def users(self, row: int, col: int) -> np.ndarray:
        """Reverse view: the weight every query gives the key in this row and column, (heads, query rows, columns).

        Does not sum to 1: over all keys it does, at every query.
        """
        _check_cell(self.keys, row, col, f"keys of stage {self.stage}")
        return self.weights[:, :, row * self.keys.grid[1] + col].reshape(-1, *self.queries.grid)

    @property
    def uniform_distance(self) -> float:
        """What `distance` would be on average if every query weighed all keys alike: the figure to read it against."""
        return float(distances(self.queries, self.keys).mean())


def distances(queries: Geometry, keys: Geometry) -> np.ndarray:
    """(Nq, Nk): from each query's centre to each key's, in view pixels, row by row."""
    (qx, qy), (kx, ky) = _centers(queries), _centers(keys)
    return np.hypot(qx[:, None] - kx, qy[:, None] - ky)


def _centers(geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:  # x and y, each (values,), row by row
    rows, cols = np.indices(geometry.grid).reshape(2, -1)
    return geometry.center(rows, cols)


def _check_cell(geometry: Geometry, row: int, col: int, what: str) -> None:
    rows, cols = geometry.grid
    if not (0 <= row < rows and 0 <= col < cols):
        raise OutOfRange(
            f"The {what} have no row {row}, column {col}.", remedy=f"Rows are 0 to {rows - 1}, columns 0 to {cols - 1}."
        )


@dataclass(frozen=True)
class KernelSet:
    """The depthwise kernels IDConv generated for one picture in one block. C channels, G groups, K = 7."""

    variant: str
    stage: int
    block: int
    kernels: np.ndarray  # (C, K, K) composed
    static: np.ndarray  # (C, K, K) what uniform gates would give: the mean of the G learned kernels
    gates: np.ndarray  # (G, C, K, K), sums to 1 over G
    biases: np.ndarray  # (C,)
    bias_gates: np.ndarray  # (G, C)
    gate_entropy: np.ndarray  # (C,): entropy over groups / log G, mean over taps, 0 to 1
    distance: np.ndarray  # (C,): ||kernel - static|| / ||static||
