//! The way to a box through the system's `ssh`, which knows the person's keys, agents and settings better than we ever could.
//!
//! The first connection asks, on the terminal, for whatever `ssh` wants to ask; all that follows goes through it, so nothing
//! is asked twice. The box's key is always verified. Without a terminal nothing is asked and what would need an answer fails.

mod trouble;

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, Command, Output, Stdio};

use anyhow::{Context, anyhow};
use tempfile::TempDir;

use crate::failure::Failure;
pub(crate) use trouble::explain;

/// Bytes that are handed to `ssh` at a time.
const PIECE: usize = 64 * 1024;

/// Exit code with which `ssh` says that it, and not the command on the box, has failed.
pub(crate) const SSH_FAILED: i32 = 255;

/// Which machine, and how `ssh` gets there.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Destination {
    /// USER@HOST or ssh://USER@HOST:PORT.
    #[arg(long, value_name = "DESTINATION", value_parser = destination)]
    pub(crate) ssh: Option<String>,
    /// A configuration of ssh other than the person's own.
    #[arg(long, value_name = "FILE", requires = "ssh", hide = true)]
    pub(crate) ssh_config: Option<PathBuf>,
}

/// A word that `ssh` cannot take for an option, nor a shell for anything else.
pub(crate) fn destination(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "@.:/_-[]%".contains(c);
    if text.is_empty() || text.starts_with('-') || !text.chars().all(fits) {
        return Err("is not the name of a machine; write USER@HOST or ssh://USER@HOST:PORT".to_owned());
    }
    Ok(text.to_owned())
}

/// A connection to a machine that has said who it is and let us in.
#[derive(Debug)]
pub(crate) struct Session {
    host: String,
    config: Option<PathBuf>,
    /// The folder with the socket of the connection, and with what `ssh` complains of. Windows' `ssh` shares no connection.
    folder: TempDir,
    /// Keeps the connection open for however long a person thinks: it ends a minute after the last of its clients has gone, and
    /// this is one until the tool ends, in whatever way.
    #[cfg(unix)]
    client: Option<UnixStream>,
}

impl Session {
    /// Connects, and asks for a password or a passphrase where there is a terminal to ask on.
    pub(crate) fn open(destination: &Destination) -> Result<Self, Failure> {
        let host = destination.ssh.clone().ok_or_else(|| anyhow!("say which box: --ssh USER@HOST"))?;
        // The path of a socket is short; a person's own folder for temporary files may be deep.
        let place = if cfg!(unix) { PathBuf::from("/tmp") } else { std::env::temp_dir() };
        let folder = tempfile::Builder::new().prefix("moodbox-").tempdir_in(place);
        let folder = folder.context("cannot make a temporary folder")?;
        let session = Self {
            host,
            config: destination.ssh_config.clone(),
            folder,
            #[cfg(unix)]
            client: None,
        };
        // The connection that stays in the background keeps this file; a pipe would never end.
        let complaints = session.folder.path().join("complaints");
        let mut first = session.command(io::stdin().is_terminal());
        if cfg!(unix) {
            first.args(["-o", "ControlMaster=auto", "-o", "ControlPersist=60"]);
        }
        first.arg(&session.host).arg("true").stdin(Stdio::null()).stdout(Stdio::null());
        let status = first.stderr(File::create(&complaints)?).status().map_err(|error| no_ssh(&error))?;
        if status.success() {
            #[cfg(unix)]
            let session = session.kept_open();
            return Ok(session);
        }
        let complaints = std::fs::read_to_string(&complaints).unwrap_or_default();
        Err(Failure::NoAnswer(anyhow!(explain(&session.host, &complaints))))
    }

    #[cfg(unix)]
    fn kept_open(mut self) -> Self {
        // Where nobody listens, no connection is shared.
        self.client = UnixStream::connect(self.folder.path().join("ssh")).ok();
        self
    }

