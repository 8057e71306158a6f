"""A Raspberry Pi 4B. QEMU gives it no network, no card and no console that could be typed into, and lacks parts that the kernel
would wait for; pins, processor and kernel are there."""

from box import PINS


def test_the_daemon_sees_and_lights_on_a_raspberry_pi_4(pi4):
    pi4.wait_for("^.* Raspberry Pi 4 Model B")
    pi4.wait_for("mqtt: connected to mqtt://127.0.0.1", seconds=90)
    pi4.wait_for(r"camera: Rig camera \(/dev/video0\), MJPEG 640x480 at 15 fps")
    lit = {"red", "green", "camera"}
    pi4.wait_until(lambda: {name for name, pin in PINS.items() if pi4.high(pin)} == lit, "yellow for a smile", seconds=60)
    assert all(pi4.is_output(pin) for pin in PINS.values())
