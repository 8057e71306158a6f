//! A person or the system wants a command to end that would go on for ever.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears of it: Ctrl-C, and where there is one, the signal to terminate.
#[cfg(unix)]
pub(crate) struct Ending {
    interrupt: Signal,
    terminate: Signal,
}

#[cfg(unix)]
impl Ending {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Ready when it is so.
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Hears of it: Ctrl-C.
#[cfg(windows)]
pub(crate) struct Ending(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Ending {
    pub(crate) fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    /// Ready when it is so.
    pub(crate) async fn asked(&mut self) {
        self.0.recv().await;
    }
}
