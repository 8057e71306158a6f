"""What the pipeline refuses or passes over by name before an epoch is spent, and that it reads what is right."""

import tempfile
import unittest
from pathlib import Path

import cv2
import numpy as np

from drawn import drawn
from expression.arrays import DataError
from expression.faces import BOX
from expression.reading import listed, read


class Folders(unittest.TestCase):
    """The user's own labelled pictures."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)

    def write(self, name: str, pixels: np.ndarray) -> Path:
        path = self.root / "train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), pixels)
        return path

    def write_all(self, emotions=BOX) -> None:
        for number, emotion in enumerate(emotions):
            for index, picture in enumerate(drawn(2, number)):
                self.write(f"{emotion}/{index}.png", picture)

    def refusal(self) -> str:
        with self.assertRaises(DataError) as caught:
            read(self.root, "train")
        return str(caught.exception)

    def test_pictures_of_any_size_are_read_with_the_labels_of_their_folders(self) -> None:
        self.write_all()
        self.write("sad/large.jpg", cv2.resize(drawn(1, 99)[0], (200, 200)))
        faces = read(self.root, "train").faces
        self.assertEqual(faces.pixels.shape, (15, 48, 48))
        self.assertEqual(faces.emotions.sum(0).tolist(), [2, 2, 2, 2, 2, 3, 2])

    def test_missing_classes_are_named(self) -> None:
        self.write_all(emotions=("angry", "disgust", "happy", "neutral", "sad"))
        self.assertIn("fear, surprise", self.refusal())

    def test_broken_and_tiny_pictures_are_named(self) -> None:
        self.write_all()
        self.write("happy/tiny.png", np.zeros((8, 8), np.uint8))
        self.write("happy/long.png", drawn(1)[0][:, :20].repeat(3, 0))
        (self.root / "train" / "happy" / "broken.jpg").write_bytes(b"\xff\xd8 not a picture")
        (self.root / "train" / "happy" / "empty.jpg").touch()
        refusal = self.refusal()
        for name in ("broken.jpg", "empty.jpg", "tiny.png", "long.png"):
            self.assertIn(name, refusal)

    def test_a_jpeg_that_was_cut_off_is_no_face(self) -> None:
        self.write_all()
        for options in ([], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]):
            whole = cv2.imencode(".jpg", cv2.resize(drawn(1)[0], (200, 200)), options)[1].tobytes()
            (self.root / "train" / "sad" / "trailer.jpg").write_bytes(whole + b"what a telephone adds")
            self.assertEqual(len(read(self.root, "train").faces), 15)
            cut = self.root / "train" / "sad" / "cut.jpg"
            for length in (len(whole) // 2, len(whole) * 9 // 10, len(whole) - 2):
                for rest in (b"", bytes(len(whole))):
                    cut.write_bytes(whole[:length] + rest)
                    self.assertIn("1 pictures cannot be read", self.refusal())
            cut.unlink()

    def test_a_picture_is_squared_as_the_box_squares_it_and_a_blank_one_goes(self) -> None:
        self.write_all()
        square = drawn(1, 99)[0]
        self.write("sad/a.png", square[:, 8:40])
        self.write("sad/b.png", square[8:40])
        self.write("sad/blank.png", np.full((48, 48), 90, np.uint8))
        faces = read(self.root, "train").faces
        wide, high = faces.pixels[faces.emotions[:, BOX.index("sad")] > 0][-2:]
        self.assertEqual(len(faces), 16)
        np.testing.assert_array_equal(wide, square[:, np.arange(48).clip(8, 39)])
        np.testing.assert_array_equal(high, square[np.arange(48).clip(8, 39)])

    def test_what_is_passed_over_is_named(self) -> None:
        self.write_all()
        self.write("sad/blank.png", np.full((48, 48), 90, np.uint8))
        self.write("fear/anna/1.png", drawn(1)[0])
        (self.root / "train" / "fear" / "1.heic").touch()
        found = read(self.root, "train")
        self.assertEqual([Path(name).name for name in found.passed_over], ["1.heic", "anna", "blank.png"])
        self.assertEqual([Path(name).name for name in found.names], ["0.png", "1.png"] * 7)
        self.assertEqual(listed([str(number) for number in range(7)]), "0, 1, 2, 3, 4 and 2 more")

    def test_a_folder_that_stands_for_no_expression_is_refused(self) -> None:
        self.write_all((*BOX, "contempt"))
        self.assertTrue(self.refusal().endswith(": contempt"))

    def test_a_picture_whose_header_speaks_of_more_than_there_is_is_no_face(self) -> None:
        self.write_all()
        whole = cv2.imencode(".jpg", drawn(1)[0])[1].tobytes()
        size = whole.index(b"\xff\xc0") + 5
        (self.root / "train" / "sad" / "vast.jpg").write_bytes(whole[:size] + b"\xff\xff\xff\xff" + whole[size + 4 :])
        self.assertIn("vast.jpg", self.refusal())

    def test_nothing_there_says_what_should_be(self) -> None:
        self.assertIn("fer2013-train.npz", self.refusal())


class Tables(unittest.TestCase):
    """FER2013 with FERPlus' votes."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)

    def write(self, pixels, emotion, votes) -> None:
        np.savez(self.root / "fer2013-train.npz", pixels=pixels, emotion=np.array(emotion, np.int8), votes=np.array(votes, np.int8))

    def refusal(self) -> str:
        with self.assertRaises(DataError) as caught:
            read(self.root, "train")
        return str(caught.exception)

    def test_votes_become_shares_and_what_is_no_face_goes(self) -> None:
        happy = [1, 9, 0, 0, 0, 0, 0, 0, 0, 0]
        split = [4, 0, 0, 4, 0, 0, 0, 0, 2, 0]
        no_face = [1, 0, 0, 0, 0, 0, 0, 0, 0, 9]
        unrated = [-1] * 10
        self.write(drawn(4), [3, 4, 0, 6], [happy, split, no_face, unrated])
        faces = read(self.root, "train").faces
        self.assertEqual(faces.votes.tolist(), [[0, 1, 0, 0, 0, 0, 0, 0], [0.5, 0, 0, 0.5, 0, 0, 0, 0], [0] * 8])
        self.assertEqual([BOX[label] for label in faces.emotions.argmax(1)], ["happy", "sad", "neutral"])

    def test_wrong_sizes_and_labels_are_refused(self) -> None:
        self.write(np.zeros((2, 64, 64), np.uint8), [0, 1], [[0] * 10] * 2)
        self.assertIn("[2, 64, 64]", self.refusal())
        self.write(drawn(2), [0, 7], [[0] * 10] * 2)
        self.assertIn("0..6", self.refusal())
        self.write(drawn(2), [0, 1, 2], [[0] * 10] * 2)
        self.assertIn("3 labels", self.refusal())
        self.write(drawn(2), [0, 1], [0] * 2)
        self.assertIn("votes int8 [2]", self.refusal())
        self.write(drawn(2), [[0], [1]], [[0] * 10] * 2)
        self.assertIn("labels are int8 [2, 1]", self.refusal())
        self.write(drawn(2)[:0], [], np.zeros((0, 10)))
        self.assertIn("no picture", self.refusal())

    def test_a_file_that_is_no_table_is_refused(self) -> None:
        (self.root / "fer2013-train.npz").write_bytes(b"PK\x03\x04 cut short")
        self.assertIn("is not a file of arrays", self.refusal())

    def test_a_table_that_lacks_something_or_holds_words_is_refused(self) -> None:
        table = {"pixels": drawn(2), "emotion": np.array(["happy", "sad"]), "votes": np.zeros((2, 10), np.int8)}
        np.savez(self.root / "fer2013-train.npz", **table)
        self.assertIn("labels are <U5 [2]", self.refusal())
        del table["emotion"]
        np.savez(self.root / "fer2013-train.npz", **table)
        self.assertIn("has no emotion", self.refusal())


if __name__ == "__main__":
    unittest.main()
