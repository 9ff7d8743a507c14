"""Positions of a map's values, in the coordinates that transxnet/results/__init__.py defines."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import OutOfRange
from ..messages import Message


@dataclass(frozen=True)
class Geometry:
    """Positions of a grid's values in the model input and in the source image.

    Attributes:
        grid: (rows, columns) of the map.
        stride: Model-input pixels from one value to the next.
        input_size: (height, width) of the model input in pixels.
        crop_box: (x0, y0, x1, y1), edges of the model input in source-image pixels.
        source_size: (width, height) of the upright source image in pixels.
        origin: Model-input pixel of value [0, 0], along both axes.
    """

    grid: tuple[int, int]
    stride: float
    input_size: tuple[int, int]
    crop_box: tuple[float, float, float, float]
    source_size: tuple[int, int]
    origin: float = 0.0

    def center(self, row: float, col: float) -> tuple[float, float]:
        """(x, y) of a value's center in model-input pixels."""
        return self.origin + self.stride * col, self.origin + self.stride * row

    def to_source(self, x: float, y: float) -> tuple[float, float]:
        """Map a model-input position to the source image; whole numbers are pixel centers in both."""
        scale_x, scale_y = self._scale()
        return (x + 0.5) * scale_x + self.crop_box[0] - 0.5, (y + 0.5) * scale_y + self.crop_box[1] - 0.5

    def to_input(self, x: float, y: float) -> tuple[float, float]:
        """Map a source-image position to the model input; the result may lie outside it."""
        scale_x, scale_y = self._scale()
        return (x + 0.5 - self.crop_box[0]) / scale_x - 0.5, (y + 0.5 - self.crop_box[1]) / scale_y - 0.5

    def unit_at(self, x: float, y: float) -> tuple[int, int]:
        """Find the value nearest to a position of the source image.

        Args:
            x: Column of the upright source image in pixels.
            y: Row of the upright source image in pixels.

        Returns:
            (row, column) from 0; for a position outside the model input, the nearest value at its edge.

        Raises:
            OutOfRange: For a position outside the source image.
        """
        width, height = self.source_size
        if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
            message = Message("The position ({x}, {y}) is outside the image.", x=f"{x:g}", y=f"{y:g}")
            remedy = Message("Choose x from 0 to {x}, y from 0 to {y} of the upright image.", x=width - 1, y=height - 1)
            raise OutOfRange(message, remedy=remedy)
        input_x, input_y = self.to_input(x, y)
        row, col = round((input_y - self.origin) / self.stride), round((input_x - self.origin) / self.stride)
        return min(max(row, 0), self.grid[0] - 1), min(max(col, 0), self.grid[1] - 1)

    def _scale(self) -> tuple[float, float]:
        """Source-image pixels per model-input pixel, (x, y)."""
        x0, y0, x1, y1 = self.crop_box
        return (x1 - x0) / self.input_size[1], (y1 - y0) / self.input_size[0]
