"""Times one way of finding faces on a folder of JPEG pictures, on one thread, and says what it found.

    bench_peer.py PEER FOLDER [MODEL]

Prints a line when it is warm, then goes through the folder once for every line on standard input and answers with a line of
JSON: the median time of a picture from file to faces in milliseconds, the same without decoding, and the boxes.
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

# Pictures analysed before the clock counts.
WARM_UP = 10


def opencv():
    import cv2

    cv2.setNumThreads(1)
    return cv2


def fer(mtcnn):
    # Before TensorFlow, which fer imports: the other way round torch crashes.
    import facenet_pytorch  # noqa: F401
    import torch
    from fer.fer import FER

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    # Finds faces from 20 px, the default of the facenet-pytorch that it builds; fer offers no way to ask for less.
    detector = FER(mtcnn=mtcnn)
    return lambda picture: [face["box"] for face in detector.detect_emotions(picture)]


def mtcnn():
    from mtcnn import MTCNN

    cv2, detector = opencv(), MTCNN(stages="face_and_landmarks_detection", device="CPU:0")

    def find(picture):
        # From 20 px, its default: asked for 60, version 1.0.0 finds nothing.
        return [face["box"] for face in detector.detect_faces(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))]

    return find


def facenet():
    import torch
    from facenet_pytorch import MTCNN

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    cv2, detector = opencv(), MTCNN(keep_all=True, min_face_size=60, device="cpu")

    def find(picture):
        boxes, _ = detector.detect(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        return [] if boxes is None else [[x1, y1, x2 - x1, y2 - y1] for x1, y1, x2, y2 in boxes.tolist()]

    return find


def mediapipe(model):
    import mediapipe as mp

    cv2 = opencv()
    detector = mp.solutions.face_detection.FaceDetection(model_selection=model, min_detection_confidence=0.5)

    def find(picture):
        height, width = picture.shape[:2]
        found = detector.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).detections or []
        boxes = [face.location_data.relative_bounding_box for face in found]
        return [[b.xmin * width, b.ymin * height, b.width * width, b.height * height] for b in boxes]

    return find


def yunet(width, height):
    cv2 = opencv()
    detector = cv2.FaceDetectorYN.create(sys.argv[3], "", (width, height), score_threshold=0.7)

    def find(picture):
        rows, columns = picture.shape[:2]
        scale = columns / width
        if scale != 1:
            picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        _, faces = detector.detect(picture)
        return [] if faces is None else (faces[:, :4] * [scale, rows / height, scale, rows / height]).tolist()

    return find


PEERS = {
    "fer, MTCNN": lambda: fer(True),
    "fer, Haar": lambda: fer(False),
    "mtcnn": mtcnn,
    "facenet-pytorch": facenet,
    "MediaPipe, short": lambda: mediapipe(0),
    "MediaPipe, full": lambda: mediapipe(1),
    "YuNet, 320x240": lambda: yunet(320, 240),
    "YuNet, 640x480": lambda: yunet(640, 480),
}


def main(peer, folder):
    find = PEERS[peer]()
    cv2 = opencv()
    files = sorted(path for path in pathlib.Path(folder).iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))

    def analyse(file):
        start = time.perf_counter()
        picture = cv2.imread(str(file))
        decoded = time.perf_counter()
        boxes = find(picture)
        end = time.perf_counter()
        return 1e3 * (end - start), 1e3 * (end - decoded), [[float(v) for v in box] for box in boxes]

    for file in files[:WARM_UP]:
        analyse(file)
    print("warm", flush=True)
    for _ in sys.stdin:
        results = [analyse(file) for file in files]
        whole, find_only, boxes = zip(*results)
        answer = {
            "whole_ms": statistics.median(whole),
            "find_ms": statistics.median(find_only),
            "boxes": {file.name: found for file, found in zip(files, boxes)},
        }
        print(json.dumps(answer), flush=True)


main(*sys.argv[1:3])
