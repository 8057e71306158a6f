"""Makes songs for the player, and the catalogue that the box recommends them from.

    songs.py FOLDER

Each is a minute of one tone; the table says where it would lie on the plane if it were music.
"""

import array
import csv
import math
import pathlib
import sys
import wave

RATE = 8000
SECONDS = 60

# Mood, valence and arousal; five songs lie around each.
PLACES = [
    ("happy", 0.8, 0.5),
    ("sad", -0.7, -0.4),
    ("angry", -0.6, 0.8),
    ("neutral", 0.1, -0.1),
    ("surprise", 0.4, 0.8),
]
EACH = 5
GENRES = ["pop", "rock", "jazz", "soul", "folk"]


def tone(path, hertz):
    second = array.array("h", (round(3000 * math.sin(math.tau * hertz * n / RATE)) for n in range(RATE)))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", None))
        file.writeframes(second.tobytes() * SECONDS)


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "songs.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["uri", "title", "artist", "album", "genres", "valence", "arousal"])
        for place, (mood, valence, arousal) in enumerate(PLACES):
            for number in range(EACH):
                uri = f"{mood}-{number + 1}.wav"
                tone(folder / uri, 220 + 55 * place + 11 * number)
                off = 0.04 * (number - EACH // 2)
                row = [f"{mood.title()} {number + 1}", f"The {GENRES[number].title()} Tones {place + 1}", "Tones"]
                table.writerow([uri, *row, GENRES[number], round(valence + off, 2), round(arousal - off, 2)])


main(sys.argv[1])
