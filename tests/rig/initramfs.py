#!/usr/bin/env python3
"""Packs the emulated board's file system: busybox, kernel modules in the order in which they load, programs and the
libraries that they need."""

import argparse
import re
import subprocess
from pathlib import Path

DIRECTORY, FILE, LINK = 0o040755, 0o100644, 0o120777
PROGRAM = 0o100755


class Archive:
    """A cpio archive in the format "newc" of the kernel (Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self):
        self.parts = []
        self.names = set()

    def add(self, name, mode, data=b""):
        name = name.strip("/")
        if name in self.names:
            return
        self.names.add(name)
        parent = str(Path(name).parent)
        if parent != ".":
            self.add(parent, DIRECTORY)
        self._write(name, mode, data)

    def _write(self, name, mode, data):
        encoded = name.encode() + b"\0"
        fields = [len(self.parts) + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0]
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self.parts.append(pad(header + encoded) + pad(data))

    def save(self, path):
        self._write("TRAILER!!!", 0, b"")
        path.write_bytes(b"".join(self.parts))


def pad(data):
    return data + bytes(-len(data) % 4)


def module_name(path):
    return path.name.removesuffix(".ko").replace("-", "_")


def in_load_order(modules, wanted):
    """The files of the wanted modules and of all that they depend on, each after what it needs."""
    by_name = {module_name(path): path for path in modules.rglob("*.ko")}
    builtin = {module_name(Path(line)) for line in (modules / "modules.builtin").read_text().split()}
    order = []

    def load(name):
        if name in builtin:
            return
        if name not in by_name:
            raise SystemExit(f"the kernel has no module {name}")
        path = by_name[name]
        needs = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
        for need in filter(None, needs[1].decode().split(",")) if needs else []:
            load(need.replace("-", "_"))
        if path not in order:
            order.append(path)

    for name in wanted:
        load(name)
    return order


def libraries(program, folders, found):
    """The shared libraries that a program of another architecture needs, by name."""
    listing = subprocess.run(["readelf", "-ldW", program], capture_output=True, text=True, check=True).stdout
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", listing)
    needed += [Path(path).name for path in re.findall(r"interpreter: (\S+)\]", listing)]
    for name in needed:
        if name in found:
            continue
        library = next((folder / name for folder in folders if (folder / name).exists()), None)
        if library is None:
            raise SystemExit(f"{program.name} needs {name}, which is in none of the library folders")
        found[name] = library
        libraries(library, folders, found)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--init", type=Path, required=True)
    parser.add_argument("--busybox", type=Path, required=True)
    parser.add_argument("--modules", type=Path, required=True, help="lib/modules/VERSION of the kernel")
    parser.add_argument("--load", nargs="+", required=True, help="modules of the kernel to load")
    parser.add_argument("--extra-module", type=Path, action="append", default=[], help="a module to load after them")
    parser.add_argument("--libraries", type=Path, action="append", default=[], help="a folder to find libraries in")
    parser.add_argument("--files", type=Path, help="a folder whose files come into one of the same name")
    parser.add_argument("--script", type=Path, action="append", default=[], help="a program that needs no library")
    parser.add_argument("programs", type=Path, nargs="+")
    arguments = parser.parse_args()

    archive = Archive()
    for folder in ("dev", "proc", "sys", "tmp", "etc", "root"):
        archive.add(folder, DIRECTORY)
    archive.add("init", PROGRAM, arguments.init.read_bytes())
    archive.add("bin/busybox", PROGRAM, arguments.busybox.read_bytes())
    archive.add("bin/sh", LINK, b"busybox")

    modules = in_load_order(arguments.modules, arguments.load) + arguments.extra_module
    for path in modules:
        archive.add(f"lib/modules/{path.name}", FILE, path.read_bytes())
    archive.add("lib/modules/order", FILE, "".join(f"{path.name}\n" for path in modules).encode())

    for path in sorted(arguments.files.iterdir()) if arguments.files else []:
        archive.add(f"{arguments.files.name}/{path.name}", FILE, path.read_bytes())

    for path in arguments.script:
        archive.add(f"bin/{path.name}", PROGRAM, path.read_bytes())

    needed = {}
    for program in arguments.programs:
        archive.add(f"bin/{program.name}", PROGRAM, program.read_bytes())
        libraries(program, arguments.libraries, needed)
    for name, path in needed.items():
        archive.add(f"lib/{name}", PROGRAM, path.read_bytes())
    archive.save(arguments.out)


if __name__ == "__main__":
    main()
