"""That a card tells of the faces that the classifier was trained on, and of no others."""

import json
import unittest

from expression import card


class Origins(unittest.TestCase):
    """The released figures, as if the faces had come from elsewhere."""

    def setUp(self) -> None:
        self.fer = card.classifier()
        self.evaluation = json.loads((card.MODELS / "evaluation.json").read_text())

    def text(self, origin: str) -> str:
        return card.of(self.fer, {**self.evaluation, "data": {**self.evaluation["data"], "origin": origin}})

    def test_the_released_card_names_its_faces_and_their_terms(self) -> None:
        text = self.text("fer2013")
        self.assertIn("Goodfellow et al. 2013", text)
        self.assertIn("on FER2013 validation", text)

    def test_the_card_of_a_folder_claims_nothing_of_other_faces(self) -> None:
        text = self.text("folder")
        self.assertNotIn("Goodfellow", text)
        self.assertNotIn("teacher.npz", text)
        self.assertIn("on the folder's validation faces", text)
        self.assertIn(f"Of at least {self.evaluation['data']['validation_copied_in_train']} validation faces", text)


if __name__ == "__main__":
    unittest.main()
