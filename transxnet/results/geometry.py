"""Where a map's values sit: the coordinates that transxnet/results/__init__.py defines."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import OutOfRange


@dataclass(frozen=True)
class Geometry:
    """Where the values of a grid sit, in view and in upload pixels."""

    grid: tuple[int, int]  # rows, columns of the map
    stride: float  # view pixels from one value to the next
    input_size: tuple[int, int]  # height, width of the view
    crop_box: tuple[float, float, float, float]  # x0, y0, x1, y1 of the view in upload pixels (edges)
    source_size: tuple[int, int]  # width, height of the upload
    origin: float = 0.0  # view pixel of value [0, 0]

    def center(self, row: float, col: float) -> tuple[float, float]:
        """(x, y) in view pixels of a value's center."""
        return self.origin + self.stride * col, self.origin + self.stride * row

    def center_in_upload(self, row: float, col: float) -> tuple[float, float]:
        """(x, y) in upload pixels of a value's center."""
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
        width, height = self.source_size
        if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
            raise OutOfRange(
                f"The point ({x:g}, {y:g}) is outside the image.",
                remedy=f"Choose x from 0 to {width - 1} and y from 0 to {height - 1} of the upright image.",
            )
        vx, vy = self.to_view(x, y)
        row, col = round((vy - self.origin) / self.stride), round((vx - self.origin) / self.stride)
        return min(max(row, 0), self.grid[0] - 1), min(max(col, 0), self.grid[1] - 1)

    def at(self, grid: tuple[int, int], stride: float, origin: float = 0.0) -> Geometry:
        """The same view with another grid on it."""
        return Geometry(tuple(grid), stride, self.input_size, self.crop_box, self.source_size, origin)

    def _scale(self) -> tuple[float, float]:
        x0, y0, x1, y1 = self.crop_box
        return (x1 - x0) / self.input_size[1], (y1 - y0) / self.input_size[0]