    /// The machine as the person calls it.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Runs a command with this input; the command's own failure is in its output.
    pub(crate) fn run(&self, command: &str, input: &[u8]) -> Result<Output, Failure> {
        let mut child = self.start(command)?;
        let mut stdin = child.stdin.take();
        let sent = stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(input));
        drop(stdin);
        let output = child.wait_with_output()?;
        if output.status.code() == Some(SSH_FAILED) {
            return Err(self.lost(&String::from_utf8_lossy(&output.stderr)));
        }
        // A command that has not read its input says why by itself.
        if output.status.success() {
            sent?;
        }
        Ok(output)
    }

    /// Starts a command whose input, output and complaints are pipes.
    pub(crate) fn start(&self, command: &str) -> Result<Child, Failure> {
        let mut ssh = self.command(false);
        ssh.arg(&self.host).arg(command);
        ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        ssh.spawn().map_err(|error| no_ssh(&error))
    }

    /// Writes a file on the machine that only its owner can read. `progress` hears how many bytes have gone.
    pub(crate) fn upload(&self, from: &mut impl Read, to: &str, mut progress: impl FnMut(u64)) -> Result<(), Failure> {
        let mut child = self.start(&format!("umask 077 && cat >{to}"))?;
        let sent = child.stdin.take().map_or(Ok(0), |stdin| copy(from, stdin, &mut progress));
        let output = child.wait_with_output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => Ok(sent.map(drop)?),
            Some(SSH_FAILED) | None => Err(self.lost(&told)),
            Some(_) => Err(Failure::Finding(anyhow!("{} cannot take the file: {}", self.host, last_line(&told)))),
        }
    }

    /// A way to a socket of the machine.
    #[cfg(unix)]
    pub(crate) fn forward(&self, socket: &str) -> Result<UnixStream, Failure> {
        let local = self.folder.path().join("forwarded");
        let mut ssh = self.command(false);
        ssh.args(["-O", "forward", "-L"]).arg(format!("{}:{socket}", local.display())).arg(&self.host);
        let output = ssh.stdin(Stdio::null()).output().map_err(|error| no_ssh(&error))?;
        if !output.status.success() {
            return Err(self.lost(&String::from_utf8_lossy(&output.stderr)));
        }
        Ok(UnixStream::connect(local)?)
    }

    /// The connection broke.
    pub(crate) fn lost(&self, complaints: &str) -> Failure {
        Failure::NoAnswer(anyhow!(explain(&self.host, complaints)))
    }

    /// `ssh` with all options but those of the first connection.
    fn command(&self, may_ask: bool) -> Command {
        let mut ssh = Command::new("ssh");
        // Its messages are read by us; those of the box, too.
        ssh.env("LC_ALL", "C.UTF-8").env_remove("LANGUAGE");
        if let Some(config) = &self.config {
            ssh.arg("-F").arg(config);
        }
        ssh.args(["-T", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"]);
        ssh.arg("-o").arg(if may_ask { "BatchMode=no" } else { "BatchMode=yes" });
        if cfg!(unix) {
            ssh.arg("-o").arg(format!("ControlPath={}/ssh", self.folder.path().display()));
        }
        ssh
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if cfg!(unix) {
            let mut end = self.command(false);
            // It would end by itself after a minute.
            let _ = end.args(["-O", "exit"]).arg(&self.host).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
}

/// What a command had to complain of, once it has ended.
pub(crate) fn complaints(stderr: Option<ChildStderr>) -> String {
    let mut text = String::new();
    if let Some(mut stderr) = stderr {
        // What cannot be read was not said.
        let _ = stderr.read_to_string(&mut text);
    }
    text
}

/// The last line that says something.
pub(crate) fn last_line(text: &str) -> &str {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it does not say why")
}

fn copy(from: &mut impl Read, mut to: ChildStdin, progress: &mut impl FnMut(u64)) -> io::Result<u64> {
    let mut piece = vec![0; PIECE];
    let mut sent = 0;
    loop {
        let length = from.read(&mut piece)?;
        if length == 0 {
            return Ok(sent);
        }
        to.write_all(&piece[..length])?;
        sent += length as u64;
        progress(sent);
    }
}

fn no_ssh(error: &io::Error) -> Failure {
    Failure::Input(anyhow!("cannot start ssh ({error}); install OpenSSH's client"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_one_word_for_ssh() {
        for good in ["pi@moodbox.local", "ssh://pi@192.0.2.7:2222", "attic", "pi@fe80::1%eth0", "ssh://pi@[::1]:22"] {
            assert_eq!(destination(good).as_deref(), Ok(good));
        }
        for bad in ["", "-oProxyCommand=id", "pi@host true", "pi@host;id", "$(id)@host", "pi@ho\nst"] {
            assert!(destination(bad).is_err(), "{bad}");
        }
    }
}
