"""What the library's tests share."""

from __future__ import annotations

import pytest

from tests.reference import worst_errors


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Each run says how far this model is from the official one."""
    for variant, error in sorted(worst_errors.items()):
        terminalreporter.write_line(
            f"reference arrays, {variant.upper()}: worst relative error {error:.2e} (limit 1e-4)"
        )
