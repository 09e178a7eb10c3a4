"""What a confined command may see of the machine, and which variables it gets: tables, and what is made of them."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from attache.foundation.redact import redact
from attache.workspace.environment import looks_secret

KEPT_VARIABLES = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM", "COLORTERM", "COLUMNS", "LINES",
    "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI", "DEBIAN_FRONTEND", "MAKEFLAGS", "MAKELEVEL",
    "CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "LD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH",
    "PKG_CONFIG_PATH", "CMAKE_PREFIX_PATH", "ANDROID_HOME", "ANDROID_SDK_ROOT", "JAVA_HOME", "M2_HOME", "MAVEN_OPTS",
    "VIRTUAL_ENV", "DJANGO_SETTINGS_MODULE", "FLASK_APP", "RAILS_ENV", "RACK_ENV", "APP_ENV", "EDITOR", "PAGER",
    "SOURCE_DATE_EPOCH", "COVERAGE_FILE", "COVERAGE_RCFILE", "COVERAGE_CORE", "SYSTEMROOT", "COMSPEC", "PATHEXT",
    "WINDIR", "TEMP", "TMP",
})  # fmt: skip
KEPT_PREFIXES = (
    "LC_", "PYTHON", "PYTEST_", "PYENV_", "CONDA_", "UV_", "POETRY_", "NODE_", "NVM_", "VOLTA_", "GO", "CGO_", "CARGO_",
    "RUST", "GRADLE_", "DOTNET_", "GEM_", "BUNDLE_", "RUBY", "RBENV_", "SDKMAN_", "ASDF_", "MISE_", "NIX_", "HOMEBREW_",
    "GIT_AUTHOR_", "GIT_COMMITTER_", "HYPOTHESIS_", "TOX_", "NOX_",
)  # fmt: skip
"""Variables that commands get of the user's, unless name or value are a secret's; all others need the setting."""

TOOLCHAINS = (
    ".cargo/bin", ".cargo/env", ".cargo/registry", ".cargo/git", ".cargo/config.toml", ".rustup", ".pyenv", ".nvm",
    ".volta",
    ".fnm", ".asdf/installs", ".asdf/shims", ".asdf/bin", ".local/bin", ".local/lib", ".local/pipx", ".local/share/uv",
    ".local/share/mise", ".local/share/pnpm", ".local/share/fnm", ".local/share/virtualenvs", ".local/share/pipx",
    ".rbenv", ".gem/ruby", ".sdkman/candidates", ".bun/bin", ".bun/install/cache", ".deno/bin", ".dotnet",
    ".nix-profile", ".m2/repository", "go/bin", "go/pkg", "sdk", ".poetry/bin", ".conda/envs", ".linuxbrew",
    ".cache/pypoetry/virtualenvs", ".cache/pre-commit", ".cache/ms-playwright", ".npm-global", "n/bin", "n/lib",
)  # fmt: skip
"""Of the user's own folder, what programs are started from and none writes passwords to."""
CREDENTIALS = (
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".config/gcloud", ".config/gh", ".config/hub", ".netrc",
    ".git-credentials", ".config/git/credentials", ".npmrc", ".yarnrc", ".yarnrc.yml", ".pypirc", ".password-store",
    ".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials", ".m2/settings.xml",
    ".gradle/gradle.properties",
    ".terraform.d", ".terraformrc", ".config/op", ".local/share/keyrings", ".mozilla", ".config/google-chrome",
    ".config/chromium", ".thunderbird", ".bash_history", ".zsh_history", ".python_history", ".psql_history", ".pgpass",
    ".my.cnf", ".config/pip", ".pip", ".subversion/auth", ".local/state/attache", ".config/attache",
)  # fmt: skip
"""Hidden even where the workspace is the user's own folder."""
SYSTEM_SECRETS = (
    "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers", "/etc/sudoers.d", "/etc/ssh",
    "/etc/ssl/private", "/etc/krb5.keytab", "/etc/NetworkManager/system-connections", "/etc/kubernetes",
    "/var/run/secrets",
    "/var/spool/cron", "/sys/firmware", "/sys/kernel/debug", "/sys/kernel/tracing",
)  # fmt: skip
RUN_SEEN = ("/run/current-system", "/run/wrappers", "/run/opengl-driver", "/run/systemd/resolve")
TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - what is put in their place is private
DEPENDENCIES = frozenset({
    "node_modules", "bower_components", ".venv", "venv", ".yarn", ".pnpm-store", ".bundle", ".direnv", ".tox", ".nox",
    "__pypackages__",
})  # fmt: skip
"""Folders of what others wrote: commands read them in place, and installing is for the direct view."""
LOOKED_INTO = 400  # folders that are searched for such, so that a huge tree costs nothing

NAMESPACE_FAMILIES = (int(socket.AF_INET), int(socket.AF_INET6), int(getattr(socket, "AF_NETLINK", 16)))
"""Sockets in a network namespace of its own, which reach nobody but the command itself."""


def environment(additions: Mapping[str, str], *, temporary: str) -> dict[str, str]:
    """Return the variables of a confined command: those that are known to hold no secret, and the additions."""
    chosen = {
        name: value
        for name, value in os.environ.items()
        if _known(name) and not looks_secret(name, value) and redact(value) == value
    }
    return {**chosen, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "TMPDIR": temporary, **additions}


