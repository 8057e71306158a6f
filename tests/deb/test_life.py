"""The daemon's package: installed, set up, upgraded, put back, removed, purged. In the order in which a box lives through it."""

import packages
from machine import INSTALL

KEPT = "/var/lib/moodbox-upgrade"
PEOPLE = "/etc/mosquitto/moodbox/people"
HEAR = f"mosquitto_sub -h 127.0.0.1 -p 8883 --cafile /etc/moodbox/ca.pem -u admin -P $(cat {PEOPLE}/admin.password)"
TELL = HEAR.replace("mosquitto_sub", "mosquitto_pub")
STATE = f"{HEAR} -t moodbox/hall/state -C 1 -W 30"
CAMERA = """
[camera]
source = "replay:/srv/evening.mjpeg"
"""


def version(machine):
    return machine.run("dpkg-query --show --showformat '${Version}' moodboxd")


def everything(machine):
    """All files but those that come and go by themselves."""
    places = ["/proc", "/sys", "/dev", "/run", "/tmp", "/test", "/var/log", "/var/cache", "/var/tmp", "/var/lib/systemd"]
    places += ["/var/lib/dpkg", "/var/lib/apt", "/root"]
    pruned = " -o ".join(f"-path {place}" for place in places)
    return set(machine.run(f"find / \\( {pruned} \\) -prune -o -print").splitlines())


def upgrade(machine, package):
    """Installs a package over what is there and waits for the end of its trial; what that said."""
    machine.run(f"{INSTALL} /test/{package} 2>&1")
    machine.wait_until("systemctl show -P ActiveState moodboxd-trial | grep -qE '^(inactive|failed)$'", 200)
    return machine.run("journalctl _SYSTEMD_UNIT=moodboxd-trial.service --output cat --no-pager --reverse --lines 5")


def test_a_machine_without_it_takes_it(machine):
    # As it comes, the box is its own broker, on the port that this one has.
    machine.run("systemctl stop mosquitto")
    machine.before = everything(machine)
    machine.run(f"{INSTALL} /test/{packages.PREVIOUS} 2>&1")
    assert machine.succeeds("systemctl is-active --quiet moodboxd"), machine.run("journalctl --unit moodboxd")
    assert machine.succeeds("systemctl is-enabled --quiet moodboxd")
    assert machine.run("dpkg --verify moodboxd") == ""
    assert machine.run("moodboxd --check-config") == "/etc/moodbox/moodbox.toml: ok"


def test_it_runs_as_its_own_user_with_nothing_to_spare(machine):
    process = machine.run("systemctl show -P MainPID moodboxd")
    assert machine.run(f"ps -o user= -p {process}") == "moodbox"
    groups = machine.run(f"sed -n 's/^Groups:\\t//p' /proc/{process}/status").split()
    wanted = machine.run("getent group moodbox video gpio | cut -d: -f3").split()
    assert sorted(groups) == sorted(wanted), (groups, wanted)
    assert machine.run(f"sed -n 's/^CapBnd:\\t//p' /proc/{process}/status") == "0" * 16
    assert machine.run("stat -c '%U %G %a' /var/lib/moodbox /run/moodbox") == "moodbox moodbox 750\nmoodbox moodbox 750"


def test_its_exposure_stays_low(machine):
    machine.run("systemd-analyze verify --man=no moodboxd.service moodboxd-trial.service 2>&1")
    machine.run("systemd-analyze security --threshold=16 moodboxd.service")


def test_a_mosquitto_that_others_use_runs_on(machine):
    # Each needs the port that is usual.
    machine.run("systemctl stop moodboxd && systemctl start mosquitto")
    broker = "systemctl show -P MainPID mosquitto"
    before = machine.run(broker)
    machine.run("echo 'allow_anonymous true' >/etc/mosquitto/conf.d/home.conf")
    assert not machine.succeeds("/test/broker/broker.sh set-up 127.0.0.1")
    assert machine.run(broker) == before
    machine.run("rm /etc/mosquitto/conf.d/home.conf")
    # What nobody sees beforehand: another has the port.
    machine.run("systemd-run --quiet --unit taken mosquitto -p 8884")
    machine.wait_until("mosquitto_pub -h 127.0.0.1 -p 8884 -t x -n", 10)
    told = machine.run("/test/broker/broker.sh --port 8884 set-up 127.0.0.1 2>&1", check=False)
    assert "and runs as before" in told, told
    assert machine.succeeds("systemctl is-active --quiet mosquitto && mosquitto_pub -h 127.0.0.1 -p 1883 -t x -n")
    machine.run("systemctl stop taken mosquitto && rm -r /etc/mosquitto/moodbox /etc/mosquitto/conf.d/moodbox.conf.*")
    machine.run("systemctl start moodboxd")


