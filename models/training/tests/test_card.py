"""That a card tells of the faces that the classifier was trained on, and of no others."""

import json
import unittest

from expression import card


class Origins(unittest.TestCase):
    """The released figures, as if the faces had come from elsewhere."""

    def setUp(self) -> None:
        self.fer = card.classifier()
        self.evaluation = json.loads((card.MODELS / "evaluation.json").read_text())

    def text(self, origin: str, **made_from: str) -> str:
        trained_on = {split: self.fer["made_from"][split] for split in ("train", "validation")}
        evaluation = {**self.evaluation, "data": {**self.evaluation["data"], "origin": origin}}
        return card.of({**self.fer, "made_from": trained_on | made_from}, evaluation)

    def test_the_released_card_names_its_faces_their_terms_and_its_teachers(self) -> None:
        text = self.text("fer2013", **self.fer["made_from"])
        self.assertEqual(text, card.CARD.read_text())
        self.assertIn("Goodfellow et al. 2013", text)
        self.assertIn("on FER2013 validation", text)
        self.assertIn("what other networks say", text)
        folder = "models/training/expression"
        self.assertIn(f'models-soup SOUP_OPTIONS="--start-from {folder}/start.npz --teacher {folder}/answers.npz --seeds 1,4"\n', text)

    def test_the_card_of_a_folder_claims_nothing_of_other_faces(self) -> None:
        text = self.text("folder")
        self.assertNotIn("Goodfellow", text)
        self.assertIn("on the folder's validation faces", text)
        self.assertIn(f"Of at least {self.evaluation['data']['validation_copied_in_train']} validation faces", text)

    def test_a_card_tells_what_the_training_began_with_and_learnt_from(self) -> None:
        for origin in card.ORIGINS:
            text = self.text(origin)
            for told in ("what other networks say", "random weights", "a model soup"):
                self.assertNotIn(told, text)
            text = self.text(origin, teacher="t", start="0a1b2c3d", seeds="7,8")
            for told in ("what other networks say", "0a1b2c3d", "a model soup"):
                self.assertIn(told, text)

    def test_figures_of_other_faces_are_refused(self) -> None:
        for split in ("train", "validation"):
            with self.assertRaises(SystemExit):
                self.text("fer2013", **{split: "of another folder"})

    def test_where_training_has_a_copy_of_every_face_no_figures_are_without_them(self) -> None:
        del self.evaluation["fer2013_new"]
        rows = self.text("folder").splitlines()
        accuracy = next(row for row in rows if row.startswith("| accuracy of these"))
        self.assertTrue(accuracy.startswith("| accuracy of these | - | 86"), accuracy)


if __name__ == "__main__":
    unittest.main()
