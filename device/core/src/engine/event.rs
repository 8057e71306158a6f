//! What goes into the engine and what comes out of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Asker, Recalled, Stored, Switches, Trials};
use crate::config::{self, Overrides};
use crate::face::{SeenFace, Size};
use crate::history::{Query, Sight};
use crate::led::LedPattern;
use crate::music::Feedback;
use crate::personal::Evidence;
use crate::topics::{Diagnostics, Piece, PreviewFrame, Publication};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A frame of this size was analysed; nobody in it is an empty list.
    Seen(Vec<SeenFace>, Size),
    /// The same frame, small, for who aims the camera.
    Pictured(PreviewFrame),
    /// Somebody has come to the socket for aiming the camera, or left it.
    Viewer(bool),
    /// The camera gives frames.
    CameraUp,
    /// The camera is closed, as it was asked to be.
    CameraClosed,
    /// The switch on the box says that the camera must stay off, and why; nothing where it may be used.
    CameraLock(Option<String>),
    /// A part does not work; it says why.
    Failed(Part, String),
    /// A part works again.
    Works(Part),
    /// The broker accepted the connection.
    Connected,
    /// The connection is gone.
    Disconnected {
        /// Why.
        reason: String,
        /// Whether the broker is there and refuses the box, which only a person can mend.
        refused: bool,
    },
    /// There was no room for something that was to be published.
    Unsaid,
    /// A message came in on a topic that was subscribed to.
    Message {
        /// Its topic.
        topic: String,
        /// Its payload, as it came.
        payload: Vec<u8>,
    },
    /// A message with the retain flag came in on such a topic; its payload means nothing.
    Retained {
        /// Its topic.
        topic: String,
    },
    /// The figures of the last minute.
    Measured(Diagnostics),
    /// By the clock as it stands now the engine's time was 0 then, since 1970: it has none at the start where the network sets
    /// it.
    Clock(Duration),
    /// The disk has dealt with a piece of a catalogue, see [`Effect::Store`].
    Stored(Stored),
    /// The disk has kept what was set, or says why it could not, see [`Effect::KeepOverrides`] and
    /// [`Effect::KeepEvidence`].
    Kept(Asker, Result<(), String>),
    /// The disk has looked into the history, see [`Effect::Recall`].
    Recalled(Recalled),
    /// Time passed: the deadline that [`Engine::next_deadline`](super::Engine::next_deadline) gave.
    Tick,
}

/// A part of the box that can fail while the rest works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// It is unplugged, busy or silent.
    Camera,
    /// They are damaged or cannot be run.
    Models,
    /// It cannot be reached.
    Broker,
    /// They cannot be lit.
    Leds,
}

impl Part {
    /// The name used in payloads, lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Models => "models",
            Self::Broker => "broker",
            Self::Leds => "leds",
        }
    }
}

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send this.
    Publish(Publication),
    /// Show this from now on.
    Light(LedPattern),
    /// Turn the camera on or off.
    Camera(bool),
    /// Keep these over a restart.
    Keep(Switches),
    /// Add this to the log of what listeners did.
    Remember(Feedback),
    /// Add this to the history, with the time of day; nothing is that nobody looks.
    Note(Option<Sight>),
    /// Look into the history, and answer with [`Event::Recalled`].
    Recall {
        /// That of the request.
        transaction: String,
        /// What is asked for.
        query: Query,
    },
    /// Keep this over a restart, too; none is to be forgotten. Answer with [`Event::Kept`].
    KeepEvidence(Evidence, Asker),
    /// Put a piece of a catalogue with the others, and answer with [`Event::Stored`].
    Store {
        /// That of the request.
        transaction: String,
        /// The piece.
        piece: Piece,
    },
    /// Keep what was set over a restart, and answer with [`Event::Kept`].
    KeepOverrides(Overrides, Asker),
    /// Keep this over a restart, before what comes after it.
    KeepTrials(Trials),
    /// Look at frames with these settings from now on.
    Vision(config::Vision),
    /// Make a small picture of each frame from now on, or no more; answered with [`Event::Pictured`].
    Preview(bool),
    /// Give this line to who has come to the socket.
    ShowViewer(Vec<u8>),
    /// Close that socket.
    DismissViewer,
    /// End, so that whatever has started the box starts it again.
    Restart,
    /// Tell the person who reads the log.
    Warn(String),
}
