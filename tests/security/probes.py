"""A program that runs escapes in the command view and says of each whether it came through: `probes.py FOLDER`.

Each probe is a Python program that does its worst and prints what it got; evidence is also looked for outside: files
that changed, listeners that heard something, processes that live on. Prints one JSON object, name to what leaked.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from pathlib import Path

from attache.workspace.shell import Command
from attache.workspace.view.level import level
from attache.workspace.workspace import Workspace

SECRET = "canary-7f3a9c"
"""What nobody is to learn; the variable SERVICE_PARAMETER holds it, and nothing in that name tells of a secret."""
HEAD = """
import os, sys, socket, ctypes, ctypes.util, pathlib, subprocess, time
OUT, HOME, SERVER, TCP, UDP = {out!r}, {home!r}, {server}, {tcp}, {udp}
libc = ctypes.CDLL(None, use_errno=True)
def sent(*result): print('GOT', *result)
"""

PROBES: dict[str, str] = {
    "write in the home folder": "open(HOME + '/.bashrc', 'a').write('evil')",
    "write beside the workspace": "open(OUT + '/file', 'a').write('evil')",
    "create in a system folder": "open('/usr/local/evil-attache', 'w').write('x'); sent('made')",
    "write through a link": "os.symlink(OUT + '/file', 'way'); open('way', 'a').write('evil')",
    "write through a hard link": "os.link(OUT + '/file', 'hard'); open('hard', 'a').write('evil')",
    "write through /proc": "open('/proc/self/root' + OUT + '/file', 'a').write('evil')",
    "delete outside": "os.unlink(OUT + '/doomed')",
    "rename outside": "os.rename(OUT + '/doomed', OUT + '/renamed')",
    "change permissions outside": "os.chmod(OUT + '/file', 0o777)",
    "change times outside": "os.utime(OUT + '/file', (1, 1))",
    "read a key in the home folder": "sent(open(HOME + '/.ssh/id_ed25519').read())",
    "read what lies beside the workspace in the home folder": "sent(open(HOME + '/notes.txt').read())",
    "read the variables of this process": "sent(str(dict(os.environ)))",
    "read the variables of the server": "sent(open(f'/proc/{SERVER}/environ').read())",
    "read the variables of every process": (
        "[sent(pathlib.Path(p, 'environ').read_text()) for p in pathlib.Path('/proc').glob('[0-9]*')]"
    ),
    "signal the server": "os.kill(SERVER, 0); sent('reached')",
    "trace a process": "r = libc.ptrace(0, 0, 0, 0); r == 0 and sent('traced')",
    "read the memory of the server": (
        "b = ctypes.create_string_buffer(8); libc.syscall(310, SERVER, b, 0, b, 0, 0) >= 0 and sent('read')"
    ),
    "connect by TCP": "socket.create_connection(('127.0.0.1', TCP), 2).sendall(b'evil')",
    "send by UDP": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'evil', ('127.0.0.1', UDP))",
    "ask a name server": "socket.setdefaulttimeout(2); sent(socket.getaddrinfo('example.com', 80))",
    "connect to a socket in a folder": "s = socket.socket(socket.AF_UNIX); s.connect(OUT + '/sock'); s.sendall(b'evil')",
    "connect to an abstract socket": (
        "s = socket.socket(socket.AF_UNIX); s.connect('\\0attache-probe-' + str(TCP)); s.sendall(b'evil')"
    ),
    "make a user namespace": "libc.unshare(0x10000000) == 0 and sent('made')",
    "make one by clone": "r = libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0); r == 0 and os._exit(0); r > 0 and sent('made')",
    "mount": "libc.mount(b'none', b'/mnt', b'tmpfs', 0, None) == 0 and sent('mounted')",
    "unmount what hides the home folder": "libc.umount2(HOME.encode(), 2) == 0 and sent('unmounted')",
    "make a device": "os.mknod('disk', 0o60600, os.makedev(254, 0)); os.open('disk', os.O_RDONLY); sent('opened')",
    "open a device": "[sent(os.open(p, os.O_RDWR)) for p in ('/dev/mem', '/dev/kmsg', '/dev/vda', '/dev/sda') if os.path.exists(p)]",
    "become another user": "os.setuid(1); sent('became') if os.getuid() == 1 else 0",
    "set up io_uring": "b = ctypes.create_string_buffer(120); libc.syscall(425, 4, b) >= 0 and sent('set up')",
    "load a BPF program": "libc.syscall(321, 0, None, 0) == -1 and ctypes.get_errno() not in (1, 38) and sent('reached')",
    "type into the terminal": "import fcntl; fcntl.ioctl(0, 0x5412, b'x'); sent('typed')",
    "leave a daemon behind": (
        "os.fork() == 0 and (os.setsid(), os.fork() == 0 and (time.sleep(1.5), open(OUT + '/daemon', 'w')), os._exit(0))"
    ),
    "plant a hook": "os.rename('.git', 'x'); os.makedirs('.git/hooks'); open('.git/hooks/pre-commit', 'w').write('evil')",
    "write a hook": "open('.git/hooks/pre-commit', 'w').write('evil')",
}
AT_LEVEL_B = frozenset({
    "change permissions outside", "change times outside",
    "read the variables of the server", "read the variables of every process", "signal the server",
})  # fmt: skip
"""What Landlock and seccomp alone do not stop; the last three where the kernel's Landlock is older than its version 6."""


