//! SSH to the socket of a box that shows what its camera sees.

use anyhow::anyhow;
use moodbox_core::topics::Look;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::UnixStream;

use super::source::understood;
use crate::failure::Failure;
use crate::ssh::Session;

/// The socket on the box.
const SOCKET: &str = "/run/moodbox/preview.sock";

/// Longest line that a box sends; a frame has some ten thousand bytes.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// An open way to the socket.
pub(super) struct Tunnel {
    session: Session,
    lines: BufReader<UnixStream>,
}

impl Tunnel {
    /// Goes to the socket.
    pub(super) fn open(session: Session) -> Result<Self, Failure> {
        let stream = session.forward(SOCKET)?;
        stream.set_nonblocking(true)?;
        Ok(Self { session, lines: BufReader::new(UnixStream::from_std(stream)?) })
    }

    /// The next line of the box; waits for it.
    pub(super) async fn next(&mut self) -> Result<Look, Failure> {
        let mut line = Vec::new();
        match (&mut self.lines).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await {
            Ok(1..) => understood(&line),
            _ => Err(self.gone()),
        }
    }

    /// Why there is no way, or no more.
    fn gone(&self) -> Failure {
        let (host, complaints) = (self.session.host(), self.session.complaints());
        Failure::NoAnswer(if complaints.contains("open failed") && complaints.contains("Permission denied") {
            anyhow!("{host}: this user may not look; on the box: sudo adduser USER moodbox, and log in anew")
        } else if complaints.contains("open failed") {
            anyhow!("{host}: there is no {SOCKET}; is moodboxd running there? systemctl status moodboxd")
        } else {
            anyhow!("{host}: the box has closed the connection")
        })
    }
}
