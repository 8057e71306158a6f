"""What the pipeline refuses before an epoch is spent, and that it keeps what is right."""

import tempfile
import unittest
from pathlib import Path

import cv2
import numpy as np

from expression import faces


def drawn(count: int, seed: int = 1) -> np.ndarray:
    """Smooth pictures that differ from each other."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 6, 6)).astype(np.uint8)
    return np.stack([cv2.resize(picture, (48, 48), interpolation=cv2.INTER_CUBIC) for picture in coarse])


def as_faces(pixels: np.ndarray) -> faces.Faces:
    labels = np.arange(len(pixels)) % len(faces.BOX)
    return faces.Faces(pixels, np.eye(7, dtype=np.float32)[labels], np.zeros((len(pixels), 8), np.float32))


class Raters(unittest.TestCase):
    """Whether their answer can be learnt and measured."""

    def rated(self, of_each: int) -> faces.Faces:
        leading = np.repeat(np.arange(7), of_each)
        some = as_faces(drawn(len(leading)))
        some.votes[np.arange(len(leading)), leading] = 1
        return some

    def test_enough_faces_of_each_expression_are_wanted(self) -> None:
        enough = self.rated(faces.LEAST_A_CLASS)
        self.assertTrue(faces.is_rated(enough, enough))
        self.assertFalse(faces.is_rated(enough, self.rated(faces.LEAST_A_CLASS - 1)))

    def test_unrated_faces_have_no_answer(self) -> None:
        enough, unrated = self.rated(faces.LEAST_A_CLASS), as_faces(drawn(70))
        self.assertFalse(faces.is_rated(unrated, enough))
        self.assertFalse(faces.is_rated(enough, unrated))


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

    def write_all(self, emotions=faces.BOX) -> None:
        for number, emotion in enumerate(emotions):
            for index, picture in enumerate(drawn(2, number)):
                self.write(f"{emotion}/{index}.png", picture)

    def refusal(self) -> str:
        with self.assertRaises(faces.DataError) as caught:
            faces.read(self.root, "train")
        return str(caught.exception)

    def test_pictures_of_any_size_are_read_with_the_labels_of_their_folders(self) -> None:
        self.write_all()
        self.write("sad/large.jpg", cv2.resize(drawn(1, 99)[0], (200, 200)))
        read = faces.read(self.root, "train")
        self.assertEqual(read.pixels.shape, (15, 48, 48))
        self.assertEqual(read.emotions.sum(0).tolist(), [2, 2, 2, 2, 2, 3, 2])

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
            self.assertEqual(len(faces.read(self.root, "train")), 15)
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
        read = faces.read(self.root, "train")
        wide, high = read.pixels[read.emotions[:, faces.BOX.index("sad")] > 0][-2:]
        self.assertEqual(len(read), 16)
        np.testing.assert_array_equal(wide, square[:, np.arange(48).clip(8, 39)])
        np.testing.assert_array_equal(high, square[np.arange(48).clip(8, 39)])

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
        with self.assertRaises(faces.DataError) as caught:
            faces.read(self.root, "train")
        return str(caught.exception)

    def test_votes_become_shares_and_what_is_no_face_goes(self) -> None:
        happy = [1, 9, 0, 0, 0, 0, 0, 0, 0, 0]
        split = [4, 0, 0, 4, 0, 0, 0, 0, 2, 0]
        no_face = [1, 0, 0, 0, 0, 0, 0, 0, 0, 9]
        unrated = [-1] * 10
        self.write(drawn(4), [3, 4, 0, 6], [happy, split, no_face, unrated])
        read = faces.read(self.root, "train")
        self.assertEqual(read.votes.tolist(), [[0, 1, 0, 0, 0, 0, 0, 0], [0.5, 0, 0, 0.5, 0, 0, 0, 0], [0] * 8])
        self.assertEqual([faces.BOX[label] for label in read.emotions.argmax(1)], ["happy", "sad", "neutral"])

    def test_wrong_sizes_and_labels_are_refused(self) -> None:
        self.write(np.zeros((2, 64, 64), np.uint8), [0, 1], [[0] * 10] * 2)
        self.assertIn("[2, 64, 64]", self.refusal())
        self.write(drawn(2), [0, 7], [[0] * 10] * 2)
        self.assertIn("0..6", self.refusal())
        self.write(drawn(2), [0, 1, 2], [[0] * 10] * 2)
        self.assertIn("3 labels", self.refusal())
        self.write(drawn(2), [0, 1], [0] * 2)
        self.assertIn("votes [2]", self.refusal())
        self.write(drawn(2), [[0], [1]], [[0] * 10] * 2)
        self.assertIn("labels are [2, 1]", self.refusal())
        self.write(drawn(2)[:0], [], np.zeros((0, 10)))
        self.assertIn("no picture", self.refusal())

    def test_a_file_that_is_no_table_is_refused(self) -> None:
        (self.root / "fer2013-train.npz").write_bytes(b"PK\x03\x04 cut short")
        self.assertIn("cannot be read", self.refusal())


class Splits(unittest.TestCase):
    """Copies within a split and across the two."""

    def test_copies_count_once_with_the_mean_of_their_labels(self) -> None:
        read = as_faces(drawn(7)[[0, 1, 2, 0]])
        unique = faces.without_duplicates(read)
        self.assertEqual(len(unique), 3)
        self.assertEqual(unique.emotions[0].tolist(), [0.5, 0, 0, 0.5, 0, 0, 0])
        self.assertTrue((unique.pixels == read.pixels[:3]).all())

    def test_a_face_of_the_validation_split_is_found_in_training_even_encoded_again(self) -> None:
        pixels = drawn(20)
        _, jpeg = cv2.imencode(".jpg", pixels[7], [cv2.IMWRITE_JPEG_QUALITY, 90])
        validation = as_faces(np.stack([cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), *drawn(3, 99)]))
        self.assertEqual(faces.leaks(as_faces(pixels), validation).tolist(), [7])

    def test_another_copy_of_a_photograph_is_known(self) -> None:
        pixels = drawn(20)
        copy = cv2.convertScaleAbs(cv2.resize(pixels[7][1:47, 2:48], (48, 48)), alpha=0.8, beta=20)
        cv2.putText(copy, "stock", (4, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 255)
        validation = as_faces(np.stack([copy, *drawn(3, 99)]))
        self.assertEqual(faces.leaks(as_faces(pixels), validation).tolist(), [])
        self.assertEqual(faces.copied(validation, as_faces(pixels)).tolist(), [True, False, False, False])

    def test_raters_who_are_divided_judge_nothing(self) -> None:
        judged = as_faces(drawn(4))
        judged.votes[:] = 0
        judged.votes[0, [1, 2]] = 0.6, 0.4
        judged.votes[1, [1, 2]] = 0.5, 0.5
        judged.votes[2, [0, 7]] = 0.5, 0.5
        labels = [faces.BOX.index("happy"), -1, faces.BOX.index("neutral"), -1]
        self.assertEqual(judged.plurality.tolist(), labels)

    def test_too_few_of_a_class_are_named(self) -> None:
        with self.assertRaises(faces.DataError) as caught:
            faces.require_usable(as_faces(drawn(67)), "train")
        self.assertEqual(str(caught.exception), "train has fewer than 10 faces of: neutral (9), sad (9), surprise (9)")


if __name__ == "__main__":
    unittest.main()
