"""The lights, on pins that the kernel's real driver drives, watched from outside the board."""

import time

from board import as_user

PINS = {"red": 17, "green": 27, "blue": 22, "camera": 23}
DARK = {name: False for name in PINS}


def light(user, driver, *config):
    """The shell's words for the example program `light`."""
    return as_user(user, "light", f'leds.driver="{driver}"', *config)


class Lights:
    """The example program `light`, as the daemon's user, until the end of a `with`."""

    def __init__(self, board, driver, common="cathode"):
        self.board = board
        self.program = light("moodbox", driver, f'leds.common="{common}"')
        self.lit_is_high = common == "cathode"

    def __enter__(self):
        mark = self.board.mark()
        self.board.shell("rm -f /tmp/levels; mkfifo /tmp/levels; chmod 666 /tmp/levels")
        self.board.shell(f"{self.program} </tmp/levels >/dev/ttyS1 2>&1 & lights=$!")
        # Held open, so that the program sees the end of its input only when this ends.
        self.board.shell("exec 7>/tmp/levels")
        self.board.wait_for("^open$", mark)
        return self

    def __exit__(self, *_):
        self.board.shell("exec 7>&-; wait $lights")

    def show(self, red=0.0, green=0.0, blue=0.0, camera=0.0):
        mark = self.board.mark()
        line = f"{red} {green} {blue} {camera}"
        self.board.shell(f"echo {line} >&7")
        self.board.wait_for(f"^shown {line}$", mark)

    def lit(self):
        """Which of the lights are lit, by the levels of their pins."""
        return {name: self.board.high(pin) == self.lit_is_high for name, pin in PINS.items()}

    def expect(self, **lit):
        expected = DARK | lit
        self.board.wait_until(lambda: self.lit() == expected, f"{expected}, but {self.lit()}")


def each_light_alone(board, driver, common):
    with Lights(board, driver, common) as lights:
        lights.expect()
        assert all(board.is_output(pin) for pin in PINS.values())
        for name in PINS:
            lights.show(**{name: 1.0})
            lights.expect(**{name: True})
        lights.show(red=1.0, camera=1.0)
        lights.expect(red=True, camera=True)
        lights.show()
        lights.expect()
    # Not driven any more, so dark whichever leg is shared.
    assert not any(board.is_output(pin) for pin in PINS.values())


def test_the_kernel_lights_each_pin(board):
    each_light_alone(board, "gpiochip", "cathode")


def test_the_kernel_lights_each_pin_of_a_common_anode(board):
    each_light_alone(board, "gpiochip", "anode")


def test_the_registers_light_each_pin(board):
    each_light_alone(board, "rppal", "cathode")


def test_the_registers_light_each_pin_of_a_common_anode(board):
    each_light_alone(board, "rppal", "anode")


def test_a_light_is_dimmed_alone(board):
    with Lights(board, "rppal") as lights:
        lights.expect()
        before = len(board.edges)
        lights.show(green=0.5)
        board.wait_until(lambda: len(board.edges) >= before + 100, "100 edges")
        assert {edge.pin for edge in board.edges[before:]} == {PINS["green"]}
        lights.show(green=1.0)
        lights.expect(green=True)
        steady = len(board.edges)
        time.sleep(0.5)
        assert len(board.edges) == steady, "a full light needs no PWM"


def test_a_line_that_is_held_is_reported_with_its_holder(board):
    with Lights(board, "gpiochip") as lights:
        for driver in ("gpiochip", "rppal"):
            mark = board.mark()
            assert board.shell(f"{light('moodbox', driver)} </dev/null >/dev/ttyS1 2>&1") == 1
            board.wait_for(
                "^Error: line 17 of /dev/gpiochip0 is held by moodbox: stop that, or choose others in", mark
            )
        lights.show(blue=1.0)
        lights.expect(blue=True)


def test_pins_that_may_not_be_used_are_reported(board):
    for driver, node in [("gpiochip", "/dev/gpiochip0"), ("rppal", "/dev/gpiomem")]:
        mark = board.mark()
        assert board.shell(f"{light('stranger', driver)} </dev/null >/dev/ttyS1 2>&1") == 1
        board.wait_for(f"^Error: {node} may not be opened: add the user to the group gpio$", mark)
