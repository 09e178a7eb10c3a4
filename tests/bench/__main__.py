"""Run the benches and print one table: `python -m tests.bench [NAME ...] [--rounds N] [--peers]`."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.measure import Options, Row

BENCHES = ("start", "cli", "transport", "models", "pipeline", "indexing", "commands", "checkpoints")
SCRIPTS = ("retrieval", "vscode")
"""Benches that print tables of their own."""


def main() -> int:
    known = (*BENCHES, *SCRIPTS)
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Ratios against peers, in one run.")
    parser.add_argument("names", nargs="*", metavar="BENCH", help=f"{', '.join(known)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each measure is taken (default: 5)")
    parser.add_argument("--peers", action="store_true", help="install missing peers into .cache/peers")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.names if name not in known]:
        parser.error(f"unknown bench {unknown[0]!r}; there are {', '.join(known)}")
    if not Path("/proc/self/schedstat").exists():
        print("the benches read CPU time and memory from Linux's /proc; this machine has none: nothing measured")
        return 0
    began = time.monotonic()
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(_line("measure", "ours", "peer", "ratio", "bar", "ok", ""))
    options, failed = Options(chosen.rounds, chosen.peers), 0
    names = chosen.names or known
    for name in filter(BENCHES.__contains__, names):
        try:
            for row in importlib.import_module(f"tests.bench.{name}").rows(options):
                print(_shown(row), flush=True)
        except (ImportError, RuntimeError, OSError) as reason:
            failed = 1
            print(f"{name}: not measured: {reason}")
    print(f"medians of {chosen.rounds} rounds, in turn; {time.monotonic() - began:.0f} s in all")
    for name in filter(SCRIPTS.__contains__, names):
        print()
        failed |= subprocess.run([sys.executable, str(Path(__file__).with_name(f"{name}.py"))], check=False).returncode
    return failed


def _shown(row: Row) -> str:
    def figure(value: float | None) -> str:
        return "–" if value is None else f"{value:,.3g} {row.unit}" if abs(value) < 100 else f"{value:,.0f} {row.unit}"

    ratio = "–" if row.ratio is None else f"{row.ratio:.2f}"
    bar = "–" if row.bar is None else f"≤ {row.bar:g}{' ' + row.unit if row.of == 'figure' else ''}"
    ok = {None: "", True: "✓", False: "✗"}[row.ok]
    return _line(row.measure, figure(row.ours), figure(row.peer), ratio, bar, ok, row.note)


def _line(measure: str, ours: str, peer: str, ratio: str, bar: str, ok: str, note: str) -> str:
    return f"{measure:46}{ours:>10}{peer:>10}{ratio:>7}{bar:>9} {ok:2} {note}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
