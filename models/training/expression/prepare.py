"""Reads the labelled faces, refuses what would waste a training, and writes what the next steps use."""

import argparse
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import torch

from expression import places
from expression.augmentation import harmed, moved
from expression.faces import BOX, FERPLUS, SIDE, Faces, copied, leaks, require_usable, without_duplicates
from expression.reading import listed, origin, read

SEED = 2026
SHEET = (8, 16)


def main() -> None:
    """From a folder of faces to train.npz, validation.npz, crops, a report and a picture of what the network will see."""
    parser = argparse.ArgumentParser(prog="pipeline.py data", description=__doc__)
    parser.add_argument("--faces", type=Path, default=places.SHARED_FACES,
                        help="folder with fer2013-train.npz and fer2013-validation.npz, or with train/EMOTION/ and validation/EMOTION/")
    source = parser.parse_args().faces
    read_train, read_validation = read(source, "train"), read(source, "validation")
    validation = read_validation.faces
    unique, first = without_duplicates(read_train.faces)
    different, first_of_validation = without_duplicates(validation)
    leaking = leaks(unique, validation)
    train = unique[np.setdiff1d(np.arange(len(unique)), leaking[:, 0])]
    for what, names in {
        "train, passed over": read_train.passed_over,
        "train, exact copies of another": others(read_train.names, first),
        "train, taken out for it is in validation": [
            f"{read_train.names[first[index]]} (there {read_validation.names[alike]})" for index, alike in leaking
        ],
        "validation, passed over": read_validation.passed_over,
        "validation, exact copies of another, which count": others(read_validation.names, first_of_validation),
    }.items():
        if names:
            print(f"{what}: {len(names)}: {listed(names)}")
    require_usable(train, "train, without copies and what is in validation,")
    require_usable(different, "validation, without copies,")
    places.DATA.mkdir(parents=True, exist_ok=True)
    # Whoever is interrupted from here on leaves nothing that the next steps would take.
    places.REPORT.unlink(missing_ok=True)
    train.save(places.DATA / "train.npz")
    validation.save(places.DATA / "validation.npz")
    new = ~copied(validation, train)
    write_crops(validation, np.arange(len(validation)), places.CROPS, places.CROPS_BY_VOTES)
    write_crops(validation, np.flatnonzero(new), places.NEW_CROPS, places.NEW_CROPS_BY_VOTES)
    write_sheet(train, places.DATA / "augmented.png")
    report = {
        "origin": origin(source),
        "read": len(read_train.faces),
        "duplicates": len(read_train.faces) - len(unique),
        "also_in_validation": len(leaking),
        "validation_duplicates": len(validation) - len(different),
        "validation_copied_in_train": int((~new).sum()),
        "train": counts(train),
        "validation": counts(validation),
    }
    partial = places.REPORT.with_suffix(".partial")
    partial.write_text(json.dumps(report, indent=1) + "\n")
    partial.replace(places.REPORT)
    print(json.dumps(report, indent=1))
    print(f"written to {places.DATA}; look at augmented.png there before training")


def others(names: list[str], first: np.ndarray) -> list[str]:
    """Those that are not the first of their copies."""
    return [names[index] for index in np.setdiff1d(np.arange(len(names)), first)]


def counts(faces: Faces) -> dict:
    """How many faces there are of what."""
    labels = np.bincount(faces.emotions.argmax(1), minlength=len(BOX))
    rated = faces.votes.sum(1) > 0
    votes = np.bincount(faces.votes[rated].argmax(1), minlength=len(FERPLUS))
    leading = faces.plurality
    return {
        "digest": faces.digest,
        "faces": len(faces),
        "labels": dict(zip(BOX, labels.tolist(), strict=True)),
        "rated": int(rated.sum()),
        "with_plurality": int((leading >= 0).sum()),
        "votes": dict(zip(FERPLUS, votes.tolist(), strict=True)),
    }


def write_crops(validation: Faces, chosen: np.ndarray, by_label: Path, by_votes: Path) -> None:
    """Some validation faces as pictures in folders by label, and again by what most raters saw."""
    for folder in (by_label, by_votes):
        shutil.rmtree(folder, ignore_errors=True)
    plurality = validation.plurality
    for index in chosen:
        face = validation.pixels[index]
        _write(by_label / BOX[validation.emotions[index].argmax()], index, face)
        if plurality[index] >= 0:
            _write(by_votes / BOX[plurality[index]], index, face)


def _write(folder: Path, index: int, face: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{index:04}.png"), face)


def write_sheet(train: Faces, path: Path) -> None:
    """Training faces as the network will see them."""
    rows, columns = SHEET
    chosen = np.random.default_rng(SEED).choice(len(train), min(rows * columns, len(train)), replace=False)
    pixels = torch.from_numpy(train.pixels[chosen]).unsqueeze(1).float() / 255
    chances = torch.Generator().manual_seed(SEED)
    seen = (harmed(moved(pixels, SIDE, chances), 1.0, chances) * 255).byte()[:, 0].numpy()
    side = seen.shape[-1]
    sheet = np.zeros((rows * columns, side, side), np.uint8)
    sheet[: len(seen)] = seen
    sheet = sheet.reshape(rows, columns, side, side).transpose(0, 2, 1, 3).reshape(rows * side, columns * side)
    cv2.imwrite(str(path), cv2.resize(sheet, None, fx=2, fy=2))


if __name__ == "__main__":
    main()
