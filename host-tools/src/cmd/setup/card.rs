//! Setting up a machine that does not run yet, on the boot partition of its SD card.
//!
//! Raspberry Pi OS lets a card say what happens at its first start. Since Debian 13 cloud-init does that, with the files
//! `meta-data` and `user-data` of the boot partition; a third one, `vendor-data`, may be a script, and leaves the person's own
//! files alone. Before, the kernel's command line names a program that runs once (`systemd.run`), which for a card written by
//! Raspberry Pi Imager with settings is its `firstrun.sh`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde_json::json;

use super::credentials::Credentials;
use super::found::SCRIPT;
use super::plan::Plan;
use super::questions::Person;
use super::steps::Steps;
use super::{Arguments, state};
use crate::failure::Failure;

/// Our folder on the partition.
const FOLDER: &str = "moodbox";
/// What runs at the first start.
const FIRST_BOOT: &str = include_str!("first-boot.sh");
/// What cloud-init runs, which sees to it that the above runs to its end.
const VENDOR_DATA: &str = include_str!("vendor-data.sh");
/// Where the first start finds it.
const ON_THE_BOX: &str = "/boot/firmware/moodbox/first-boot.sh";
/// What the kernel's command line says on a system without cloud-init.
const RUN_ONCE: &str = "systemd.run=/boot/firmware/moodbox/first-boot.sh systemd.run_success_action=reboot \
                        systemd.unit=kernel-command-line.target";
/// Space besides the package's, in bytes.
const SPARE: u64 = 1_000_000;

pub(super) fn set_up(boot: &Path, arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let way = Way::on(boot)?;
    let wishes = &arguments.wishes;
    let credentials = Credentials::of(wishes)?;
    let person = Person::new(!arguments.yes);
    let decisions = person.decide(wishes, None, &credentials)?;
    state::try_broker(wishes, &decisions, &credentials)?;
    let plan = Plan::new(arguments.package()?, decisions, credentials, None)?;
    let free = fs4::available_space(boot).with_context(|| format!("cannot look at {}", boot.display()))?;
    if free < plan.package_bytes + SPARE {
        let needed = (plan.package_bytes + SPARE).div_ceil(1_000_000);
        let at = boot.display();
        return Err(Failure::Finding(anyhow!(
            "{at} has {} MB free and this needs {needed}; nothing was changed",
            free / 1_000_000
        )));
    }
    let mut steps = Steps::new(json);
    let undo = format!("moodbox setup --boot {} --undo", boot.display());
    steps.tell(&format!("What the first start will do, and is undone by `{undo}` before it"), &plan.lines()?)?;
    if !arguments.yes {
        person.agrees()?;
    }
    let written = write(boot, &plan, &way);
    written.map_err(|error| Failure::Finding(anyhow!("{error:#}; put back what was changed with `{undo}`")))?;
    steps
        .done("card", "the card is ready; start the box with it, and `moodbox discover` shows it after some minutes")?;
    steps.report(json!({ "id": plan.decisions.id }))?;
    Ok(())
}

/// Takes from the card what was written to it.
pub(super) fn undo(boot: &Path, json: bool) -> Result<(), Failure> {
    let folder = boot.join(FOLDER);
    if !folder.is_dir() {
        return Err(Failure::Finding(anyhow!("there is no set-up on {} that could be undone", boot.display())));
    }
    let put_back = || -> io::Result<()> {
        for name in ["cmdline.txt", "firstrun.sh"] {
            let kept = folder.join("before").join(name);
            if kept.exists() {
                fs::copy(kept, boot.join(name))?;
            }
        }
        let vendor_data = boot.join("vendor-data");
        if is_ours(&vendor_data) {
            fs::remove_file(vendor_data)?;
        }
        fs::remove_dir_all(&folder)
    };
    put_back().map_err(|error| Failure::Finding(anyhow!("{}: {error}", boot.display())))?;
    let mut steps = Steps::new(json);
    steps.done("card", "the card is as it was")?;
    Ok(steps.report(json!({}))?)
}

/// How the system on a card takes what it shall do at its first start.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    CloudInit,
    /// Raspberry Pi Imager's script runs already; ours is called by it.
    FirstRun(String),
    /// Nothing runs yet; the kernel's command line is to say it.
    CommandLine(String),
}

impl Way {
    fn on(boot: &Path) -> Result<Self, Failure> {
        let at = boot.display();
        let [command_line, settings] = ["cmdline.txt", "config.txt"].map(|name| boot.join(name));
        if !command_line.is_file() || !settings.is_file() {
            let reason = "is not the boot partition of Raspberry Pi OS: it has no cmdline.txt and config.txt";
            return Err(Failure::Input(anyhow!("{at} {reason}; nothing was changed")));
        }
        if boot.join("meta-data").is_file() || boot.join("user-data").is_file() {
            let vendor_data = boot.join("vendor-data");
            if vendor_data.exists() && !is_ours(&vendor_data) {
                return Err(Failure::Finding(anyhow!("{at} has a vendor-data of its own; nothing was changed")));
            }
            return Ok(Self::CloudInit);
        }
        let line =
            fs::read_to_string(&command_line).with_context(|| format!("cannot read {}", command_line.display()))?;
        // Set up once more: as it was before the first time.
        let line = line.replace(&format!(" {RUN_ONCE}"), "");
        if line.contains("systemd.run=") {
            return Ok(Self::FirstRun(called_by(&boot.join("firstrun.sh"))?));
        }
        Ok(Self::CommandLine(format!("{} {RUN_ONCE}\n", line.trim_end())))
    }
}