def test_it_sees_and_speaks_to_a_broker_with_certificate_and_password(machine):
    # Who sees it has come through the sandbox by the group to which cameras belong.
    machine.run("install -o root -g video -m 040 /test/evening.mjpeg /srv")
    machine.run("/test/broker/broker.sh set-up 127.0.0.1 && /test/broker/broker.sh add-box hall")
    machine.run("cp /etc/mosquitto/moodbox/boxes/hall/ca.pem /etc/mosquitto/moodbox/boxes/hall/password /etc/moodbox")
    machine.run("chmod 644 /etc/moodbox/password && systemd-tmpfiles --create moodboxd.conf")
    assert machine.run("stat -c '%U %a' /etc/moodbox/password") == "root 600"
    machine.run(f"{{ cat /etc/mosquitto/moodbox/boxes/hall/mqtt.toml; echo '{CAMERA}'; }} >/etc/moodbox/moodbox.toml")
    machine.run("systemctl restart mosquitto")
    # Set up once more it runs on, unless something is new.
    broker = "systemctl show -P MainPID mosquitto"
    before = machine.run(broker)
    machine.run("/test/broker/broker.sh set-up 127.0.0.1")
    assert machine.run(broker) == before
    machine.run("/test/broker/broker.sh set-up 127.0.0.1 localhost")
    assert machine.run(broker) != before
    machine.run("systemctl restart moodboxd")
    machine.wait_until(f"{STATE} | grep -q '\"faces\":[1-9]'", 60)
    machine.run(f"{TELL} -t moodbox/hall/cmd/camera -m OFF")
    machine.wait_until(f"{STATE} | grep -q '\"camera\":\"off\"'", 30)


def test_an_upgrade_keeps_configuration_and_state(machine):
    kept = "sha256sum /etc/moodbox/moodbox.toml /etc/moodbox/password /var/lib/moodbox/switches.json"
    before = machine.run(kept)
    # A file that grows while it is kept, long enough for that to be seen.
    grows = f"cd /var/lib/moodbox && truncate -s 30M grows && while ! test -e {KEPT}; do echo >>grows; done; rm grows"
    machine.run(f"systemd-run --quiet sh -c '{grows}'")
    said = upgrade(machine, packages.PRESENT)
    assert " holds" in said, said
    assert version(machine) == packages.PRESENT_VERSION
    assert machine.run(kept) == before
    machine.wait_until(f"{STATE} | grep -q '\"camera\":\"off\"'", 30)
    assert not machine.succeeds(f"test -e {KEPT}")


def test_the_second_of_two_upgrades_has_a_trial_of_its_own(machine):
    trial = "systemctl show -P InvocationID moodboxd-trial"
    before = machine.run("sha256sum /etc/moodbox/moodbox.toml")
    machine.run(f"{INSTALL} --allow-downgrades /test/{packages.PREVIOUS} 2>&1")
    first = machine.run(trial)
    assert machine.run("systemctl show -P ActiveState moodboxd-trial") == "activating"
    said = upgrade(machine, packages.PRESENT)
    assert " holds" in said, said
    assert machine.run(trial) != first
    assert not machine.succeeds(f"test -e {KEPT}")
    assert machine.run("sha256sum /etc/moodbox/moodbox.toml") == before


