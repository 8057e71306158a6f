//! What a program does to files, as strace saw it.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up fails")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The calls that change what a folder holds, and those that flush it to the disk.
const CALLS: &str = "openat,write,writev,pwrite64,sendto,sendmsg,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,\
    unlinkat";

/// A call that has succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// A file was opened for writing.
    Opened {
        /// Which.
        path: PathBuf,
        /// Whether what it held is gone.
        emptied: bool,
    },
    /// Bytes were written where the file ended, or to a pipe or socket.
    Wrote(PathBuf, Vec<u8>),
    /// A file has this length now.
    Cut(PathBuf, usize),
    /// What was done to a file or folder before is on the disk.
    Flushed(PathBuf),
    /// A file has the second name now.
    Renamed(PathBuf, PathBuf),
    /// A name is gone.
    Removed(PathBuf),
}

/// A command that does the same under strace, which writes to `log`.
#[must_use]
pub fn traced(program: &Path, log: &Path) -> Command {
    let mut command = Command::new("strace");
    // Strings whole and in hexadecimal, and the names of what descriptors stand for.
    command.args([
        "-f",
        "-y",
        "-xx",
        "-s",
        "1000000",
        "-qqq",
        "-e",
        "signal=none",
        "-e",
        &format!("trace={CALLS}"),
        "-o",
    ]);
    command.arg(log).arg(program);
    command
}

/// The calls in a log, in order. Threads do not take part at the same time in what is traced here; a call that another
/// thread's interrupts is put together again and counts when it ends.
///
/// # Panics
/// When it is no log of [`traced`].
#[must_use]
pub fn calls(log: &str) -> Vec<Call> {
    let mut begun: Vec<(&str, &str)> = Vec::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let Some((thread, rest)) = line.trim_start().split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(beginning) = rest.strip_suffix(" <unfinished ...>") {
            begun.push((thread, beginning));
        } else if let Some((_, end)) = rest.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            let at = begun.iter().position(|(other, _)| *other == thread).expect("a call that was begun");
            let (_, beginning) = begun.swap_remove(at);
            calls.extend(call(&format!("{beginning}{end}")));
        } else {
            calls.extend(call(rest));
        }
    }
    calls
}

/// The call of a line; nothing where it has failed or changes nothing.
fn call(line: &str) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    if result.starts_with('-') || result.starts_with('?') {
        return None;
    }
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let paths = || quoted(arguments).into_iter().map(path);
    match name {
        "openat" if arguments.contains("O_WRONLY") || arguments.contains("O_RDWR") => {
            Some(Call::Opened { path: paths().next()?, emptied: arguments.contains("O_TRUNC") })
        }
        "openat" => None,
        "write" | "pwrite64" | "sendto" => {
            Some(Call::Wrote(of_descriptor(arguments)?, quoted(arguments).into_iter().next()?))
        }
        // All pieces of one call, one after the other.
        "writev" | "sendmsg" => Some(Call::Wrote(of_descriptor(arguments)?, quoted(arguments).concat())),
        "ftruncate" => {
            Some(Call::Cut(of_descriptor(arguments)?, arguments.rsplit_once(", ")?.1.parse().expect("a length")))
        }
        "fsync" | "fdatasync" => Some(Call::Flushed(of_descriptor(arguments)?)),
        "rename" | "renameat" | "renameat2" => Some(Call::Renamed(paths().next()?, paths().nth(1)?)),
        "unlink" | "unlinkat" => Some(Call::Removed(paths().next()?)),
        other => panic!("what does {other} do? {line}"),
    }
}

/// The name in `3<\x2f...>`, the first argument.
fn of_descriptor(arguments: &str) -> Option<PathBuf> {
    let (_, rest) = arguments.split_once('<')?;
    Some(path(bytes(rest.split_once('>')?.0)))
}

/// The strings between quotation marks.
fn quoted(arguments: &str) -> Vec<Vec<u8>> {
    arguments.split('"').skip(1).step_by(2).map(bytes).collect()
}

fn path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(String::from_utf8(bytes).expect("a path in UTF-8"))
}

/// What `\x68\x69` stands for; names of pipes and sockets are written as they are.
fn bytes(text: &str) -> Vec<u8> {
    match text.strip_prefix("\\x") {
        Some(digits) => digits.split("\\x").map(|two| u8::from_str_radix(two, 16).expect("two digits")).collect(),
        None => text.as_bytes().to_vec(),
    }
}
