//! A control group whose memory has an end, as systemd's `MemoryMax` makes one for the daemon.

#![expect(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::programs::repository;
use crate::rights;

/// Goes into the group, then becomes the program.
const INSIDE: &str = "echo $$ >\"$0/cgroup.procs\" && exec \"$@\"";

/// The most memory that the unit lets the daemon have, in bytes.
///
/// # Panics
/// When `MemoryMax` is not in the unit, or not in megabytes.
#[must_use]
pub fn limit_of_the_unit() -> u64 {
    let unit = fs::read_to_string(repository().join("systemd/moodboxd.service")).expect("the unit");
    let limit = unit.lines().find_map(|line| line.strip_prefix("MemoryMax=")?.strip_suffix('M'));
    // systemd counts to the base 1024.
    limit.and_then(|limit| limit.parse::<u64>().ok()).expect("MemoryMax in megabytes") << 20
}

/// The group; it is taken away with this, which must outlive what runs in it.
#[derive(Debug)]
pub struct MemoryGroup {
    folder: PathBuf,
    kernel: Names,
}

/// How the kernel calls things.
#[derive(Debug, Clone, Copy)]
struct Names {
    /// Where groups are made.
    above: &'static str,
    limit: &'static str,
    peak: &'static str,
    events: &'static str,
}

const VERSION_2: Names =
    Names { above: "/sys/fs/cgroup", limit: "memory.max", peak: "memory.peak", events: "memory.events" };
const VERSION_1: Names = Names {
    above: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    peak: "memory.max_usage_in_bytes",
    events: "memory.oom_control",
};

impl MemoryGroup {
    /// A group with so many bytes, page cache included; nothing, and a line that says so, where none may be made.
    ///
    /// # Panics
    /// When none may be made and [`rights`] must not be missing.
    #[must_use]
    pub fn of(bytes: u64) -> Option<Self> {
        static GROUPS: AtomicU32 = AtomicU32::new(0);
        let kernel = if Path::new(VERSION_1.above).exists() { VERSION_1 } else { VERSION_2 };
        let name = format!("moodbox-test-{}-{}", std::process::id(), GROUPS.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new(kernel.above).join(name);
        let group = Self { folder, kernel };
        let Names { limit, peak, events, .. } = kernel;
        let script = format!(
            "mkdir {0}; cd {0}; echo {bytes} >{limit}; cat {peak}; grep oom_kill {events}; (echo 0 >cgroup.procs)",
            group.folder.display()
        );
        rights::may(&script).then_some(group)
    }

    /// A command that runs this program in the group.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", INSIDE]).arg(&self.folder).arg(program);
        command
    }

    /// The most bytes that were in use at a time.
    ///
    /// # Panics
    /// When the kernel does not say.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.read(self.kernel.peak).trim().parse().expect("a number of bytes")
    }

    /// How often the kernel has ended a program of the group, for want of memory.
    ///
    /// # Panics
    /// When the kernel does not say.
    #[must_use]
    pub fn kills(&self) -> u64 {
        let events = self.read(self.kernel.events);
        let kills = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
        kills.and_then(|kills| kills.parse().ok()).expect("a number of kills")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).expect("a file of the kernel's")
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}
