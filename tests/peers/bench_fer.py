"""Times Python `fer` with its MTCNN on a folder of JPEG pictures, on one thread.

    bench_fer.py FOLDER

Prints a line when it is warm, then goes through the folder once for every line on standard input and answers with a
line of JSON. A frame is what a program that uses fer does with it: `cv2.imread`, then `detect_emotions`.
"""

import json
import os
import pathlib
import statistics
import sys
import time

# Before anything that starts threads is imported.
for variable in (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
):
    os.environ[variable] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

# Before TensorFlow, which fer imports: the other way round torch crashes.
import facenet_pytorch  # noqa: F401
import cv2
import torch
from fer.fer import FER

torch.set_num_threads(1)
torch.set_num_interop_threads(1)
cv2.setNumThreads(1)


# Pictures analysed before the clock counts.
WARM_UP = 10


def main(folder):
    # Finds faces from 20 px, the default of the facenet-pytorch that it builds; fer offers no way to ask for less.
    detector = FER(mtcnn=True)
    files = sorted(path for path in pathlib.Path(folder).iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))

    def analyse(file):
        start = time.perf_counter()
        detector.detect_emotions(cv2.imread(str(file)))
        return 1e3 * (time.perf_counter() - start)

    for file in files[:WARM_UP]:
        analyse(file)
    print("warm", flush=True)
    for _ in sys.stdin:
        times = [analyse(file) for file in files]
        print(json.dumps({"p50_ms": statistics.median(times), "frames": len(files)}), flush=True)


main(sys.argv[1])