class Listeners:
    """Ears of every kind, outside of the view."""

    def __init__(self, out: Path) -> None:
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.path = socket.socket(socket.AF_UNIX)
        self.path.bind(str(out / "sock"))
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind(f"\0attache-probe-{self.tcp.getsockname()[1]}")
        for ear in (self.path, self.abstract):
            ear.listen()
        for ear in (self.tcp, self.udp, self.path, self.abstract):
            ear.setblocking(False)

    def heard(self) -> bool:
        for ear in (self.tcp, self.path, self.abstract):
            with contextlib.suppress(BlockingIOError):
                ear.accept()[0].close()
                return True
        with contextlib.suppress(BlockingIOError):
            return bool(self.udp.recv(100))
        return False


def outside(out: Path, home: Path) -> dict[str, tuple[object, ...]]:
    """What stands outside of the workspace, with times and permissions."""
    files = [path for top in (out, home) for path in top.rglob("*") if path.is_file() and "views" not in path.parts]
    found = {str(path): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns) for path in files}
    return {**found, "evil": tuple(Path("/usr/local").glob("evil*"))}


async def main(folder: Path) -> dict[str, str]:
    home, out, top = folder / "home", folder / "out", folder / "home" / "ws"
    for path in (home / ".ssh", out, top / ".git" / "hooks"):
        path.mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text(SECRET)
    (home / "notes.txt").write_text(SECRET)
    for name in ("file", "doomed"):
        (out / name).write_text("mine\n")
    os.environ["HOME"] = str(home)
    assert os.environ["SERVICE_PARAMETER"] == SECRET, "given from the start, so that /proc shows it"
    listeners = Listeners(out)
    workspace = Workspace([top], home=folder / "state")
    facts = {
        "out": str(out), "home": str(home), "server": os.getpid(),
        "tcp": listeners.tcp.getsockname()[1], "udp": listeners.udp.getsockname()[1],
    }  # fmt: skip
    leaks: dict[str, str] = {"level": level(folder / "state").level}
    for name, probe in PROBES.items():
        before, hooks = outside(out, home), sorted((top / ".git").rglob("*"))
        argv = ("/usr/bin/env", "python3", "-c", HEAD.format(**facts) + probe)
        done = await workspace.view().run(Command(argv=argv, view="cow", timeout_seconds=20))
        if name == "leave a daemon behind":
            time.sleep(2)
        got = [line for line in done.output.splitlines() if line.startswith("GOT")]
        if name.startswith("read the variables"):
            got = [line for line in got if SECRET in line]
        if outside(out, home) != before:
            leaks[name] = "changed what lies outside"
        elif listeners.heard():
            leaks[name] = "was heard outside"
        elif got:
            leaks[name] = got[0][:200]
        elif sorted((top / ".git").rglob("*")) != hooks:
            leaks[name] = "changed .git"
        await workspace.view().forget()
    workspace.close()
    return leaks


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1]).resolve()))))
