"""What a confined command's own processes do before it starts: its first process lays out the world it will see.

This runs in a process forked from the broker: one thread, nothing imported meanwhile, never a return to the caller.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import select
import signal
import socket
import struct
import termios
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from attache.workspace.view import kernel, landlock, seccomp
from attache.workspace.view.plan import Laid, Plan

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
DEV_WRITABLE = (
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts",
    "/dev/shm",  # noqa: S108 - the command's own, or the machine's shared memory where there are no namespaces
)  # fmt: skip
PROCESSES_FILE = "/proc/sys/kernel/pid_max"
LEAST_PID_MAX = 301  # the kernel takes no less
EXEC_FAILED = 127
CHUNK = 65_536


def first_process(plan: Plan, filter_: bytes, report: int, output: int, door: socket.socket) -> NoReturn:
    """Be process 1 of the namespaces: lay out the world, start the command, bury what dies, tell how it ended."""
    try:
        signal.signal(signal.SIGTERM, _ask_all)
        _lay_out(plan)
        if plan.proxy_port:
            _open_gate(plan.proxy_port, door)
        status = (
            _in_terminal(plan, filter_, report, output) if plan.terminal else _waited(_start(plan, filter_, report))
        )
        _tell(report, {"status": status})
    except BaseException as error:  # noqa: BLE001 - there is nobody above to raise it to
        _tell(report, {"error": f"{type(error).__name__}: {error}"})
    os._exit(0)


def at_terminal(plan: Plan, filter_: bytes, report: int, output: int) -> NoReturn:
    """Be between a command without namespaces and the server: hold its terminal, and tell how it ended."""
    try:
        os.setsid()
        kernel.prctl(kernel.PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGTERM, _ask_children)
        _tell(report, {"status": _in_terminal(plan, filter_, report, output)})
    except BaseException as error:  # noqa: BLE001 - there is nobody above to raise it to
        _tell(report, {"error": f"{type(error).__name__}: {error}"})
    os._exit(0)


def _start(plan: Plan, filter_: bytes, report: int, terminal: int = -1) -> int:
    child = os.fork()
    if child == 0:
        become(plan, filter_, report, terminal)
    return child


def become(plan: Plan, filter_: bytes, report: int, terminal: int = -1) -> NoReturn:
    """Turn this process into the command, or report why that cannot be."""
    step = "start"
    try:
        os.setsid()
        if terminal >= 0:
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(terminal, fd)
        os.chdir(plan.cwd)
        _limit(plan)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        step = "confine"
        if plan.level != "none":
            kernel.drop_capabilities(kernel.KEPT_BY_ROOT if os.geteuid() == 0 else ())
            kernel.prctl(kernel.NO_NEW_PRIVS, 1)
            landlock.confine((*plan.writable, *DEV_WRITABLE), plan.readable)
            seccomp.install(filter_)
        step = "exec"
        os.execvpe(plan.argv[0], plan.argv, plan.env)  # noqa: S606 - the very thing this is for
    except BaseException as error:  # noqa: BLE001 - there is nobody above to raise it to
        code = error.errno if isinstance(error, OSError) else 0
        _tell(report, {"error": f"{type(error).__name__}: {error}", "step": step, "errno": code})
    os._exit(EXEC_FAILED)


# ---------------------------------------------------------------- the world


def _lay_out(plan: Plan) -> None:
    """Mount what the command sees. All that is shown again is taken hold of before anything is covered."""
    kernel.prctl(kernel.PDEATHSIG, signal.SIGKILL)
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_SLAVE)
    read_only = {path: _tree(path, kernel.ATTR_RDONLY) for path in (*plan.exposed, *plan.read_only)}
    laid = {each.at: _laid(each) for each in plan.laid}
    private = {path: kernel.tree(behind) for path, behind in plan.masked.items() if behind}
    devices = {name: kernel.tree(f"/dev/{name}") for name in DEVICES if os.path.exists(f"/dev/{name}")}  # noqa: PTH110
    kernel.restrict(-1, "/", kernel.ATTR_RDONLY | kernel.ATTR_NOSUID)
    for path in sorted(plan.masked, key=len):
        if path in private:
            _attach(private[path], path)
        elif os.path.isdir(path):  # noqa: PTH112
            _empty(path)
    _devices(devices)
    for path, fd in sorted({**laid, **read_only}.items(), key=lambda item: len(item[0])):
        _attach(fd, path)
    for path in plan.hidden:
        _hide(path)
    kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    with suppress(OSError):
        kernel.raise_loopback()
    _limit_processes(plan.limits.processes)


def _open_gate(port: int, door: socket.socket) -> None:
    """Listen in this network, and let the server, which is in another, answer."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        socket.send_fds(door, [b"L"], [listener.fileno()])


