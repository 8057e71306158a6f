//! What is said to the broker, and how often.

use std::time::Duration;

use super::Effect;
use crate::affect::Affect;
use crate::card::Card;
use crate::topics::{Publication, Settings, State, Topics};

/// Shortest time between two states.
const STATE_PAUSE: Duration = Duration::from_secs(1);
/// Shortest time between two confidences.
const CONFIDENCE_PAUSE: Duration = Duration::from_secs(10);

/// Shortest time between two cards: they are long, and each is a change in Home Assistant.
const CARD_PAUSE: Duration = Duration::from_secs(30);

/// Least movement on the valence-arousal plane that is worth a message; a still face makes the belief drift by less.
const WORTH_SAYING: f32 = 0.03;

/// Publishes on change and not too often; silent while there is no connection.
#[derive(Debug)]
pub(super) struct Voice {
    connected: bool,
    state: Said<State>,
    confidence: Said<u8>,
    settings: Said<Settings>,
    card: Said<Card>,
    introduction: Option<Duration>,
    seed: u64,
}

/// A value that is published on change, with a pause in between.
#[derive(Debug)]
struct Said<T> {
    value: Option<T>,
    at: Duration,
    due: Option<Duration>,
}

impl<T: PartialEq> Said<T> {
    const fn nothing() -> Self {
        Self { value: None, at: Duration::ZERO, due: None }
    }

    /// Takes the value for said where it is due; returns whether it is. If it is too early, it becomes due.
    fn take_if_due(&mut self, value: T, now: Duration, pause: Duration) -> bool {
        self.due = None;
        if self.value.as_ref() == Some(&value) {
            return false;
        }
        let earliest = self.at + pause;
        if self.value.is_some() && now < earliest {
            self.due = Some(earliest);
            return false;
        }
        self.value = Some(value);
        self.at = now;
        true
    }
}

impl Voice {
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            connected: false,
            state: Said::nothing(),
            confidence: Said::nothing(),
            settings: Said::nothing(),
            card: Said::nothing(),
            introduction: None,
            seed,
        }
    }

    pub(super) const fn is_connected(&self) -> bool {
        self.connected
    }

    pub(super) const fn connect(&mut self) {
        self.connected = true;
    }

    pub(super) fn disconnect(&mut self) {
        self.connected = false;
        // Nothing is due any more; it would be for ever.
        self.forget();
    }

    pub(super) fn say(&self, publication: Publication, effects: &mut Vec<Effect>) {
        if self.connected {
            effects.push(Effect::Publish(publication));
        }
    }

    /// What was said counts as not said.
    pub(super) fn forget(&mut self) {
        self.state = Said::nothing();
        self.confidence = Said::nothing();
        self.settings = Said::nothing();
        self.card = Said::nothing();
    }

    /// The state at most once a second, the confidence (0..1) at most every ten.
    pub(super) fn state(
        &mut self,
        topics: &Topics,
        state: &State,
        confidence: f32,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        if !self.connected {
            return;
        }
        let state = self.settled(state);
        if self.state.take_if_due(state.clone(), now, STATE_PAUSE) {
            self.say(topics.state(&state), effects);
        }
        let percent = (confidence.clamp(0.0, 1.0) * 100.0).round() as u8;
        if self.confidence.take_if_due(percent, now, CONFIDENCE_PAUSE) {
            self.say(topics.confidence(confidence), effects);
        }
    }

    /// The settings at most once a second.
    pub(super) fn settings(&mut self, topics: &Topics, settings: Settings, now: Duration, effects: &mut Vec<Effect>) {
        if self.connected && self.settings.take_if_due(settings, now, STATE_PAUSE) {
            self.say(topics.settings(&settings), effects);
        }
    }

    /// Whether this card shall be drawn and said now: at most every 30 s.
    pub(super) fn card(&mut self, card: &Card, now: Duration) -> bool {
        self.connected && self.card.take_if_due(card.clone(), now, CARD_PAUSE)
    }

    /// The state with the place on the plane that was said last, unless it has moved enough to be worth a message.
    fn settled(&self, state: &State) -> State {
        let said = self.state.value.as_ref().map(|said| Affect::new(said.valence, said.arousal));
        let now = Affect::new(state.valence, state.arousal);
        let Affect { valence, arousal } = said.filter(|said| said.distance(now) < WORTH_SAYING).unwrap_or(now);
        State { valence, arousal, ..state.clone() }
    }

    /// Home Assistant has started, or something was not said: all is said again after one to ten seconds, so that not every
    /// device of a home speaks at once.
    pub(super) fn introduce_soon(&mut self, now: Duration) {
        let spread = (self.seed ^ now.as_millis() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        self.introduction = Some(now + Duration::from_millis(1000 + spread % 9000));
    }

    /// Whether that time has come; asked once.
    pub(super) fn introduction_due(&mut self, now: Duration) -> bool {
        self.introduction.take_if(|due| *due <= now).is_some()
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        [self.state.due, self.confidence.due, self.settings.due, self.card.due, self.introduction]
            .into_iter()
            .flatten()
            .min()
    }
}
