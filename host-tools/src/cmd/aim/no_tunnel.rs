//! There is no way to the socket of a box where `ssh` cannot hand one on to this user alone.

use anyhow::anyhow;
use moodbox_core::topics::Look;

use crate::failure::Failure;
use crate::ssh::Destination;

/// A way to the socket, of which there is none.
pub(super) enum Tunnel {}

impl Tunnel {
    /// Refuses before `ssh` asks for anything.
    pub(super) fn open(_: &Destination) -> Result<Self, Failure> {
        Err(Failure::Input(anyhow!("--ssh: pictures come over SSH on Linux and macOS only; use --broker mqtts://HOST")))
    }

    /// Never called.
    #[expect(clippy::unused_async, reason = "as where there is a way")]
    pub(super) async fn next(&mut self) -> Result<Look, Failure> {
        match *self {}
    }
}
