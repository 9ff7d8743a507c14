"""Words of long computations that a visitor may stop."""

from __future__ import annotations

STOP = "Stop"
STOPPED = "Stopped, as you asked: nothing of this is computed any more."
AGAIN = "Start again"
