"""The text of the model card, models/README.md, from what the pipeline measured. Run by itself it says whether the card is up to date."""

import json
import tomllib
from pathlib import Path

MODELS = Path(__file__).resolve().parents[2]
CARD = MODELS / "README.md"
NAMES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
TEMPLATE = Path(__file__).resolve().parent / "card.md"
RATERS = TEMPLATE.with_name("raters.md")
# What there is to say of the faces and of the training, and what the validation split is called.
ORIGINS = {"fer2013": TEMPLATE.with_name("fer2013.md"), "folder": TEMPLATE.with_name("folder.md")}
VALIDATIONS = {"fer2013": "FER2013 validation", "folder": "the folder's validation faces"}
TEACHER = TEMPLATE.with_name("teacher.md")
SOUP = TEMPLATE.with_name("soup.md")
FILES = "models/training/expression"
HISTORY = Path(__file__).resolve().parent / "history.toml"


def main() -> None:
    """Compare the card with what was measured."""
    if CARD.read_text() != text():
        raise SystemExit("models/README.md does not say what was measured; run `make models-eval`")


def text() -> str:
    """The whole card."""
    return of(classifier(), json.loads((MODELS / "evaluation.json").read_text()))


def of(fer: dict, evaluation: dict) -> str:
    """The card of a classifier, from its entry in the manifest and what was measured."""
    labels, raters = evaluation["fer2013_validation"], evaluation.get("ferplus_validation")
    data = evaluation["data"]
    require_made_from(fer["made_from"], data)
    parts = {
        "data": data_table(data),
        "origin": origin(data, fer["made_from"]),
        "validation": VALIDATIONS[data["origin"]],
        "summary": summary(fer, labels, raters, [evaluation.get("fer2013_new"), evaluation.get("ferplus_new")]),
        "classes": classes(labels),
        "whose_word": whose_word(fer, evaluation) if raters else "",
        "confusion": confusion(labels),
        "confusions": confusions(labels),
        "perturbations": perturbations(labels),
        "reliability": reliability(labels),
        "history": history(),
        "temperature": fer["emotions"]["fer2013"]["temperature"],
        "macs": f"{fer['macs'] / 1e6:.1f}",
        "bytes": f"{fer['bytes'] / 1e3:.0f}",
    }
    return TEMPLATE.read_text().format(**parts)


def origin(data: dict, made_from: dict) -> str:
    """What there is to say of the faces and of the training."""
    parts, options = [], []
    step, start, teacher = ("soup", f"{FILES}/start.npz", "answers.npz") if "seeds" in made_from else ("train", "FILE", "teacher.npz")
    if "start" in made_from:
        parts.append(
            f"It did not begin with random weights, but with others (SHA-256 of their values: {made_from['start']}).\nWhat holds of the faces that these"
            " learnt from, terms of use included, holds of this network as well."
        )
        options.append(f"--start-from {start}")
    if "teacher" in made_from:
        parts.append(TEACHER.read_text().strip())
        options.append(f"--teacher {FILES}/{teacher}")
    if "seeds" in made_from:
        parts.append(SOUP.read_text().strip())
        options.append(f"--seeds {made_from['seeds']}")
    return ORIGINS[data["origin"]].read_text().format(
        copied=data["validation_copied_in_train"],
        leaking=data["also_in_validation"],
        duplicates=data["validation_duplicates"],
        made_from="".join(f"{part}\n\n" for part in parts),
        step=step,
        options=f' {step.upper()}_OPTIONS="{" ".join(options)}"' if options else "",
    ).strip()


def require_made_from(made_from: dict, data: dict) -> None:
    """Refuse to tell of other faces than the network was trained on and chosen by."""
    if any(data[split].get("digest") != made_from.get(split) for split in ("train", "validation")):
        raise SystemExit("models/fer.tflite was not made from the faces that `make models-data` prepared last")


def classifier() -> dict:
    """Its entry in the manifest."""
    manifest = tomllib.loads((MODELS / "manifest.toml").read_text())
    return next(model for model in manifest["model"] if model["name"] == "fer")


def has_raters() -> bool:
    """Whether it answers by FERPlus' raters too."""
    return "ferplus" in classifier()["emotions"]


def percent(share: float | None) -> str:
    """With one decimal."""
    return "-" if share is None else f"{share * 100:.1f} %"


def interval(bounds: list[float]) -> str:
    """Of 95 %, in percent."""
    return f"{bounds[0] * 100:.1f} to {bounds[1] * 100:.1f}"