def test_an_upgrade_that_does_not_come_about_leaves_nothing_behind(machine):
    # What is a mount of its own cannot be replaced.
    file = "/usr/lib/sysusers.d/moodboxd.conf"
    machine.run(f"mount --bind {file} {file}")
    assert not machine.succeeds(f"DEBIAN_FRONTEND=noninteractive {INSTALL} --reinstall /test/{packages.PRESENT}")
    machine.run(f"umount {file}")
    machine.wait_until(f"! test -e {KEPT}", 30)
    assert machine.succeeds("systemctl is-active --quiet moodboxd")
    # The configuration is the test's own.
    assert machine.run("dpkg --verify moodboxd | sed '/ c /d'") == ""
    assert not machine.succeeds("systemctl is-failed --quiet moodboxd-trial")


def upgrade_with_a_power_cut(machine, package):
    """The same, as if the power had gone while the state was put back."""
    machine.run(f"{INSTALL} --allow-downgrades /test/{package} 2>&1 && systemctl stop moodboxd-trial")
    machine.run(f"echo 'the power went' >{KEPT}/put-back && find /var/lib/moodbox -mindepth 1 -delete")
    assert not machine.succeeds("systemctl start moodboxd-trial")
    return machine.run("journalctl _SYSTEMD_UNIT=moodboxd-trial.service --output cat --no-pager --reverse --lines 5")


def rolls_back(machine, package, reason, upgrade=upgrade):
    running = machine.run("moodboxd --version")
    daemon = "sha256sum /usr/bin/moodboxd /etc/moodbox/moodbox.toml /var/lib/moodbox/switches.json"
    before = machine.run(daemon)
    said = upgrade(machine, package)
    assert reason in said and f"{running} is back and runs" in said, said
    assert machine.run(daemon) == before
    machine.wait_until("systemctl is-active --quiet moodboxd", 10)
    assert machine.succeeds("systemctl is-failed --quiet moodboxd-trial"), "nobody would see that the upgrade failed"
    assert not machine.succeeds(f"test -e {KEPT}")


def test_a_version_that_crashes_and_spoils_the_state_is_put_back(machine):
    rolls_back(machine, packages.CRASHING, "it ended three times")


def test_a_version_that_refuses_the_configuration_is_put_back(machine):
    rolls_back(machine, packages.REFUSING, "exit code 2")


def test_a_version_that_never_is_ready_is_put_back(machine):
    rolls_back(machine, packages.UNREADY, "it was never up for 90 s")


def test_a_version_that_hangs_once_it_is_ready_is_put_back(machine):
    rolls_back(machine, packages.HANGING, "it was never up for 90 s")


def test_a_power_cut_while_a_version_is_put_back_loses_nothing(machine):
    rolls_back(machine, packages.CRASHING, "the power went", upgrade_with_a_power_cut)


def test_removal_leaves_configuration_and_state_to_a_return(machine):
    machine.run("apt-get remove -qq -y moodboxd 2>&1")
    assert not machine.succeeds("systemctl is-active --quiet moodboxd") and not machine.succeeds("test -e /usr/bin/moodboxd")
    machine.run("test -s /etc/moodbox/moodbox.toml && test -s /var/lib/moodbox/switches.json")
    machine.run(f"{INSTALL} /test/{packages.PRESENT} 2>&1")
    machine.wait_until(f"{STATE} | grep -q '\"camera\":\"off\"'", 30)


def test_purging_leaves_nothing(machine):
    machine.run("apt-get purge -qq -y moodboxd 2>&1 && rm -r /etc/mosquitto/moodbox /etc/mosquitto/conf.d/moodbox.conf")
    left = everything(machine) - machine.before - {"/srv/evening.mjpeg"}
    assert not left, sorted(left)
    assert not machine.succeeds("getent passwd moodbox || getent group moodbox")


def test_the_tool_reads_a_photo_and_has_its_pages(machine):
    machine.run(f"{INSTALL} /test/{packages.TOOL} 2>&1")
    assert '"emotion"' in machine.run("moodbox analyze --json /test/hopper.jpg")
    pages = machine.run("dpkg-query --listfiles moodbox")
    for name in ("man/man1/moodbox-analyze.1.gz", "bash-completion/completions/moodbox", "doc/moodbox/copyright"):
        assert f"/usr/share/{name}" in pages, pages
    machine.run("apt-get purge -qq -y moodbox 2>&1")
    left = everything(machine) - machine.before - {"/srv/evening.mjpeg"}
    assert not left, sorted(left)
