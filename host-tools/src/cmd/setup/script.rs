//! `box.sh` at work on the box: sent there, started as root, and followed step by step.

use std::io::{BufRead, BufReader, Write};

use anyhow::anyhow;
use indicatif::ProgressBar;

use super::found::{Root, SCRIPT};
use super::plan::Plan;
use super::questions::sudo_password;
use super::steps::{Said, Steps};
use crate::failure::{Failure, tell};
use crate::ssh::{Session, complaints, last_line};

/// How often a wrong password for `sudo` is asked for again.
const ATTEMPTS: u32 = 3;

/// The script in a folder of its own on the box, which goes away with this.
pub(super) struct Script<'a> {
    session: &'a Session,
    folder: String,
    /// What makes it run as root, and what must be said to that.
    sudo: &'static str,
    password: Option<String>,
}

impl<'a> Script<'a> {
    /// Copies the script and, for a set-up, what it installs.
    pub(super) fn upload(session: &'a Session, root: Root, plan: Option<&Plan>) -> Result<Self, Failure> {
        let (sudo, password) = match root {
            Root::Already | Root::Never => ("", None),
            Root::Sudo => ("sudo -n ", None),
            // Also where it remembers an earlier one: its input is then known to begin with the password.
            Root::SudoWithPassword => ("sudo -k -S -p '' ", Some(ask_for_password(session)?)),
        };
        let made = session.run("mktemp -d /var/tmp/moodbox-setup.XXXXXX", b"")?;
        let folder = String::from_utf8_lossy(&made.stdout).trim().to_owned();
        let fits = |c: char| c.is_ascii_alphanumeric() || "/.-".contains(c);
        if !made.status.success() || !folder.starts_with("/var/tmp/moodbox-setup.") || !folder.chars().all(fits) {
            let told = String::from_utf8_lossy(&made.stderr).into_owned();
            let reason = last_line(&told);
            return Err(Failure::Finding(anyhow!("{}: {reason}; nothing was changed", session.host())));
        }
        let script = Self { session, folder, sudo, password };
        script.send(plan).map_err(|failure| failure.and("nothing was changed"))?;
        Ok(script)
    }

    fn send(&self, plan: Option<&Plan>) -> Result<(), Failure> {
        let to = |name: &str| format!("{}/{name}", self.folder);
        self.session.upload(&mut SCRIPT.as_bytes(), &to("box.sh"), |_| {})?;
        let Some(plan) = plan else { return Ok(()) };
        let bar = ProgressBar::new(plan.package_bytes);
        let sent = self.session.upload(&mut plan.open_package()?, &to("package.deb"), |bytes| bar.set_position(bytes));
        bar.finish_and_clear();
        sent?;
        // A password among them comes last, so that it does not lie there while somebody loses patience.
        for (name, content) in &plan.files {
            self.session.upload(&mut content.as_slice(), &to(name), |_| {})?;
        }
        Ok(())
    }

    /// Runs a command of the script to its end. `ready` is called before the service starts, with whether anything that it
    /// runs with was changed.
    pub(super) fn run(
        &self,
        command: &str,
        steps: &mut Steps,
        mut ready: impl FnMut(bool) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Self { session, folder, sudo, password } = self;
        let mut child = session.start(&format!("{sudo}sh {folder}/box.sh {command} {folder}"))?;
        let mut stdin = child.stdin.take();
        // Who does not listen any more shows in how it ends.
        let mut tell = |text: &str| stdin.as_mut().is_some_and(|stdin| writeln!(stdin, "{text}").is_ok());
        if let Some(password) = password {
            tell(password);
        }
        let (mut doing, mut failed, mut not_ready) = (String::new(), None, None);
        let said = child.stdout.take().map(BufReader::new);
        for line in said.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            match Said::read(&line) {
                Some(Said::Begin { text, .. }) => {
                    text.clone_into(&mut doing);
                    steps.begin(text)?;
                }
                Some(Said::Done { step, text }) => steps.done(step, text)?,
                Some(Said::Failed { text, .. }) => failed = Some(text.to_owned()),
                Some(Said::Ready { changed }) => match ready(changed) {
                    Ok(()) => drop(tell("go")),
                    Err(failure) => {
                        tell("stay");
                        not_ready = Some(failure);
                    }
                },
                None => {}
            }
        }
        drop(stdin);
        let told = complaints(child.stderr.take());
        let status = child.wait()?;
        steps.clear()?;
        let back = self.way_back(command);
        match (not_ready, failed) {
            (Some(failure), _) => Err(failure.and(&back)),
            (None, Some(reason)) if reason.ends_with("nothing was changed") => Err(Failure::Finding(anyhow!(reason))),
            (None, Some(reason)) => Err(Failure::Finding(anyhow!("{reason}; {back}"))),
            (None, None) if status.success() => Ok(()),
            (None, None) if status.code() == Some(1) => Err(Failure::Finding(anyhow!("{}; {back}", last_line(&told)))),
            (None, None) => Err(session.lost(&told).and(&format!("it was {doing}; {back}"))),
        }
    }

    /// What a person does about something that ended halfway.
    fn way_back(&self, command: &str) -> String {
        let host = self.session.host();
        match command {
            "undo" => "call it again to go on".to_owned(),
            _ => {
                format!("set up again to go on, or put back what was changed with `moodbox setup --ssh {host} --undo`")
            }
        }
    }
}

impl Drop for Script<'_> {
    fn drop(&mut self) {
        // A machine that is gone keeps the files until it empties /var/tmp; only its owner can read them.
        let _ = self.session.run(&format!("rm -rf {}", self.folder), b"");
    }
}

fn ask_for_password(session: &Session) -> Result<String, Failure> {
    for _ in 0..ATTEMPTS {
        let password = sudo_password(session.host())?;
        let right = session.run("sudo -k -S -p '' true", format!("{password}\n").as_bytes())?;
        if right.status.success() {
            return Ok(password);
        }
        tell("That is not the password, or this user may not use sudo.");
    }
    Err(Failure::NoAnswer(anyhow!("{} does not let this user be root; nothing was changed", session.host())))
}
