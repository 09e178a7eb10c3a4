"""The `attache` command: its sub-commands, and the one place where an error becomes two lines and an exit code."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from attache.schema.errors import AttacheError

app = typer.Typer(
    name="attache",
    help="An AI coding agent that lives in a language server.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

MODULES = (
    "ask",
    "chat",
    "sessions",
    "code",
    "tool",
    "edit",
    "models",
    "cost",
    "config",
    "doctor",
    "demo",
    "review",
    "faces",
)
"""Modules of this package that add commands to `app`, in the order that help shows them."""


def main(arguments: list[str]) -> int:
    """Run the command and return the exit code that CONTRACT promises."""
    for name in MODULES:
        import_module(f"attache.faces.cli.{name}")
    try:
        code = app(args=arguments, prog_name="attache", standalone_mode=False)
    except typer.TyperException as error:
        said = error.format_message()
        if not said.strip():  # a command alone whose use has been shown
            return 2
        if not arguments:  # no command at all: what was raised is the help
            sys.stderr.write(said + "\n")
            return 2
        return fail(said, hint="see: attache --help", code=2)
    except (KeyboardInterrupt, typer.Abort):
        return fail("interrupted", code=130)
    except AttacheError as error:
        return fail(error.message, hint=error.hint, code=error.exit_code)
    except BrokenPipeError:
        return 0
    except OSError as error:
        return fail(f"{error.filename or 'a file'}: {error.strerror or error}", hint="is the disk full, or read-only?")
    return code if isinstance(code, int) else 0


def fail(message: str, *, hint: str = "", code: int = 1) -> int:
    """Print one line of what and one of what to do to stderr; return `code`."""
    sys.stderr.write(f"attache: {message}\n")
    for line in hint.splitlines():
        sys.stderr.write(f"  {line}\n")
    return code
