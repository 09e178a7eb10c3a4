"""Where `attache` begins: what must be instant stands here, the rest is imported when it is asked for."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return its exit code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        from attache import __version__

        sys.stdout.write(f"attache {__version__}\n")
        return 0
    helped = "--help" in arguments or "-h" in arguments
    if arguments[:1] == ["lsp"] and not helped:  # an editor waits for it: no detour over the command line's imports
        from attache.faces.lsp.start import main as serve

        try:
            return serve(arguments[1:])
        except KeyboardInterrupt:
            return 130
    from attache.faces.cli.main import main as command_line

    return command_line(arguments)


if __name__ == "__main__":
    sys.exit(main())