/// The Imager's script, which also runs ours before it takes itself away.
fn called_by(first_run: &Path) -> Result<String, Failure> {
    let at = first_run.display();
    let script = fs::read_to_string(first_run).with_context(|| format!("cannot read {at}"))?;
    if script.contains(ON_THE_BOX) {
        return Ok(script);
    }
    let end = script.rfind("\nrm -f").or_else(|| script.rfind("\nexit 0"));
    let Some(end) = end else {
        return Err(Failure::Finding(anyhow!("{at} is not as Raspberry Pi Imager writes it; nothing was changed")));
    };
    Ok(format!("{}\nsh {ON_THE_BOX}{}", &script[..end], &script[end..]))
}

fn is_ours(vendor_data: &Path) -> bool {
    fs::read_to_string(vendor_data).is_ok_and(|text| text.contains(ON_THE_BOX))
}

/// The large file first, so that a card that is full after all is noticed before anything else is there; last what makes it run.
fn write(boot: &Path, plan: &Plan, way: &Way) -> anyhow::Result<()> {
    let folder = boot.join(FOLDER);
    let in_folder = |name: &str| -> PathBuf { folder.join(name) };
    // To the card, which is pulled as soon as it is said to be ready. Not every system flushes what is open for reading.
    let flush = |path: &Path| fs::File::options().append(true).open(path)?.sync_all();
    let put = |path: PathBuf, content: &[u8]| {
        let written = fs::write(&path, content).and_then(|()| flush(&path));
        written.with_context(|| format!("cannot write {}", path.display()))
    };
    fs::create_dir_all(in_folder("before")).with_context(|| format!("cannot write to {}", boot.display()))?;
    let package = in_folder("package.deb");
    let copied = fs::copy(&plan.package, &package).and_then(|_| flush(&package));
    copied.with_context(|| format!("cannot write to {}", boot.display()))?;
    for (name, content) in &plan.files {
        put(in_folder(name), content)?;
    }
    put(in_folder("box.sh"), SCRIPT.as_bytes())?;
    put(in_folder("first-boot.sh"), FIRST_BOOT.as_bytes())?;
    let keep = |name: &str| -> anyhow::Result<()> {
        let kept = in_folder("before").join(name);
        if !kept.exists() {
            fs::copy(boot.join(name), kept).with_context(|| format!("cannot keep a copy of {name}"))?;
        }
        Ok(())
    };
    match way {
        Way::CloudInit => put(boot.join("vendor-data"), VENDOR_DATA.as_bytes()),
        Way::FirstRun(script) => {
            keep("firstrun.sh")?;
            put(boot.join("firstrun.sh"), script.as_bytes())
        }
        Way::CommandLine(line) => {
            keep("cmdline.txt")?;
            put(boot.join("cmdline.txt"), line.as_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGER: &str = "#!/bin/bash\nset +e\nraspi-config nonint do_wifi\nrm -f /boot/firstrun.sh\nexit 0\n";

    fn card(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [("config.txt", ""), ("cmdline.txt", "console=tty1 rootwait\n")].iter().chain(files) {
            fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    #[test]
    fn each_system_is_told_in_its_own_way() {
        let way = |files: &[(&str, &str)]| Way::on(card(files).path()).unwrap();
        assert_eq!(way(&[("user-data", ""), ("meta-data", "")]), Way::CloudInit);
        assert_eq!(way(&[("user-data", ""), ("vendor-data", VENDOR_DATA)]), Way::CloudInit);
        assert_eq!(way(&[]), Way::CommandLine(format!("console=tty1 rootwait {RUN_ONCE}\n")));
        let run = [("cmdline.txt", "rootwait systemd.run=/boot/firstrun.sh\n"), ("firstrun.sh", IMAGER)];
        let called = IMAGER.replace("\nrm -f", &format!("\nsh {ON_THE_BOX}\nrm -f"));
        assert_eq!(way(&run), Way::FirstRun(called.clone()));
        // Once more is the same.
        assert_eq!(way(&[run[0], ("firstrun.sh", &called)]), Way::FirstRun(called.clone()));
        let twice = format!("console=tty1 rootwait {RUN_ONCE}\n");
        assert_eq!(way(&[("cmdline.txt", &twice)]), Way::CommandLine(twice.clone()));
    }

    #[test]
    fn what_is_no_card_or_somebody_elses_is_left_alone() {
        let told = |folder: &Path| match Way::on(folder) {
            Err(Failure::Input(error) | Failure::Finding(error)) => error.to_string(),
            other => panic!("{other:?}"),
        };
        let empty = tempfile::tempdir().unwrap();
        assert!(told(empty.path()).contains("is not the boot partition of Raspberry Pi OS"));
        let theirs = card(&[("user-data", ""), ("vendor-data", "#cloud-config\n")]);
        assert!(told(theirs.path()).contains("has a vendor-data of its own; nothing was changed"));
        let odd = card(&[("cmdline.txt", "systemd.run=/boot/other.sh"), ("firstrun.sh", "true")]);
        assert!(told(odd.path()).contains("is not as Raspberry Pi Imager writes it"));
    }
}
