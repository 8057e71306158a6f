"""What is told of labelled faces: enough of them or not, copies, and what leaks from one split into the other."""

import unittest

import cv2
import numpy as np

from drawn import drawn
from expression import faces
from expression.arrays import DataError


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


class Splits(unittest.TestCase):
    """Copies within a split and across the two."""

    def test_copies_count_once_with_the_mean_of_their_labels(self) -> None:
        read = as_faces(drawn(7)[[0, 1, 2, 0]])
        unique, first = faces.without_duplicates(read)
        self.assertEqual(first.tolist(), [0, 1, 2])
        self.assertEqual(len(unique), 3)
        self.assertEqual(unique.emotions[0].tolist(), [0.5, 0, 0, 0.5, 0, 0, 0])
        self.assertTrue((unique.pixels == read.pixels[:3]).all())

    def test_a_face_of_the_validation_split_is_found_in_training_even_encoded_again(self) -> None:
        pixels = drawn(20)
        _, jpeg = cv2.imencode(".jpg", pixels[7], [cv2.IMWRITE_JPEG_QUALITY, 90])
        validation = as_faces(np.stack([cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), *drawn(3, 99)]))
        self.assertEqual(faces.leaks(as_faces(pixels), validation).tolist(), [[7, 0]])

    def test_a_face_is_found_behind_a_brighter_one_of_the_same_fingerprint(self) -> None:
        face = drawn(1)[0] // 2 + 40
        validation = as_faces(np.stack([face + 20, face]))
        self.assertEqual(faces.fingerprint(validation.pixels)[0], faces.fingerprint(validation.pixels)[1])
        self.assertEqual(faces.leaks(as_faces(face[None]), validation).tolist(), [[0, 1]])

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
        with self.assertRaises(DataError) as caught:
            faces.require_usable(as_faces(drawn(67)), "train")
        self.assertEqual(str(caught.exception), "train has fewer than 10 faces of: neutral (9), sad (9), surprise (9)")


if __name__ == "__main__":
    unittest.main()
