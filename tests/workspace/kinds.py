"""Kinds of change that a command can make, as test equipment: each a shell's text, run in a folder of its own."""

from __future__ import annotations

import stat
from pathlib import Path

LARGE = 21_000_000
"""Bytes: more than what is read as text."""

KINDS: dict[str, str] = {
    "create": "echo new > new.txt",
    "create in new folders": "mkdir -p a/b/c && echo deep > a/b/c/d.txt",
    "append": "echo more >> text.txt",
    "edit in place": "printf X | dd of=text.txt bs=1 seek=2 conv=notrunc status=none",
    "replace atomically": "sed -i s/two/TWO/ text.txt",
    "delete": "rm text.txt",
    "rename": "mv text.txt moved.txt",
    "rename and edit": "mv text.txt moved.txt && sed -i s/two/TWO/ moved.txt",
    "rename over another": "mv text.txt other.txt",
    "let two change places": "mv text.txt x && mv other.txt text.txt && mv x other.txt",
    "rename a folder": "mv folder renamed",
    "move a folder into another": "mkdir into && mv folder into/",
    "copy a folder": "cp -r folder copied",
    "remove a folder": "rm -r folder",
    "remove a folder and make it again": "rm -r folder && mkdir folder && echo again > folder/again.txt",
    "make an empty folder": "mkdir empty",
    "make nested empty folders": "mkdir -p empty/er/still",
    "make executable": "chmod +x text.txt",
    "make private": "chmod 600 text.txt",
    "edit and make executable": "echo more >> text.txt && chmod 755 text.txt",
    "replace what is read-only": "rm -f locked.txt && echo open > locked.txt",
    "unlock and edit": "chmod u+w locked.txt && echo more >> locked.txt",
    "make a link": "ln -s text.txt link2",
    "make a dangling link": "ln -s nowhere/at/all dangling",
    "turn a link": "ln -sfn other.txt link",
    "remove a link": "rm link",
    "link becomes file": "rm link && echo file > link",
    "file becomes link": "rm text.txt && ln -s other.txt text.txt",
    "write through a link": "echo more >> link",
    "make a hard link": "ln text.txt hard.txt",
    "create binary": r"printf '\0\1\2\377' > new.bin",
    "edit binary": r"printf '\0\1' >> data.bin",
    "delete binary": "rm data.bin",
    "rename binary": "mv data.bin moved.bin",
    "binary made executable": "chmod 755 data.bin",
    "text becomes binary": r"printf '\0\1\2' > text.txt",
    "binary becomes text": "echo text > data.bin",
    "create large": f"head -c {LARGE} /dev/zero > large.bin",
    "create an empty file": ": > empty.txt",
    "truncate": ": > text.txt",
    "create many": "for n in $(seq 40); do echo $n > many$n.txt; done",
    "delete many": "rm -r pile",
    "CRLF": r"sed -i 's/two/TWO/' crlf.txt",
    "UTF-16": r"printf '\n\0' >> utf16.txt",
    "Latin-1": r"sed -i 's/one/ONE/' latin.txt",
    "byte order mark": "sed -i s/one/ONE/ bom.txt",
    "no line end at the end": "printf tail >> text.txt",
    "names with blanks and accents": "echo x > 'a b é😀.txt' && rm 'with blank.txt'",
    "a name's case": "mv text.txt TEXT.txt",
    "a hidden folder": "mkdir .hidden && echo x > .hidden/x",
    "touch": "touch text.txt",
    "edit and take back": "sed -i s/two/TWO/ text.txt && sed -i s/TWO/two/ text.txt",
    "create and delete": "echo x > gone.txt && rm gone.txt",
    "nothing": "true",
}

CONTENTS: dict[str, tuple[bytes, int]] = {
    "text.txt": (b"one\ntwo\nthree\n", 0o644),
    "other.txt": (b"other\n", 0o640),
    "locked.txt": (b"locked\n", 0o444),
    "data.bin": (b"\0\1\2\3", 0o644),
    "crlf.txt": (b"one\r\ntwo\r\n", 0o644),
    "utf16.txt": (b"\xff\xfe" + "one\n".encode("utf-16-le"), 0o644),
    "latin.txt": ("one caf\xe9\n".encode("latin-1"), 0o644),
    "bom.txt": ("\ufeffone\n".encode(), 0o644),
    "with blank.txt": (b"x\n", 0o644),
    "folder/a.txt": (b"a\n", 0o644),
    "folder/deep/b.txt": (b"b\n", 0o644),
    "folder/c.bin": (b"\0", 0o755),
    **{f"pile/{number}.txt": (b"%d\n" % number, 0o644) for number in range(12)},
}


def fill(folder: Path) -> None:
    """Make a folder with something of everything."""
    for name, (data, mode) in CONTENTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
    (folder / "link").symlink_to("text.txt")


def tree(top: Path, *, times: bool = False) -> dict[str, tuple[object, ...]]:
    """What stands below a folder: kinds, permissions, contents, and all that the system knows where `times` says so."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(top.rglob("*")):
        known = path.lstat()
        name = path.relative_to(top).as_posix()
        if name.split("/")[0] == ".git":
            continue
        stamps = (known.st_mtime_ns, known.st_ino, known.st_mode) if times else ()
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()), *stamps)
        elif path.is_dir():
            found[name] = ("folder", *stamps)
        else:
            found[name] = ("file", stat.S_IMODE(known.st_mode), path.read_bytes(), *stamps)
    return found
