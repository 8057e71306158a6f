//! A new catalogue from outside: pieces go to the disk, and what the disk says goes back.

use std::time::Duration;

use serde_json::json;

use super::{Effect, Engine};
use crate::music::Catalogue;
use crate::topics::{Piece, Response};

/// What the disk said of a piece.
#[derive(Debug, Clone)]
pub struct Stored {
    /// That of the request.
    pub transaction: String,
    /// What there is now, or in one line why the piece was not taken.
    pub outcome: Result<Received, String>,
}

/// How far a catalogue has come.
#[derive(Debug, Clone)]
pub enum Received {
    /// The box has so many bytes of it; the next piece starts there.
    Part(u64),
    /// It is whole and kept.
    Whole {
        /// All its bytes.
        bytes: u64,
        /// The catalogue itself.
        catalogue: Catalogue,
    },
    /// It was whole before: the answer to its last piece was lost or is late, or it is sent once more.
    Before {
        /// All its bytes.
        bytes: u64,
        /// Number of songs in it.
        songs: usize,
    },
}

impl Engine {
    /// Hands a piece to the disk, or answers why not.
    pub(super) fn take_piece(&self, transaction: String, piece: Piece, effects: &mut Vec<Effect>) -> Option<Response> {
        if self.config().music.catalogue.is_some() {
            let reason = "the configuration of the box names a catalogue; take music.catalogue out to send one";
            return Some(Response::error(Some(transaction), reason.to_owned()));
        }
        effects.push(Effect::Store { transaction, piece });
        None
    }

    /// Answers who sent the piece, and goes over to the new catalogue where it is whole.
    pub(super) fn stored(&mut self, stored: Stored, now: Duration, effects: &mut Vec<Effect>) {
        let Stored { transaction, outcome } = stored;
        let whole = |bytes: u64, songs: usize| json!({ "received": bytes, "tracks": songs });
        match outcome {
            Ok(Received::Part(bytes)) => {
                self.answer_piece(&Response::ok(transaction, json!({ "received": bytes })), effects);
            }
            Ok(Received::Before { bytes, songs }) => {
                self.answer_piece(&Response::ok(transaction, whole(bytes, songs)), effects);
            }
            Ok(Received::Whole { bytes, catalogue }) => {
                self.answer_piece(&Response::ok(transaction, whole(bytes, catalogue.tracks().len())), effects);
                // Whoever goes by the list of before would go on with songs that there are no more.
                let was_listed = self.playlist.recommendation().is_some();
                let room = self.mood.room(now);
                self.playlist.change_catalogue(catalogue, &room, now);
                if self.playlist.follows_a_choice() {
                    self.publish_list(&room, effects);
                } else if room.presence || was_listed {
                    self.recommend(&room, now, effects);
                }
            }
            Err(reason) => self.answer_piece(&Response::error(Some(transaction), reason), effects),
        }
    }

    fn answer_piece(&self, response: &Response, effects: &mut Vec<Effect>) {
        self.voice.say(self.topics.response("library.put", response), effects);
    }
}
