//! The socket on the box through which who is logged in there aims the camera: SSH carries it to another computer.
//!
//! Whoever connects is shown what the camera sees, a line of JSON a frame, until they leave or the box closes it. It takes
//! nothing in. One is served at a time; the next waits.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::warn;

/// Lines that may wait for who looks; a slow one misses frames.
const QUEUE: usize = 2;

/// Who reads nothing for so long has left: a computer that went to sleep must not keep the next one waiting.
const PATIENCE: Duration = Duration::from_secs(5);

/// Wait after a connection could not be accepted, which is mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// What happens at the socket.
#[derive(Debug)]
pub enum ViewerNews {
    /// Somebody has come, and takes lines until this is dropped.
    Came(mpsc::Sender<Vec<u8>>),
    /// They have left.
    Left,
}

/// The socket cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the socket {path}: {source}", path = path.display())]
pub struct ViewerError {
    path: PathBuf,
    source: io::Error,
}

/// Makes the socket, for its owner and group, and serves it until `news` is dropped.
///
/// # Errors
/// When it cannot be made in its folder.
pub fn serve(path: &Path, news: mpsc::Sender<ViewerNews>) -> Result<JoinHandle<()>, ViewerError> {
    let listener = listen(path).map_err(|source| ViewerError { path: path.to_owned(), source })?;
    Ok(tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = news.closed() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    if show(stream, &news).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    warn!("nobody can aim the camera over SSH now: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }))
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    // One that a box left behind that was killed.
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// An error means that the box ends.
async fn show(
    mut stream: UnixStream,
    news: &mpsc::Sender<ViewerNews>,
) -> Result<(), mpsc::error::SendError<ViewerNews>> {
    let (lines, mut queue) = mpsc::channel::<Vec<u8>>(QUEUE);
    news.send(ViewerNews::Came(lines)).await?;
    let (mut reader, mut writer) = stream.split();
    let mut said = [0; 64];
    loop {
        tokio::select! {
            line = queue.recv() => match line {
                Some(line) if timeout(PATIENCE, writer.write_all(&line)).await.is_ok_and(|written| written.is_ok()) => {}
                _ => break,
            },
            // Nothing is to be said here; the end of what they say is their leaving.
            read = reader.read(&mut said) => if !matches!(read, Ok(1..)) { break },
            () = news.closed() => break,
        }
    }
    // What still waits is the reason why it ends.
    news.send(ViewerNews::Left).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_does_not_read_makes_way_for_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("preview.sock");
        let (say, mut news) = mpsc::channel(1);
        let _serving = serve(&path, say).unwrap();
        let _asleep = UnixStream::connect(&path).await.unwrap();
        let mut next = UnixStream::connect(&path).await.unwrap();
        let Some(ViewerNews::Came(lines)) = news.recv().await else { panic!("nobody came") };
        // More than the socket holds.
        lines.send(vec![b'x'; 8 << 20]).await.unwrap();
        assert!(matches!(news.recv().await, Some(ViewerNews::Left)));
        let Some(ViewerNews::Came(lines)) = news.recv().await else { panic!("the next one is not served") };
        lines.send(b"a line".to_vec()).await.unwrap();
        let mut read = [0; 6];
        next.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"a line");
    }
}
