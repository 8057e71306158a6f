"""The capture, on a camera that the kernel's real driver drives."""

import hashlib
import re
import time

from board import as_user

MJPEG_AT_15_FPS = "camera.fps=15"
YUYV_AT_5_FPS = "camera.fps=5"
FRAME = r"^frame .* lost=(?P<lost>\d+) corrupt=(?P<corrupt>\d+) sha256=(?P<sha256>\w{64})$"


def command(board, line):
    """Tells the camera what to do."""
    assert board.shell(f"echo {line} >/tmp/camera") == 0


def pictures(board):
    """The camera's JPEGs, as their sha256."""
    mark = board.mark()
    board.shell("cat /tmp/vcam.log")
    return re.findall(r"^picture \d+ (\w{64})$", "\n".join(board.lines_since(mark)), re.MULTILINE)


def raw_picture(number, size=640 * 480 * 2):
    """The sha256 of the camera's raw frame: a byte is 31 times where it is, plus a 256th of that, plus the number."""
    return hashlib.sha256(bytes((at * 31 + at // 256 + number) & 0xFF for at in range(size))).hexdigest()


class Capture:
    """The example program `capture`, as the daemon's user, until the end of a `with`."""

    def __init__(self, board, *config):
        self.board = board
        self.config = config

    def __enter__(self):
        self.mark = self.board.mark()
        program = as_user("moodbox", "capture", "1000000", *self.config)
        self.board.shell(f"{program} >/dev/ttyS1 2>&1 & capture=$!")
        return self

    def __exit__(self, *_):
        self.board.shell("kill $capture; wait $capture")

    def wait_for(self, pattern, since=None, seconds=30):
        return self.board.wait_for(pattern, self.mark if since is None else since, seconds)

    def frames(self):
        found = (re.match(FRAME, line) for line in self.board.lines_since(self.mark))
        return [frame.groupdict() for frame in found if frame]


def test_frames_in_mjpeg_are_what_the_camera_shows(board):
    known = pictures(board)
    assert len(set(known)) == 5
    with Capture(board, MJPEG_AT_15_FPS) as capture:
        capture.wait_for(r"^open Rig camera.* \(/dev/video0\), MJPEG 640x480 at 15 fps$")
        for number, sha256 in enumerate(known):
            command(board, f"show {number}")
            capture.wait_for(f"^frame MJPEG 640x480 stride=0 bytes=.*sha256={sha256}$")
        strange = [frame for frame in capture.frames() if frame["sha256"] not in known]
        assert not strange, strange


def test_raw_frames_are_what_the_camera_shows(board):
    with Capture(board, YUYV_AT_5_FPS) as capture:
        capture.wait_for(r"^open Rig camera.* \(/dev/video0\), YUYV 640x480 at 5 fps$")
        for number in (3, 77):
            command(board, f"show {number}")
            frame = f"^frame YUYV 640x480 stride=1280 bytes=614400 .*sha256={raw_picture(number)}$"
            capture.wait_for(frame, seconds=60)


def test_a_smaller_size_is_taken_where_it_is_asked_for(board):
    command(board, "show 9")
    with Capture(board, "camera.fps=15", "camera.width=320", "camera.height=240") as capture:
        capture.wait_for(r"^open Rig camera.*, YUYV 320x240 at 15 fps$")
        capture.wait_for(f"^frame YUYV 320x240 stride=640 bytes=153600 .*sha256={raw_picture(9, 320 * 240 * 2)}$")


def test_a_cut_frame_is_dropped_and_counted(board):
    known = pictures(board)
    with Capture(board, MJPEG_AT_15_FPS) as capture:
        capture.wait_for("^frame MJPEG")
        command(board, "cut 3")
        board.wait_until(lambda: sum(int(frame["corrupt"]) for frame in capture.frames()) == 3, "3 damaged frames")
        assert all(frame["sha256"] in known for frame in capture.frames())


def test_a_frame_that_the_camera_calls_faulty_is_counted(board):
    known = pictures(board)
    with Capture(board, MJPEG_AT_15_FPS) as capture:
        capture.wait_for("^frame MJPEG")

        # uvcvideo keeps such a frame to itself and leaves a gap in the numbers; other drivers hand it on, marked.
        def missing():
            return sum(int(frame["lost"]) + int(frame["corrupt"]) for frame in capture.frames())

        before = missing()
        command(board, "damage 2")
        board.wait_until(lambda: missing() >= before + 2, "2 faulty frames")
        assert all(frame["sha256"] in known for frame in capture.frames())


def test_a_frozen_camera_is_noticed_and_comes_back(board):
    with Capture(board, MJPEG_AT_15_FPS) as capture:
        capture.wait_for("^frame MJPEG")
        command(board, "freeze")
        frozen = time.monotonic()
        capture.wait_for(r"^error camera /dev/video0 gave no frame for 3 s \(0 damaged ones\): check its cable$")
        print(f"    noticed after {time.monotonic() - frozen:.1f} s")
        mark = board.mark()
        command(board, "thaw")
        capture.wait_for("^frame MJPEG", since=mark)


def test_an_unplugged_camera_is_noticed_and_comes_back(board):
    with Capture(board, MJPEG_AT_15_FPS) as capture:
        capture.wait_for("^frame MJPEG")
        command(board, "unplug")
        capture.wait_for(r"^error camera /dev/video0 was unplugged: plug it in again$", seconds=5)
        capture.wait_for(r"^error no camera found: plug one in, or set camera.source to")
        mark = board.mark()
        plugged = time.monotonic()
        command(board, "plug")
        capture.wait_for("^frame MJPEG", since=mark, seconds=10)
        print(f"    back after {time.monotonic() - plugged:.1f} s")


def test_a_camera_that_comes_back_as_another_node_is_found(board):
    # Whoever keeps the old node open keeps its number taken.
    board.shell("exec 7</dev/video0")
    with Capture(board, MJPEG_AT_15_FPS) as capture:
        capture.wait_for("^frame MJPEG")
        command(board, "unplug")
        capture.wait_for("^error no camera found")
        mark = board.mark()
        command(board, "plug")
        capture.wait_for(r"^open Rig camera.* \(/dev/video[1-9]\d*\), MJPEG", since=mark, seconds=10)
        capture.wait_for("^frame MJPEG", since=mark)
    board.shell("exec 7<&-")
    plug_in_as_first(board)


def plug_in_as_first(board):
    """Gives the camera its first node back. A port of USB/IP that was left a moment ago does not always take it at once."""
    appears = "n=0; until [ -c /dev/video0 ]; do sleep 0.1; n=$((n + 1)); [ $n -lt 50 ] || break; done; sleep 0.5; [ -c /dev/video0 ]"
    for _ in range(4):
        command(board, "unplug")
        command(board, "plug")
        if board.shell(appears) == 0:
            return
        print(board.read("ls /dev/video*; dmesg | tail -n 20"))
    raise AssertionError("the camera does not come back as /dev/video0")


def refusal(board, source, user="moodbox"):
    """What `capture` says about a source that it cannot use."""
    mark = board.mark()
    program = as_user(user, "capture", "1", f'camera.source="{source}"')
    board.shell(f"{program} >/dev/ttyS1 2>&1 & refused=$!")
    said = board.wait_for(r"^error (.*)$", mark)[1]
    board.shell("kill $refused; wait $refused")
    return said


def test_a_camera_that_another_program_streams_from_is_busy(board):
    with Capture(board, MJPEG_AT_15_FPS) as capture:
        capture.wait_for("^frame MJPEG")
        said = refusal(board, "v4l2:/dev/video0")
        expected = "camera /dev/video0 is used by another program: close it, or choose another with camera.source"
        assert said == expected, said


def test_what_is_no_camera_is_refused(board):
    other = "choose another with camera.source"
    for source, expected in [
        ("v4l2:/dev/video1", f"/dev/video1 is not a camera: it does not capture video; {other}"),
        ("v4l2:/dev/null", f"/dev/null is not a camera: it does not capture video; {other}"),
        ("v4l2:/dev/video42", f"camera /dev/video42 is not there: plug it in, or {other}"),
    ]:
        said = refusal(board, source)
        assert said == expected, said
    said = refusal(board, "v4l2:/dev/video0", user="stranger")
    assert said == "camera /dev/video0 may not be opened: add the user to the group video", said