def table(header: list[str], rows: list[list]) -> str:
    """In Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def data_table(data: dict) -> str:
    """How many faces of what."""
    rows = [[name, *(data[split]["labels"][name] for split in ("train", "validation"))] for name in NAMES]
    rows.append(["all", data["train"]["faces"], data["validation"]["faces"]])
    if data["train"]["rated"]:
        rows.append(["with FERPlus votes", data["train"]["rated"], data["validation"]["rated"]])
        rows.append(["of these, with one class that leads", data["train"]["with_plurality"], data["validation"]["with_plurality"]])
    return table(["label", "training", "validation"], rows)


def summary(fer: dict, labels: dict, raters: dict | None, new: list[dict | None]) -> str:
    """The figures a reader looks for first, of each answer; `new` are those of faces that training has no copy of, where there are such."""
    answers = [("fer2013", "its labels", labels)] + ([("ferplus", "the plurality of the raters", raters)] if raters else [])
    measured = [(fer["metrics"][name], evaluation, other) for (name, _, evaluation), other in zip(answers, new, strict=False)]

    def row(what: str, figure) -> list[str]:
        return [what, *(figure(*figures) for figures in measured)]

    def accuracy(e: dict) -> str:
        return f"{percent(e['accuracy'])} ({interval(e['accuracy_interval'])})"

    def of_new(what: str, figure) -> list[str]:
        return row(what, lambda _, __, n: figure(n) if n else "-")

    return table(["", *(f"`{name}`" for name, _, _ in answers)], [
        ["validation, judged by", *(f"{whose}, {evaluation['n']} faces" for _, whose, evaluation in answers)],
        row("accuracy of the int8 file, by the box's own code (95 % interval)", lambda _, e, __: accuracy(e)),
        row("balanced accuracy (mean recall of the classes)", lambda _, e, __: percent(e["balanced_accuracy"])),
        row("expected calibration error, 15 bins", lambda _, e, __: f"{e['ece']:.3f}"),
        of_new("without faces of which training has another copy", lambda n: f"{n['n']} faces"),
        of_new("accuracy of these", accuracy),
        of_new("balanced accuracy of these", lambda n: percent(n["balanced_accuracy"])),
        of_new("expected calibration error of these", lambda n: f"{n['ece']:.3f}"),
        row("all, by the pipeline: the float network", lambda m, _, __: percent(m["float_accuracy"])),
        row("same answer as the float network", lambda m, _, __: percent(m["same_top_class_as_float"])),
        row("calibration error before the temperature; after it, each half with that of the other",
            lambda m, _, __: f"{m['calibration_error_before']:.3f}; {m['calibration_error_after']:.3f}"),
    ])


def classes(labels: dict) -> str:
    """Precision, recall and F1."""
    rows = []
    for name in NAMES:
        figures = labels["per_class"][name]
        rows.append([name, percent(figures["precision"]), percent(figures["recall"]), interval(figures["recall_interval"]),
                     f"{figures['f1']:.2f}", figures["support"]])
    return table(["", "precision", "recall", "95 % interval", "F1", "faces"], rows)


def whose_word(fer: dict, evaluation: dict) -> str:
    """What the two answers are, and which to take."""
    raters, crossed = evaluation["ferplus_validation"], evaluation["ferplus_validation_by_fer2013"]
    right = {f"{answer}_where_{truth}": f"{percent:.0f} %"
             for answer, row in evaluation["mood_right"].items() for truth, percent in row.items()}
    return RATERS.read_text().format(
        temperature=fer["emotions"]["ferplus"]["temperature"],
        agreement=percent(fer["metrics"]["labels_that_agree_with_ferplus"]),
        crossed=percent(crossed["accuracy"]),
        **right,
        classes=rated_classes(raters, crossed),
        **{f"{name}_by_{answer}": f"{figures['per_class'][name]['recall'] * 100:.0f} %"
           for answer, figures in (("fer2013", crossed), ("ferplus", raters)) for name in ("disgust", "fear", "neutral")},
    )


def rated_classes(raters: dict, crossed: dict) -> str:
    """Precision and recall by the raters' word, of both answers."""
    rows = []
    for name in NAMES:
        own, other = raters["per_class"][name], crossed["per_class"][name]
        rows.append([name, own["support"], *(percent(figures[of]) for figures in (own, other) for of in ("precision", "recall"))])
    return table(["", "faces", "`ferplus`: precision", "recall", "`fer2013`: precision", "recall"], rows)


def confusion(labels: dict) -> str:
    """Shares of each row."""
    rows = []
    for name, counts in zip(NAMES, labels["confusion"], strict=True):
        rows.append([f"**{name}**", *(f"{100 * count / max(sum(counts), 1):.0f}" for count in counts)])
    return table(["is, and is read as (%)", *NAMES], rows)


def confusions(labels: dict) -> str:
    """The four most frequent errors as a sentence."""
    counts = labels["confusion"]
    errors = [(counts[i][j] / max(sum(counts[i]), 1), i, j) for i in range(len(NAMES)) for j in range(len(NAMES)) if i != j]
    worst = sorted(errors, reverse=True)[:4]
    return "; ".join(f"{NAMES[i]} as {NAMES[j]} ({share * 100:.0f} % of the {NAMES[i]} faces)" for share, i, j in worst)


def perturbations(labels: dict) -> str:
    """Points lost in each step."""
    rows = [[row["kind"], row["step"], percent(row["accuracy"]), f"{row['points_lost']:.1f}"] for row in labels["perturbations"]]
    return table(["", "step", "accuracy", "points lost"], rows)


def reliability(labels: dict) -> str:
    """How often it is right when it is so sure."""
    rows = [[f"{bin['from'] * 100:.0f} to {bin['to'] * 100:.0f} %", bin["n"], percent(bin["confidence"]), percent(bin["accuracy"])]
            for bin in labels["reliability"]]
    return table(["top probability", "faces", "mean", "right"], rows)


def history() -> str:
    """What was tried."""
    rows = [[row["what"], row.get("accuracy", "-"), row.get("balanced", "-"), row.get("ferplus", "-"), row["learnt"]]
            for row in tomllib.loads(HISTORY.read_text())["tried"]]
    return table(["tried", "accuracy", "balanced", "FERPlus", "what it gave"], rows)


if __name__ == "__main__":
    main()
