"""Tell at the end of a run what was measured."""

from __future__ import annotations

from typing import Any

HEAD = (
    "suite",
    "gate",
    "attacks that act: done",
    "attacks by words alone",
    "user's tasks done, attacked",
    "unattacked",
)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, [])]
    rows = [value for report in reports for name, value in report.user_properties if name == "dojo"]
    if not rows:
        return
    terminalreporter.section("AgentDojo, played by script through the gate")
    lines = [HEAD, *sorted(map(tuple, rows))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    for line in lines:
        terminalreporter.write_line("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)))
