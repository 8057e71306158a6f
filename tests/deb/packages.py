"""The packages that the tests install: those of this checkout, and others made of them with other versions and behaviours."""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

PREVIOUS = "previous.deb"
PRESENT = "present.deb"
CRASHING = "crashing.deb"
REFUSING = "refusing.deb"
UNREADY = "unready.deb"
HANGING = "hanging.deb"
TOOL = "tool.deb"
PRESENT_VERSION = ""

# Looks as a daemon does to systemd of which a thread hangs as soon as it is ready: the watchdog is fed until that counts as a hang.
HANG = """exec perl -MIO::Socket::UNIX -e '
my $systemd = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $ENV{NOTIFY_SOCKET}) or die;
$systemd->send("READY=1\\nWATCHDOG=1");
sleep 15;
$systemd->send("WATCHDOG=1");
sleep'"""


def make_all(made, folder):
    """Lays the packages of the folder `made`, and their like, into a folder."""
    global PRESENT_VERSION
    present = next(made.glob("moodboxd_*_amd64.deb"))
    PRESENT_VERSION = present.name.split("_")[1]
    shutil.copy(present, folder / PRESENT)
    shutil.copy(next(made.glob("moodbox_*_amd64.deb")), folder / TOOL)
    _repack(present, "0.0.1", folder / PREVIOUS, _with_other_defaults)
    spoil = "echo spoilt >/var/lib/moodbox/switches.json"
    _repack(present, "900", folder / CRASHING, _with_daemon(f"{spoil}; exit 70"))
    _repack(present, "901", folder / REFUSING, _with_daemon("exit 2"))
    _repack(present, "902", folder / UNREADY, _with_daemon("exec sleep infinity"))
    _repack(present, "903", folder / HANGING, _with_daemon(HANG))


def _repack(package, version, made, change):
    """The package with another version, after `change` was let at its unpacked files."""
    with tempfile.TemporaryDirectory(dir=made.parent) as root:
        subprocess.run(["dpkg-deb", "--raw-extract", package, root], check=True)
        control = Path(root) / "DEBIAN/control"
        control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
        change(Path(root))
        _sum(Path(root))
        command = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", root, made]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _sum(root):
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and "DEBIAN" not in path.parts]
    lines = [f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n" for path in files]
    (root / "DEBIAN/md5sums").write_text("".join(lines))


def _with_other_defaults(root):
    configuration = root / "etc/moodbox/moodbox.toml"
    configuration.write_text("# As it was shipped before.\n" + configuration.read_text())


def _with_daemon(script):
    def change(root):
        (root / "usr/bin/moodboxd").write_text(f"#!/bin/sh\n{script}\n")

    return change