def _tree(path: str, attributes: int) -> int:
    try:
        fd = kernel.tree(path)
    except FileNotFoundError:
        return -1
    kernel.restrict(fd, "", attributes | kernel.ATTR_NOSUID | kernel.ATTR_NODEV)
    return fd


def _laid(laid: Laid) -> int:
    if laid.copy:
        fd = kernel.tree(laid.copy)
        kernel.restrict(fd, "", kernel.ATTR_NOSUID | kernel.ATTR_NODEV)
        return fd
    held = [os.open(path, os.O_PATH | os.O_DIRECTORY) for path in (*laid.lowers, laid.upper, laid.work)]
    try:
        return kernel.overlay(held[:-2], *held[-2:])
    finally:
        for fd in held:
            os.close(fd)


def _attach(fd: int, path: str) -> None:
    """Mount a tree on a path, which is made where it lies in what was masked."""
    if fd < 0:
        return
    if not os.path.lexists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        if os.path.isdir(f"/proc/self/fd/{fd}"):  # noqa: PTH112
            os.mkdir(path)  # noqa: PTH102
        else:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    kernel.attach(fd, path)


def _empty(path: str) -> None:
    kernel.mount("none", path, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755,size=1m")


def _hide(path: str) -> None:
    if os.path.isdir(path):  # noqa: PTH112
        _empty(path)
    elif os.path.lexists(path):
        kernel.attach(kernel.tree("/dev/null"), path)


def _devices(devices: dict[str, int]) -> None:
    kernel.mount("none", "/dev", "tmpfs", kernel.MS_NOSUID, "mode=0755,size=1m")
    for name, fd in devices.items():
        os.close(os.open(f"/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
        kernel.attach(fd, f"/dev/{name}")
    for name in ("pts", "shm"):
        os.mkdir(f"/dev/{name}")  # noqa: PTH102
    kernel.mount("devpts", "/dev/pts", "devpts", kernel.MS_NOSUID, "newinstance,ptmxmode=0666,mode=0620")
    kernel.mount("none", "/dev/shm", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=1777")  # noqa: S108
    links = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
    for name, target in links.items():
        os.symlink(target, f"/dev/{name}")  # noqa: PTH211


# ---------------------------------------------------------------- limits


def _limit(plan: Plan) -> None:
    limits = {
        resource.RLIMIT_FSIZE: plan.limits.file_bytes,
        resource.RLIMIT_DATA: plan.limits.memory_bytes,
        resource.RLIMIT_NPROC: plan.limits.processes if os.geteuid() != 0 and plan.level == "namespaces" else 0,
    }
    for which, most in limits.items():
        hard = resource.getrlimit(which)[1]
        if most and (hard == resource.RLIM_INFINITY or most < hard):
            resource.setrlimit(which, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123 - it goes before we do
        file.write("900")


def _limit_processes(most: int) -> None:
    """Limit the processes of this namespace, which newer kernels can; those of an ordinary user have a limit anyway."""
    if most:
        with suppress(OSError), open(PROCESSES_FILE, "w") as file:  # noqa: PTH123
            file.write(str(max(most, LEAST_PID_MAX)))


# ---------------------------------------------------------------- to the end


def _ask_all(_number: int, _frame: FrameType | None) -> None:
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGTERM)


def _ask_children(_number: int, _frame: FrameType | None) -> None:
    with open(f"/proc/self/task/{os.getpid()}/children") as children:  # noqa: PTH123 - no more is imported here
        for pid in map(int, children.read().split()):
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGTERM)


def _waited(command: int) -> int:
    """Bury all that die until the command does; return its exit code, negative for a signal."""
    while True:
        pid, status = os.wait()
        if pid == command:
            return os.waitstatus_to_exitcode(status)


def _in_terminal(plan: Plan, filter_: bytes, report: int, output: int) -> int:
    """Give the command a terminal of its own, and pass on what it writes there."""
    master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    fcntl.ioctl(master, 0x40045431, struct.pack("i", 0))  # TIOCSPTLCK: unlocked
    number = struct.unpack("i", fcntl.ioctl(master, 0x80045430, b"\0\0\0\0"))[0]  # TIOCGPTN
    slave = os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    command = _start(plan, filter_, report, slave)
    os.close(slave)
    ended, targets = os.pidfd_open(command), {master: output, 0: master}
    with suppress(OSError):  # EIO: nobody holds the terminal open any more
        while ready := select.select([ended, *targets], [], [])[0]:
            for fd in (fd for fd in ready if fd != ended):
                data = os.read(fd, CHUNK)
                if data:
                    _write(targets[fd], data)
                else:
                    del targets[fd]
                    if fd == 0:
                        os.write(master, b"\x04")
            if ended in ready and master not in ready:  # what it left behind may hold the terminal for ever
                break
    return _waited(command)


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _tell(report: int, what: dict[str, Any]) -> None:
    with suppress(OSError):
        os.write(report, json.dumps(what).encode() + b"\n")
