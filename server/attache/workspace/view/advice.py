"""What to do when a command fails on what the command view does not give."""

from __future__ import annotations

import re

from attache.workspace.shell import Completed

LOOKED_AT = 20_000
"""Characters of the output's end that are looked through."""
DIRECT = "view=direct runs it on the files themselves, if the user allows it"
ADVICE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (
            (
                r"could not resolve (?:host|proxy)|temporary failure in name resolution|name or service not known"
                r"|network is unreachable|EAI_AGAIN|ENETUNREACH|ENOTFOUND|no address associated with hostname"
                r"|dns error|failed to lookup address"
            ),
            "the command view has no network but for the hosts of the setting `network`",
        ),
        (r"cross-device link|EXDEV", "folders cannot be renamed in one step in the command view; mv can"),
        (
            r"\.git/[^\n]*(?:read-only file system|permission denied)|unable to create [^\n]*\.lock",
            "git's own folder is read-only in the command view: commits run in the direct view",
        ),
        (
            r"(?:node_modules|\.venv|venv)/[^\n]*(?:read-only file system|EROFS|permission denied)",
            "dependency folders are read-only in the command view: installing runs in the direct view",
        ),
        (
            r"address family not supported|EAFNOSUPPORT",
            "sockets between processes are refused in the command view",
        ),
        (r"value too large for defined data type|EOVERFLOW", "files of others cannot be changed in the command view"),
        (r"ptrace: operation not permitted", "debuggers are refused in the command view"),
    )
)


def advice(completed: Completed) -> str:
    """Return why a command that failed may have failed in the command view, and what to do; mostly nothing."""
    if completed.exit_code == 0 or completed.timed_out:
        return ""
    said = next((words for pattern, words in ADVICE if pattern.search(completed.output[-LOOKED_AT:])), "")
    return f"{said}; {DIRECT}" if said else ""
