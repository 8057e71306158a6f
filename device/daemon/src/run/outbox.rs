//! What waits for the connection.

use moodbox_core::topics::{Publication, Qos};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tracing::debug;

/// Publications that may wait: everything said after a connect, and a minute of changes.
const ROOM: usize = 128;

/// Publications that may wait while pictures are still put behind them.
const AHEAD_OF_PICTURES: usize = 4;

/// The way to the connection's task.
#[derive(Debug)]
pub(super) struct Outbox(Sender<Publication>);

impl Outbox {
    /// The way, and its end for the connection.
    pub(super) fn new() -> (Self, Receiver<Publication>) {
        let (way, end) = mpsc::channel(ROOM);
        (Self(way), end)
    }

    /// Puts a publication behind those that wait; false where there was no room and it has to be said again.
    ///
    /// What is only true now, such as a picture, is left out where the connection is slow: it would else leave long after
    /// nobody may look any more.
    pub(super) fn put(&self, publication: Publication) -> bool {
        let is_of_now = !publication.retain && publication.qos == Qos::AtMostOnce;
        let waiting = self.0.max_capacity() - self.0.capacity();
        if is_of_now && waiting >= AHEAD_OF_PICTURES {
            return true;
        }
        match self.0.try_send(publication) {
            Err(TrySendError::Full(publication)) => {
                debug!("no room to publish to {}", publication.topic);
                false
            }
            // The connection's task ends only after this, but for a mistake of its own, which is told there.
            Ok(()) | Err(TrySendError::Closed(_)) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication(topic: &str, retain: bool, qos: Qos) -> Publication {
        Publication { topic: topic.to_owned(), payload: Vec::new(), retain, qos }
    }

    #[test]
    fn pictures_do_not_queue_and_what_found_no_room_is_told() {
        let (outbox, mut end) = Outbox::new();
        let picture = || publication("preview", false, Qos::AtMostOnce);
        assert!((0..20).all(|_| outbox.put(picture())));
        assert_eq!(end.len(), AHEAD_OF_PICTURES);
        let state = || publication("state", true, Qos::AtLeastOnce);
        assert!((AHEAD_OF_PICTURES..ROOM).all(|_| outbox.put(state())));
        assert!(!outbox.put(state()) && outbox.put(picture()));
        assert_eq!(end.len(), ROOM);
        while end.try_recv().is_ok() {}
        assert!(outbox.put(picture()));
        assert_eq!(end.try_recv().unwrap().topic, "preview");
    }
}
