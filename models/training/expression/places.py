"""Where the steps find what the step before left."""

from pathlib import Path

from expression.arrays import DataError

ROOT = Path(__file__).resolve().parents[3]
SHARED_FACES = ROOT.parent / "shared" / "data" / "fer"
WORK = ROOT / ".cache" / "models-training" / "expression"
DATA = WORK / "data"
REPORT = DATA / "report.json"
RUN = WORK / "run"
CHECKPOINT = RUN / "checkpoint.pt"
WEIGHTS = RUN / "weights.npz"
TEACHERS = WORK / "teachers"
TEACHER = TEACHERS / "teacher.npz"
ASSISTANT_CHECKPOINT = WORK / "assistant" / "checkpoint.pt"
ANSWERS = WORK / "assistant" / "answers.npz"
# Folders of validation faces by label, as `moodbox eval fer` reads them: FER2013's labels, and what most raters of FERPlus said.
CROPS = DATA / "validation-fer2013"
CROPS_BY_VOTES = DATA / "validation-ferplus"
# The same without those of which training has another copy of the photograph.
NEW_CROPS = DATA / "validation-fer2013-new"
NEW_CROPS_BY_VOTES = DATA / "validation-ferplus-new"
# The weights of the released network in half precision: enough to export it again, or to train on from.
RELEASED = ROOT / "models" / "training" / "expression" / "weights.npz"
# What these were made of: the weights that their trainings began with, and what the teachers said.
START, TAUGHT = (RELEASED.with_name(name) for name in ("start.npz", "teacher.npz"))
# What to add to each side of the detector's squared box to get the frame that FER2013 cut around a face, in parts of the
# square's side; measured by crop.py.
CROP_MARGIN = 0.0
EVALUATION = ROOT / "models" / "evaluation.json"


def weights_to_export() -> Path:
    """Those of the last training; the released ones where nothing was trained."""
    ended = WEIGHTS.stat().st_mtime if WEIGHTS.is_file() else 0
    for checkpoint in (CHECKPOINT, *RUN.glob("*/checkpoint.pt")):
        if checkpoint.is_file() and checkpoint.stat().st_mtime > ended:
            raise DataError(f"the training of {checkpoint} has not ended: the same command goes on; WEIGHTS names other weights, such as {RELEASED}")
    return WEIGHTS if ended else RELEASED
