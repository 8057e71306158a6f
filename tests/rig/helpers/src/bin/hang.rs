//! `hang TID`: stops one thread of another process, as a mistake in a driver would, until this program or that process ends.

use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

fn main() -> nix::Result<()> {
    let thread = std::env::args().nth(1).and_then(|tid| tid.parse().ok()).map(Pid::from_raw);
    let Some(thread) = thread else {
        println!("usage: hang TID");
        return Ok(());
    };
    ptrace::seize(thread, Options::empty())?;
    ptrace::interrupt(thread)?;
    println!("hangs {thread}");
    // Its end has to be taken note of, or the process would not be over.
    while !matches!(waitpid(thread, Some(WaitPidFlag::__WALL))?, WaitStatus::Exited(..) | WaitStatus::Signaled(..)) {}
    Ok(())
}
