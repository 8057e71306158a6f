"""What `make models-data` says of the pictures that it is handed, and what it leaves. It draws what the network will see, for which it needs torch; see README.md."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import cv2

from drawn import drawn
from expression import places, prepare, prepared
from expression.arrays import DataError
from expression.faces import BOX, LEAST_A_CLASS


class Preparing(unittest.TestCase):
    """A folder of one's own."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)
        data = self.root / "data"
        there = {name: data / getattr(places, name).name for name in ("REPORT", "CROPS", "CROPS_BY_VOTES", "NEW_CROPS", "NEW_CROPS_BY_VOTES")}
        patch = mock.patch.multiple(places, DATA=data, **there)
        patch.start()
        self.addCleanup(patch.stop)

    def write(self, split: str, seed: int) -> None:
        for number, emotion in enumerate(BOX):
            folder = self.root / split / emotion
            folder.mkdir(parents=True, exist_ok=True)
            for index, picture in enumerate(drawn(LEAST_A_CLASS, seed + number)):
                cv2.imwrite(str(folder / f"{index}.png"), picture)

    def said(self) -> str:
        out = io.StringIO()
        with mock.patch("sys.argv", ["prepare", "--faces", str(self.root)]), contextlib.redirect_stdout(out):
            try:
                prepare.main()
            except DataError as refusal:
                out.write(str(refusal))
        return out.getvalue()

    def test_copies_and_leaks_are_named(self) -> None:
        self.write("train", 1)
        self.write("validation", 100)
        for split, copy, of in (("train", "sad/c.png", "sad/1.png"), ("validation", "fear/c.png", "fear/2.png")):
            (self.root / split / copy).write_bytes((self.root / split / of).read_bytes())
        (self.root / "train/happy/leak.png").write_bytes((self.root / "validation/happy/3.png").read_bytes())
        said = self.said()
        self.assertIn(f"train, exact copies of another: 1: {self.root}/train/sad/c.png\n", said)
        self.assertIn(f"validation, exact copies of another, which count: 1: {self.root}/validation/fear/c.png\n", said)
        self.assertIn(f"in validation: 1: {self.root}/train/happy/leak.png (there {self.root}/validation/happy/3.png)\n", said)
        report = prepared.report()
        self.assertEqual((report["duplicates"], report["also_in_validation"], report["validation_duplicates"]), (1, 1, 1))
        train, validation = prepared.splits()
        self.assertEqual((len(train), len(validation)), (70, 71))

    def test_a_validation_split_that_is_the_training_split_is_refused_for_that(self) -> None:
        self.write("train", 1)
        self.write("validation", 1)
        said = self.said()
        self.assertIn("train, taken out for it is in validation: 70: ", said)
        self.assertIn("train, without copies and what is in validation, has fewer than 10 faces of: angry (0), ", said)
        self.assertRaises(DataError, prepared.report)

    def test_copies_do_not_make_a_validation_split(self) -> None:
        self.write("train", 1)
        self.write("validation", 100)
        (self.root / "validation/sad/0.png").write_bytes((self.root / "validation/sad/1.png").read_bytes())
        self.assertTrue(self.said().endswith("validation, without copies, has fewer than 10 faces of: sad (9)"))

    def test_what_was_interrupted_is_not_gone_on_with(self) -> None:
        self.write("train", 1)
        self.write("validation", 100)
        self.said()
        prepared.splits()
        with mock.patch.object(prepare, "write_crops", side_effect=KeyboardInterrupt), self.assertRaises(KeyboardInterrupt):
            self.said()
        self.assertRaises(DataError, prepared.splits)


if __name__ == "__main__":
    unittest.main()
