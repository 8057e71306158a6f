//! What the machine of a box says of itself over SSH: its service, its disk, its memory, its clock, its camera.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::check::Check;
use crate::failure::Failure;
use crate::ssh::Session;

/// Looks and changes nothing; KEY=VALUE lines.
const LOOK: &str = r#"
echo "now=$(date +%s)"
echo "service=$(systemctl is-active moodboxd 2>/dev/null)"
echo "restarts=$(systemctl show -P NRestarts moodboxd 2>/dev/null)"
echo "disk_mb=$(df -Pm /var/lib 2>/dev/null | awk 'NR == 2 { print $4 }')"
echo "memory_mb=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)"
echo "synchronised=$(timedatectl show -P NTPSynchronized 2>/dev/null)"
if [ "$(id -u)" = 0 ]; then as_root=; else as_root="sudo -n"; fi
echo "mode=$($as_root journalctl -q -u moodboxd -o cat 2>/dev/null | sed -n 's/^ *INFO camera: //p' | tail -n 1)"
"#;

/// Free space under which a library or an update may not fit, in MB.
const SMALL_DISK_MB: u64 = 200;
/// Available memory under which the system begins to swap or to end processes, in MB.
const SMALL_MEMORY_MB: u64 = 50;
/// Difference of the clocks that shows in certificates and histories, in seconds.
const CLOCK_S: u64 = 60;
/// Restarts by systemd of a service that is well.
const RESTARTS: u64 = 3;

/// All that can be seen there.
pub(super) fn examine(session: &Session, checks: &mut Vec<Check>) -> Result<(), Failure> {
    let output = session.run("sh -s", LOOK.as_bytes())?;
    let here = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    judge(&String::from_utf8_lossy(&output.stdout), here, checks);
    Ok(())
}

fn judge(look: &str, here: u64, checks: &mut Vec<Check>) {
    let value = |key: &str| {
        let found = look.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        found.map(str::trim).filter(|value| !value.is_empty())
    };
    let number = |key: &str| value(key).and_then(|text| text.parse::<u64>().ok());
    checks.push(service(value("service"), number("restarts")));
    let disk = number("disk_mb");
    checks.push(room("disk", disk, SMALL_DISK_MB, "remove what is not needed, or use a larger card"));
    let memory = number("memory_mb");
    checks.push(room("memory", memory, SMALL_MEMORY_MB, "end other programs on the box"));
    let apart = number("now").map(|there| there.abs_diff(here));
    checks.push(clock(apart, value("synchronised").map(|word| word == "yes")));
    checks.push(match value("mode") {
        Some(mode) => Check::ok("camera mode", mode.to_owned()),
        // It is said as the camera starts, which the journal may have forgotten, or not show to this user.
        None => Check::ok("camera mode", "not known".to_owned()),
    });
}

fn service(state: Option<&str>, restarts: Option<u64>) -> Check {
    let active = state == Some("active");
    let facts = json!({ "active": active, "restarts": restarts });
    if !active {
        let said = format!("moodboxd is {} on the machine", state.unwrap_or("not there"));
        return Check::fail(
            "service",
            said,
            "systemctl restart moodboxd; `moodbox logs --ssh USER@HOST` says why it ended",
        )
        .with(facts);
    }
    if restarts.is_some_and(|restarts| restarts > RESTARTS) {
        let said = format!("moodboxd runs, and was restarted {} times", restarts.unwrap_or_default());
        return Check::warn("service", said, "`moodbox logs --ssh USER@HOST --level warn` says why").with(facts);
    }
    Check::ok("service", "moodboxd runs".to_owned()).with(facts)
}

fn room(name: &'static str, free_mb: Option<u64>, small_mb: u64, mend: &'static str) -> Check {
    let facts = json!({ "free_mb": free_mb });
    match free_mb {
        Some(free) if free < small_mb => Check::warn(name, format!("only {free} MB are free"), mend).with(facts),
        Some(free) => Check::ok(name, format!("{free} MB are free")).with(facts),
        None => Check::ok(name, "not known".to_owned()).with(facts),
    }
}

fn clock(apart_s: Option<u64>, synchronised: Option<bool>) -> Check {
    let facts = json!({ "apart_s": apart_s, "synchronised": synchronised });
    let mend = "timedatectl set-ntp true, and let the box reach a time server";
    match apart_s {
        Some(seconds) if seconds > CLOCK_S => {
            Check::fail("clock", format!("it is {seconds} s apart from this computer's"), mend).with(facts)
        }
        Some(_) if synchronised == Some(false) => {
            Check::warn("clock", "it is right, but nothing keeps it so".to_owned(), mend).with(facts)
        }
        Some(_) => Check::ok("clock", "it agrees with this computer's".to_owned()).with(facts),
        None => Check::ok("clock", "not known".to_owned()).with(facts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(look: &str) -> String {
        let mut checks = Vec::new();
        judge(look, 1_000_000, &mut checks);
        let each = checks.iter().map(|check| format!("{} {} {}", check.mark.word(), check.name, check.said));
        each.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_machine_that_is_well() {
        let look = "now=1000003\nservice=active\nrestarts=0\ndisk_mb=9000\nmemory_mb=400\nsynchronised=yes\n\
                    mode=/dev/video0, MJPEG 640x480, 10 frames a second\n";
        insta::assert_snapshot!(lines(look));
    }

    #[test]
    fn a_machine_that_is_not() {
        let look = "now=900000\nservice=failed\nrestarts=9\ndisk_mb=12\nmemory_mb=8\nsynchronised=no\nmode=\n";
        insta::assert_snapshot!(lines(look));
        insta::assert_snapshot!(lines(""));
    }
}
