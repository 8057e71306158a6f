//! SSH to the socket of a box that shows what its camera sees.

use anyhow::anyhow;
use moodbox_core::topics::Look;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::UnixStream;

use super::source::understood;
use crate::failure::Failure;
use crate::ssh::{Destination, Session};

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
    /// Goes to the socket. What ssh says of one that it cannot reach is lost with its background, so it is asked for first.
    pub(super) fn open(destination: &Destination) -> Result<Self, Failure> {
        let session = Session::open(destination)?;
        let host = session.host();
        let looked =
            session.run(&format!("if ! test -S {SOCKET}; then exit 1; fi; test -w {SOCKET} || exit 2"), &[])?;
        match looked.status.code() {
            Some(0) => {}
            Some(2) => {
                return Err(Failure::NoAnswer(anyhow!(
                    "{host}: this user may not look; on the box: sudo adduser USER moodbox, and log in anew"
                )));
            }
            _ => {
                return Err(Failure::NoAnswer(anyhow!(
                    "{host}: no box shows itself there ({SOCKET}); is moodboxd running, and is this user in the group moodbox?"
                )));
            }
        }
        let stream = session.forward(SOCKET)?;
        stream.set_nonblocking(true)?;
        Ok(Self { session, lines: BufReader::new(UnixStream::from_std(stream)?) })
    }

    /// The next line of the box; waits for it.
    pub(super) async fn next(&mut self) -> Result<Look, Failure> {
        let mut line = Vec::new();
        match (&mut self.lines).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await {
            Ok(1..) => understood(&line),
            _ => Err(Failure::NoAnswer(anyhow!("{}: the box has closed the connection", self.session.host()))),
        }
    }
}
