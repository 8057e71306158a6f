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
pub struct Received {
    /// Bytes of it that the box has; the next piece starts there.
    pub bytes: u64,
    /// The catalogue, once it is whole and kept.
    pub catalogue: Option<Catalogue>,
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
        match outcome {
            Ok(Received { bytes, catalogue: None }) => {
                self.answer_piece(&Response::ok(transaction, json!({ "received": bytes })), effects);
            }
            Ok(Received { bytes, catalogue: Some(catalogue) }) => {
                let data = json!({ "received": bytes, "tracks": catalogue.tracks().len() });
                self.answer_piece(&Response::ok(transaction, data), effects);
                // Whoever goes by the list of before would go on with songs that there are no more.
                let was_listed = self.playlist.recommendation().is_some();
                self.playlist.change_catalogue(catalogue);
                let room = self.mood.room(now);
                if room.presence || was_listed {
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
