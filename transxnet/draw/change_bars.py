"""Changes of a logit as bars in small panels, laid out in inches: what the figures of ablation_table are made of.

Below zero the logit fell without the part: the part spoke for the class. Above zero it spoke against it.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..results.ablation_table import AblationTable
from .sheet import DPI, HAIRLINE
from .text import ACCENT, GRAY, INK, font, printable, width, wrap

WIDE, LEFT, RIGHT = 7.5, 0.6, 0.15  # inches: 7.5 are 1200 pixels
PANEL, LEGEND, BAND = 0.9, 0.32, 0.28  # inches, heights: of bars, of the legend and of a variant's name
SIZE = 8  # points
LINE = SIZE * 1.35 / 72  # inches from one line of text to the next
SMALLEST = 0.005  # logits: what two decimals can tell, hundreds of times what rounding does
FELL, ROSE = ACCENT, "#c08a2e"


class Sheet:
    """A white figure WIDE inches across, on which things are put by inches from the top left corner."""

    def __init__(self, high: float):
        self.high = high
        self.figure = Figure(figsize=(WIDE, round(high * DPI) / DPI), dpi=DPI, facecolor="white")

    def text(self, x: float, y: float, words: str, color: str = INK, size: float = SIZE, bold: bool = False) -> None:
        self.figure.text(
            x / WIDE, 1 - y / self.high, printable(words), fontproperties=font(size, bold), color=color, va="top",
            parse_math=False,
        )  # fmt: skip

    def lines(self, x: float, y: float, words: str, room: float, most: int, color: str = GRAY) -> None:
        """Wrapped words, at most so many lines."""
        for i, line in enumerate(wrap(words, room * 72, SIZE)[:most]):
            self.text(x, y + i * LINE, line, color)

    def legend(self, *more: str) -> None:
        """What the two colors mean, and what else is drawn."""
        parts = (
            ("Change of the logit:", INK),
            ("■ falls, the part spoke for the class", FELL),
            ("■ rises, against it", ROSE),
            *((words, INK) for words in more),
        )
        x = LEFT
        for words, color in parts:
            self.text(x, 0.06, words, color)
            x += (width(words, SIZE) + 10) / 72

    def panel(self, x: float, y: float, wide: float, limits: tuple[float, float]) -> Axes:
        """Bare axes PANEL inches high: a line at zero, three or four ticks of the logit."""
        axes = self.figure.add_axes((x / WIDE, 1 - (y + PANEL) / self.high, wide / WIDE, PANEL / self.high))
        axes.set_ylim(limits)
        axes.spines[:].set_visible(False)
        axes.axhline(0, color=GRAY, linewidth=0.6, zorder=3)
        axes.yaxis.set_major_locator(MaxNLocator(3, min_n_ticks=2))
        axes.tick_params(length=0, labelcolor=GRAY, pad=2)
        axes.grid(axis="y", color=HAIRLINE, linewidth=0.5)
        axes.set_axisbelow(True)
        return axes


def fonts(axes: Axes) -> None:
    """After the ticks are set: in the family of all drawings."""
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(font(SIZE))


def bars(axes: Axes, at: Sequence[float], heights: Sequence[float]) -> None:
    axes.bar(at, heights, width=0.78, color=[FELL if h < 0 else ROSE for h in heights], zorder=2)


def limits(changes: Sequence[float]) -> tuple[float, float]:
    """One range for all panels, with zero inside and a little room; never so narrow that rounding would show."""
    low, high = min([-SMALLEST, *changes]), max([SMALLEST, *changes])
    room = 0.08 * (high - low)
    return low - room, high + room


def explained(result: AblationTable) -> str:
    answer = result.explained
    return f"{answer.label}, {percent(answer.probability)}, logit {answer.logit:.2f}"


def percent(probability: float) -> str:
    return f"{100 * probability:.1f} %"


def signed(change: float) -> str:
    """Two decimals and a sign; a change too small for them is 0.00."""
    return "0.00" if abs(change) < SMALLEST else f"{change:+.2f}".replace("-", "−")