def proxied(port: int) -> dict[str, str]:
    """Return the variables by which programs find a proxy on this port of their own network; none for 0."""
    if not port:
        return {}
    names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    here = "localhost,127.0.0.1,::1"
    return {**dict.fromkeys(names, f"http://127.0.0.1:{port}"), "NO_PROXY": here, "no_proxy": here}


def _known(name: str) -> bool:
    return name.upper() in KEPT_VARIABLES or name.startswith(KEPT_PREFIXES)


def user_folder() -> Path:
    """Return the user's own folder, whatever the variable says."""
    if sys.platform == "win32":
        return Path.home()
    import pwd

    return Path(os.path.realpath(pwd.getpwuid(os.geteuid()).pw_dir))


def masked(private_home: Path, private_temporary: Path) -> dict[str, str]:
    """Return the folders that something else stands in for: the user's own, those of others, temporary ones, /run."""
    homes = {str(user_folder()), os.path.realpath(os.environ.get("HOME") or "/nowhere")} - {"/"}
    places = {home: str(private_home) for home in homes}
    places |= {os.path.realpath(path): str(private_temporary) for path in TEMPORARY if Path(path).is_dir()}
    empty = {os.path.realpath(path): "" for path in ("/home", "/root", "/run") if Path(path).is_dir()}
    return {path: behind for path, behind in {**empty, **places}.items() if Path(path).is_dir()}


def exposed(hidden: Iterable[str], roots: Sequence[Path]) -> tuple[str, ...]:
    """Return what lies in masked folders and is needed: toolchains, and what PATH and environments point to."""
    home = user_folder()
    wanted = [home / name for name in TOOLCHAINS]
    for entry in os.get_exec_path():
        folder = Path(entry)
        if folder.name in {"bin", "sbin"} and folder.parent not in {home, Path("/")}:
            wanted.append(folder.parent if _is_prefix(folder.parent) else folder)
        else:
            wanted.append(folder)
    wanted += [
        Path(value)
        for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "JAVA_HOME", "GOROOT")
        if (value := os.environ.get(name))
    ]
    wanted += [Path(sys.prefix), Path(sys.base_prefix)]
    seen = {*RUN_SEEN}
    barred = [f"{path}/" for path in hidden]
    taken = {str(home), *TEMPORARY, "/"} | {str(root) for root in roots}
    for place in wanted:
        for path in (str(place), os.path.realpath(place)):
            if path.startswith(tuple(barred)) and path not in taken and not str(home).startswith(f"{path}/"):
                seen.add(path)
    inside = [f"{root}/" for root in roots]
    found = sorted((path for path in seen if _there(path) and not path.startswith(tuple(inside))), key=len)
    return tuple(path for path in found if not any(path.startswith(f"{other}/") for other in found))


def furnish(home: Path) -> None:
    """Put links to the user's toolchains into a folder that stands in for the user's own."""
    for name in TOOLCHAINS:
        if _there(real := user_folder() / name):
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).symlink_to(real)


def readable(barred: Iterable[str], besides: Iterable[str]) -> tuple[str, ...]:
    """Return all folders of the machine but the barred ones, each as high up as can be, and what is named besides."""
    kept = tuple(barred)
    found: list[str] = []
    way = ["/"]
    while way:
        folder = way.pop()
        base = folder.rstrip("/")
        if folder in kept:
            continue
        if not any(path.startswith(f"{base}/") for path in kept):
            found.append(folder)
            continue
        with suppress(OSError), os.scandir(folder) as entries:
            way += [f"{base}/{entry.name}" for entry in entries if not entry.is_symlink()]
    return (*found, *besides)


def _there(path: Path | str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # in a folder that we may not look into
        return False


def _is_prefix(folder: Path) -> bool:
    """Return whether a folder is where one program or environment is installed, and not a place for everything."""
    return any(_there(folder / name) for name in ("lib", "pyvenv.cfg", "libexec", "share"))


def credentials() -> tuple[str, ...]:
    """Return where the user's credentials lie, for sandboxes that can name what is not read."""
    return tuple(str(user_folder() / name) for name in CREDENTIALS)


def hidden(roots: Sequence[Path]) -> tuple[str, ...]:
    """Return what is emptied wherever it lies: the machine's secrets, and credentials within the workspace's reach."""
    home = user_folder()
    reach = [root for root in roots if home.is_relative_to(root)]
    inside = [str(home / name) for name in CREDENTIALS] if reach else []
    tools = [str(home / name) for name in (".cargo/credentials", ".cargo/credentials.toml")]
    return tuple(path for path in (*SYSTEM_SECRETS, *inside, *tools) if os.path.lexists(path))


def read_only(root: Path) -> dict[str, str]:
    """Return the folders of a root that commands read in place, by their path from the root."""
    found = {".git": str(root / ".git")} if os.path.lexists(root / ".git") else {}
    way = [(root, "", 0)]
    looked = 0
    while way and looked < LOOKED_INTO:
        folder, base, depth = way.pop(0)
        looked += 1
        try:
            with os.scandir(folder) as entries:
                listed = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        for entry in listed:
            path = f"{base}{entry.name}"
            if entry.name in DEPENDENCIES and (entry.name != "venv" or _there(Path(entry) / "pyvenv.cfg")):
                found[path] = str(root / path)
            elif depth < 2 and not entry.name.startswith("."):  # noqa: PLR2004 - packages/name/node_modules
                way.append((Path(entry), f"{path}/", depth + 1))
    return found
