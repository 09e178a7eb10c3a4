"""Every run plants secrets, and fails where the product has let one out."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import canaries

_LEAKS: list[str] = []
_SECONDS = [0.0]


def pytest_configure(config: pytest.Config) -> None:
    canaries.begin()


@pytest.fixture(autouse=True, scope="session")
def _told_by_programs() -> Iterator[None]:
    """Look at what programs of ours say that a test starts and reads."""
    plain = subprocess.Popen.communicate

    def communicate(self: subprocess.Popen[Any], *arguments: Any, **more: Any) -> tuple[Any, Any]:
        told = plain(self, *arguments, **more)
        words = self.args if isinstance(self.args, list | tuple) else [self.args]
        if any("attache" in str(word) for word in words):
            for each in told:
                data = each.encode() if isinstance(each, str) else each or b""
                assert not canaries.shown(data), f"a planted secret in what {words} says"
        return told

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "communicate", communicate)
        yield


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Look at what was printed and logged while a test ran."""
    began = time.perf_counter()
    if any(canaries.shown(text.encode("utf-8", "replace")) for _, text in report.sections):
        _LEAKS.append(f"{report.nodeid}: printed or logged")
    _SECONDS[0] += time.perf_counter() - began


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look at all state that the tests left: logs, databases, kept outputs, traffic. Once, where all processes meet."""
    if hasattr(session.config, "workerinput"):
        return
    factory: Any = getattr(session.config, "_tmp_path_factory", None)
    base: Path | None = getattr(factory, "_basetemp", None)
    began = time.perf_counter()
    if base is not None and base.is_dir():
        _LEAKS.extend(canaries.leaks(base))
    _SECONDS[0] += time.perf_counter() - began
    if _LEAKS:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _LEAKS:
        terminalreporter.section("planted secrets that got out", red=True)
        for each in sorted(set(_LEAKS)):
            terminalreporter.write_line(each)
    else:
        kinds = len(canaries.planted())
        terminalreporter.write_line(f"0 of {kinds} planted secrets in any outlet (looked for {_SECONDS[0]:.1f} s)")
