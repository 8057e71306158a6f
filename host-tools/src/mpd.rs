//! The connection to a Music Player Daemon; nothing else here knows its client.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use std::{fmt, io};

use mpd_client::Client;
use mpd_client::client::{CommandError, ConnectWithPasswordError, ConnectionEvent, ConnectionEvents, Subsystem};
use mpd_client::commands::{Add, Command, Delete, Play, Queue, SongId, SongPosition, Status};
use mpd_client::responses::PlayState;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Port that is meant where none is named.
const PORT: u16 = 6600;

/// Longest time that an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Codes of refusals (`Ack.hxx` of MPD): a bad argument, no permission, no such song.
const BAD_ARGUMENT: u64 = 2;
const NO_PERMISSION: u64 = 4;
const NO_SUCH_SONG: u64 = 50;

/// Where an MPD listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(String, u16),
    Socket(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    /// `HOST`, `HOST:PORT`, `[IPV6]:PORT` or the path of a socket.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return Ok(Self::Socket(text.into()));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().map_err(|_| format!("{port:?} is no port"))?)
            }
            _ => (text, PORT),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(['@', '/']) || host.chars().any(char::is_whitespace) {
            return Err("must be HOST, HOST:PORT or the path of a socket".to_owned());
        }
        Ok(Self::Tcp(host.to_owned(), port))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    Playing,
    Paused,
    Stopped,
}

/// A song in its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Number that no other song of this queue ever has.
    pub(crate) id: u64,
    /// Path below the music folder, or an address.
    pub(crate) uri: String,
}

/// How it is at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) doing: Doing,
    /// The song that plays, or at which it was paused or stopped.
    pub(crate) current: Option<Entry>,
    /// How much of it was played.
    pub(crate) elapsed: Duration,
    /// Its length, as far as that is known.
    pub(crate) length: Option<Duration>,
    /// Time by which the next song starts before the end of this one.
    pub(crate) crossfade: Duration,
    /// What follows it in the queue; the whole queue where there is no such song.
    pub(crate) upcoming: Vec<Entry>,
    /// Why the last song that could not be played could not.
    pub(crate) error: Option<String>,
}

impl Snapshot {
    /// The song at which it is, and what follows it.
    pub(crate) fn queue(&self) -> impl Iterator<Item = &Entry> {
        self.current.iter().chain(&self.upcoming)
    }
}

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The songs that it knows.
    Database,
    /// Anything else.
    Other,
}

/// Why there is no connection any more: one line for a person.
#[derive(Debug)]
pub(crate) struct Lost(pub(crate) String);

/// A connection.
pub(crate) struct Player {
    client: Client,
    events: ConnectionEvents,
}

impl Player {
    pub(crate) async fn connect(address: &Address, password: Option<&str>) -> Result<Self, Lost> {
        let connected = timeout(PATIENCE, async {
            match address {
                Address::Tcp(host, port) => {
                    let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(|e| unreachable(&e))?;
                    Client::connect_with_password_opt(stream, password).await.map_err(|e| refusal(&e))
                }
                #[cfg(not(unix))]
                Address::Socket(_) => Err("this system has no such sockets; name its host".to_owned()),
                #[cfg(unix)]
                Address::Socket(path) => {
                    let stream = UnixStream::connect(path).await.map_err(|e| unreachable(&e))?;
                    Client::connect_with_password_opt(stream, password).await.map_err(|e| refusal(&e))
                }
            }
        });
        match connected.await {
            Ok(Ok((client, events))) => Ok(Self { client, events }),
            Ok(Err(reason)) => Err(Lost(format!("no connection to MPD at {address}: {reason}"))),
            Err(_) => Err(Lost(format!("MPD at {address} does not answer"))),
        }
    }

    /// Waits until something changes.
    pub(crate) async fn changed(&mut self) -> Result<Change, Lost> {
        match self.events.next().await {
            Some(ConnectionEvent::SubsystemChange(Subsystem::Database)) => Ok(Change::Database),
            Some(ConnectionEvent::SubsystemChange(_)) => Ok(Change::Other),
            Some(ConnectionEvent::ConnectionClosed(_)) | None => Err(Lost("MPD closed the connection".to_owned())),
        }
    }

