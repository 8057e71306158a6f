#!/usr/bin/env python3
"""What a program is made of: `parts.py PACKAGE TARGET FOLDER` writes FOLDER/copyright, with the terms of every part, and
FOLDER/sbom.cdx.json, a bill of materials in the form of CycloneDX 1.6."""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LICENCE_FILES = re.compile(r"(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|UNLICENSE)", re.IGNORECASE)
# Debian keeps these texts once for all packages.
COMMON = {
    "Apache-2.0": re.compile(r"Apache License\s+Version 2\.0, January 2004"),
    "MPL-2.0": re.compile(r"Mozilla Public License,? [Vv]ersion 2\.0\s.*Definitions", re.DOTALL),
}


def crates_in(package, target):
    """The crates that are linked into a package, itself first; not what only runs while it is compiled."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    known = {crate["id"]: crate for crate in metadata["packages"]}
    edges = {node["id"]: node["deps"] for node in metadata["resolve"]["nodes"]}
    waiting = [crate["id"] for crate in known.values() if crate["name"] == package]
    found = dict.fromkeys(waiting)
    while waiting:
        for edge in edges[waiting.pop()]:
            linked = any(kind["kind"] is None for kind in edge["dep_kinds"])
            macro = any("proc-macro" in part["kind"] for part in known[edge["pkg"]]["targets"])
            if linked and not macro and edge["pkg"] not in found:
                found[edge["pkg"]] = None
                waiting.append(edge["pkg"])
    first, *others = [known[name] for name in found]
    return [first, *sorted(others, key=lambda crate: (crate["name"], crate["version"]))]


def is_ours(crate):
    return crate["source"] is None


def licence_of(crate):
    return (crate["license"] or "see its licence file").replace("/", " OR ")


def texts_of(crate):
    """The licence texts that a crate brings, but for those that Debian has."""
    for path in sorted(Path(crate["manifest_path"]).parent.iterdir()):
        if path.is_file() and LICENCE_FILES.match(path.name):
            text = path.read_text(errors="replace").strip()
            if text and not any(common.search(text) for common in COMMON.values()):
                yield text


def copyright_of(package, crates):
    lines = [
        f"{package} is part of moodbox.",
        "",
        (ROOT / "LICENSE").read_text().strip(),
        "",
        "It contains the following works of others, whose terms follow. The Apache License 2.0 and the Mozilla Public License 2.0",
        "are in /usr/share/common-licenses. The sources are public, under the names and versions given here.",
        "",
        "  Rust's standard library: MIT OR Apache-2.0",
    ]
    texts = {}
    for crate in crates:
        if not is_ours(crate):
            lines.append(f"  {crate['name']} {crate['version']}: {licence_of(crate)}")
            for text in texts_of(crate):
                words = " ".join(text.split())
                texts.setdefault(words, (text, []))[1].append(crate["name"])
    for text, names in texts.values():
        lines += ["", "-" * 80, ", ".join(dict.fromkeys(names)), "-" * 80, "", text]
    lines += ["", "-" * 80, "libtensorflowlite_c.so", "-" * 80, "", (ROOT / "deploy/deb/tflite.notices").read_text().strip()]
    return "\n".join(lines) + "\n"


def sha256(path):
    return [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]


def crate_component(crate, checksums):
    component = {
        "type": "library",
        "name": crate["name"],
        "version": crate["version"],
        "licenses": [{"expression": licence_of(crate)}],
    }
    if not is_ours(crate):
        component["purl"] = f"pkg:cargo/{crate['name']}@{crate['version']}"
        component["hashes"] = [{"alg": "SHA-256", "content": checksums[crate["name"], crate["version"]]}]
    return component


def bill_of(package, target, crates):
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {(crate["name"], crate["version"]): crate.get("checksum") for crate in lock["package"]}
    library = ROOT / ".cache/tflite" / target.split("-")[0] / "libtensorflowlite_c.so"
    tflite = {
        "type": "library",
        "name": "libtensorflowlite_c.so",
        "version": "2.17.1",
        "licenses": [{"expression": "Apache-2.0"}],
        "hashes": sha256(library),
    }
    models = [
        {"type": "machine-learning-model", "name": path.name, "hashes": sha256(path)}
        for path in sorted((ROOT / "models").glob("*.tflite"))
    ]
    components = [crate_component(crate, checksums) for crate in crates[1:]] + [tflite, *models]
    # Named by what is in it, so that the same parts make the same bill.
    serial = uuid.uuid5(uuid.NAMESPACE_OID, target + json.dumps(components, sort_keys=True))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": package, "version": crates[0]["version"]}},
        "components": components,
    }


def main():
    package, target, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    crates = crates_in(package, target)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "copyright").write_text(copyright_of(package, crates))
    (folder / "sbom.cdx.json").write_text(json.dumps(bill_of(package, target, crates), indent=1) + "\n")


if __name__ == "__main__":
    main()
