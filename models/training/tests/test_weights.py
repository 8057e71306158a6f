"""Which weights are exported, and that a file of them is whole."""

import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np

from expression import arrays, places
from expression.arrays import DataError


class Weights(unittest.TestCase):
    """Files of a training that has ended, or not."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def test_what_was_trained_is_exported_once_it_has_ended(self) -> None:
        weights, checkpoint, of_several = self.folder / "weights.npz", self.folder / "checkpoint.pt", self.folder / "seed-2" / "checkpoint.pt"
        patched = mock.patch.multiple(places, RUN=self.folder, WEIGHTS=weights, CHECKPOINT=checkpoint)
        patched.start()
        self.addCleanup(patched.stop)
        self.assertEqual(places.weights_to_export(), places.RELEASED)
        checkpoint.touch()
        self.assertRaises(DataError, places.weights_to_export)
        weights.touch()
        os.utime(weights, (2, 2))
        os.utime(checkpoint, (1, 1))
        self.assertEqual(places.weights_to_export(), weights)
        of_several.parent.mkdir()
        of_several.touch()
        for unfinished in (checkpoint, of_several):
            os.utime(checkpoint, (1, 1))
            os.utime(unfinished, (3, 3))
            with self.assertRaises(DataError) as caught:
                places.weights_to_export()
            self.assertIn(f"{unfinished} has not ended", str(caught.exception))

    def test_arrays_come_back_and_a_file_that_was_cut_off_is_named(self) -> None:
        path = self.folder / "weights.npz"
        self.assertRaises(DataError, arrays.read, path)
        arrays.write(path, {"a": np.arange(9000, dtype=np.float32), "b": np.array("word")})
        self.assertEqual([file.name for file in self.folder.iterdir()], ["weights.npz"])
        back = arrays.read(path)
        self.assertEqual((back["a"].sum(), str(back["b"])), (np.arange(9000).sum(), "word"))
        whole = path.read_bytes()
        # As much as a disk may have kept, and one bit that it has not.
        flipped = whole[:200] + bytes([whole[200] ^ 1]) + whole[201:]
        for content in (b"", whole[:-9], whole[: len(whole) // 2], flipped):
            path.write_bytes(content)
            with self.assertRaises(DataError) as caught:
                arrays.read(path)
            self.assertIn("weights.npz", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