    /// How it is now.
    pub(crate) async fn look(&self) -> Result<Snapshot, Lost> {
        // The queue may change between the two questions; three times in a row it does not.
        for _ in 0..3 {
            let status = self.ask(Status).await?.map_err(lost)?;
            let (from, current) = status.current_song.map_or((0, None), |(at, id)| (at.0, Some(id)));
            let queue = self.ask(Queue::range(SongPosition(from)..)).await?.map_err(lost)?;
            if current.is_some() && queue.first().map(|song| song.id) != current {
                continue;
            }
            let mut queue = queue.into_iter().map(|song| Entry { id: song.id.0, uri: song.song.url });
            return Ok(Snapshot {
                doing: match status.state {
                    PlayState::Playing => Doing::Playing,
                    PlayState::Paused => Doing::Paused,
                    PlayState::Stopped => Doing::Stopped,
                },
                current: current.and_then(|_| queue.next()),
                elapsed: status.elapsed.unwrap_or_default(),
                length: status.duration,
                crossfade: status.crossfade,
                upcoming: queue.collect(),
                error: status.error,
            });
        }
        Err(Lost("MPD's queue changes all the time".to_owned()))
    }

    /// Adds a song at the end of the queue and gives its number; nothing where there is no such song.
    pub(crate) async fn add(&self, uri: &str) -> Result<Option<u64>, Lost> {
        self.put(uri, Add::uri(uri)).await
    }

    /// Adds a song behind the one that plays.
    pub(crate) async fn add_next(&self, uri: &str) -> Result<Option<u64>, Lost> {
        let current = self.ask(Status).await?.map_err(lost)?.current_song;
        let add = Add::uri(uri);
        let add = if let Some((SongPosition(at), _)) = current { add.at(at + 1) } else { add };
        self.put(uri, add).await
    }

    async fn put(&self, uri: &str, add: Add<'_>) -> Result<Option<u64>, Lost> {
        // The client panics at what the protocol cannot say.
        if uri.is_empty() || uri.chars().any(char::is_control) {
            return Ok(None);
        }
        match self.ask(add).await? {
            Ok(SongId(id)) => Ok(Some(id)),
            Err(CommandError::ErrorResponse { error, .. })
                if matches!(error.code, BAD_ARGUMENT | NO_SUCH_SONG)
                    // Files outside of its music folder are only for those who come through its socket.
                    || (error.code == NO_PERMISSION && uri.starts_with("file:")) =>
            {
                Ok(None)
            }
            Err(error) => Err(lost(error)),
        }
    }

    /// Takes a song out of the queue, if it is still there.
    pub(crate) async fn remove(&self, id: u64) -> Result<(), Lost> {
        there(self.ask(Delete::id(SongId(id))).await?)
    }

    /// Plays a song of the queue, if it is still there.
    pub(crate) async fn play(&self, id: u64) -> Result<(), Lost> {
        there(self.ask(Play::song(SongId(id))).await?)
    }

    async fn ask<C: Command>(&self, command: C) -> Result<Result<C::Response, CommandError>, Lost> {
        match timeout(PATIENCE, self.client.command(command)).await {
            Ok(answer) => Ok(answer),
            Err(_) => Err(Lost("MPD does not answer".to_owned())),
        }
    }
}

/// That a song has gone in the meantime is as good.
fn there(answer: Result<(), CommandError>) -> Result<(), Lost> {
    match answer {
        Err(CommandError::ErrorResponse { error, .. }) if error.code == NO_SUCH_SONG => Ok(()),
        answer => answer.map_err(lost),
    }
}

fn lost(error: CommandError) -> Lost {
    Lost(match error {
        CommandError::ErrorResponse { error, .. } if error.code == NO_PERMISSION => {
            format!("MPD does not let us: {}; see --mpd-password-file", error.message)
        }
        CommandError::ErrorResponse { error, .. } => format!("MPD refuses: {}", error.message),
        CommandError::ConnectionClosed | CommandError::Protocol(_) => "MPD closed the connection".to_owned(),
        CommandError::InvalidTypedResponse(error) => format!("MPD answers what is not understood: {error}"),
    })
}

fn unreachable(error: &io::Error) -> String {
    format!("{error}; is it running, and is this its address?")
}

fn refusal(error: &ConnectWithPasswordError) -> String {
    match error {
        ConnectWithPasswordError::IncorrectPassword => {
            "it does not take the password; see --mpd-password-file".to_owned()
        }
        ConnectWithPasswordError::ProtocolError(_) => "what listens there is no MPD".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for (text, written) in [
            ("music", "music:6600"),
            ("music:6601", "music:6601"),
            ("192.168.1.5", "192.168.1.5:6600"),
            ("[::1]:6601", "[::1]:6601"),
            ("[::1]", "[::1]:6600"),
            ("::1", "[::1]:6600"),
            ("/run/mpd/socket", "/run/mpd/socket"),
        ] {
            assert_eq!(text.parse::<Address>().map(|address| address.to_string()), Ok(written.to_owned()), "{text}");
        }
        for text in ["", ":6600", "music:", "music:port", "music:70000", "secret@music", "mpd://music", "my music"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
