//! A new configuration on trial: the box goes back to the one before where it does not come up as well with it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Part;
use crate::config::Overrides;

/// The box must be well for this share of the time that it has to become so: 5 of 60 s. A camera that breaks off after
/// its first frames is not well.
const STEADY: u32 = 12;

/// Starts of a box that does not live long enough to say how it is. A power cut may cost one.
const STARTS: u32 = 2;

/// Trials as the disk keeps them: the one that goes on, and how the last one ended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trials {
    /// The one that goes on.
    pub running: Option<Trial>,
    /// The end of the last one, until the next begins.
    pub last: Option<Outcome>,
    /// Whether nobody could be told of it yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    untold: bool,
}

/// A configuration that has not proved itself yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// What was set before it, which is the last that is known to be good.
    pub before: Overrides,
    /// The parts that worked then.
    pub worked: BTreeSet<Part>,
    /// Whether some of it counts only after a restart, which is still to come.
    pub awaits_restart: bool,
    /// How often the box has been started with it.
    pub starts: u32,
}

/// How a trial ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// The box is as well as before.
    Taken,
    /// It is not, and has what it had before.
    TakenBack {
        /// What was wrong.
        why: String,
    },
}

impl Trials {
    /// Counts a start of the box. Where it was started too often with a configuration on trial, that is taken back: this
    /// is what shall be set instead.
    pub fn start(&mut self) -> Option<Overrides> {
        let trial = self.running.as_mut()?;
        trial.awaits_restart = false;
        trial.starts += 1;
        if trial.starts <= STARTS {
            return None;
        }
        let why = format!("the box ended by itself each of {STARTS} times that it was started with it");
        self.last = Some(Outcome::TakenBack { why });
        self.untold = true;
        self.running.take().map(|trial| trial.before)
    }

    /// What a person shall know and nobody has been told yet.
    pub(super) fn untold(&self) -> Option<String> {
        self.last.as_ref().filter(|_| self.untold)?.complaint()
    }
}

impl Outcome {
    /// What a person shall know; nothing where all is as it was wanted.
    pub(super) fn complaint(&self) -> Option<String> {
        match self {
            Self::Taken => None,
            Self::TakenBack { why } => Some(format!("the new configuration was taken back: {why}")),
        }
    }
}

/// Looks at the box while a trial goes on.
#[derive(Debug, Default)]
pub(super) struct Probation {
    trials: Trials,
    /// When the trial began, or the box was started with it.
    began: Duration,
    /// Since when the box has been well.
    well_since: Option<Duration>,
}

impl Probation {
    /// From what the disk has kept, at the start of the box.
    pub(super) fn new(trials: Trials, now: Duration) -> Self {
        Self { trials, began: now, well_since: None }
    }

    /// What the disk shall keep.
    pub(super) const fn trials(&self) -> &Trials {
        &self.trials
    }

    /// Whether it waits to be told how the last one ended.
    pub(super) const fn set_untold(&mut self, untold: bool) {
        self.trials.untold = untold;
    }

    /// Puts a configuration on trial. While one is on trial, the next takes its place, and the last good one stays.
    pub(super) fn begin(&mut self, before: Overrides, worked: BTreeSet<Part>, awaits_restart: bool, now: Duration) {
        let trial = match self.trials.running.take() {
            Some(trial) => Trial { awaits_restart, starts: 0, ..trial },
            None => Trial { before, worked, awaits_restart, starts: 0 },
        };
        *self = Self::new(Trials { running: Some(trial), ..Trials::default() }, now);
    }

    /// A setting that is not on trial and shall stay whatever becomes of the trial: `with` makes the last good one
    /// include it. Whether there is a trial.
    pub(super) fn keep(&mut self, with: impl FnOnce(&Overrides) -> Option<Overrides>) -> bool {
        let Some(trial) = &mut self.trials.running else { return false };
        if let Some(before) = with(&trial.before) {
            trial.before = before;
        }
        true
    }

    /// The parts that must work, while there is something to look at.
    pub(super) fn wants(&self) -> Option<&BTreeSet<Part>> {
        self.judged().map(|trial| &trial.worked)
    }

    fn judged(&self) -> Option<&Trial> {
        self.trials.running.as_ref().filter(|trial| !trial.awaits_restart)
    }

    /// Ends the trial when it is decided. `lacking` says what does not work that did before; the box may take `patience`
    /// until nothing does. What comes back with a trial that failed is what shall be set again.
    pub(super) fn judge(
        &mut self,
        lacking: Option<String>,
        patience: Duration,
        now: Duration,
    ) -> Option<(Outcome, Overrides)> {
        self.judged()?;
        let outcome = match lacking {
            None => {
                let since = *self.well_since.get_or_insert(now);
                (now >= since + patience / STEADY).then_some(Outcome::Taken)?
            }
            Some(why) => {
                self.well_since = None;
                (now >= self.began + patience).then_some(Outcome::TakenBack { why })?
            }
        };
        let before = self.trials.running.take()?.before;
        self.trials.last = Some(outcome.clone());
        Some((outcome, before))
    }

    /// When [`Self::judge`] is wanted next.
    pub(super) fn next_deadline(&self, patience: Duration) -> Option<Duration> {
        self.judged()?;
        Some(self.well_since.map_or(self.began + patience, |since| since + patience / STEADY))
    }

    /// Time left for the trial to become well.
    pub(super) fn left(&self, patience: Duration, now: Duration) -> Duration {
        (self.began + patience).saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn probation() -> Probation {
        let mut probation = Probation::default();
        probation.begin(Overrides::default(), BTreeSet::from([Part::Camera]), false, Duration::ZERO);
        probation
    }

    fn lacking(is_well: bool) -> Option<String> {
        (!is_well).then(|| "camera: none".to_owned())
    }

    /// Lives through changes between well and not, each after so many milliseconds; ticks come when they are wanted.
    fn live(probation: &mut Probation, changes: &[(bool, u64)]) -> (Option<Outcome>, Duration) {
        let mut now = Duration::ZERO;
        for (is_well, time) in changes {
            let end = now + Duration::from_millis(*time);
            loop {
                if let Some((outcome, _)) = probation.judge(lacking(*is_well), PATIENCE, now) {
                    return (Some(outcome), now);
                }
                match probation.next_deadline(PATIENCE).filter(|at| *at < end) {
                    Some(at) => now = at.max(now + Duration::from_millis(1)),
                    None => break,
                }
            }
            now = end;
        }
        (None, now)
    }

    #[test]
    fn a_box_that_stays_well_takes_it_after_five_seconds() {
        let ended = live(&mut probation(), &[(true, 100_000)]);
        assert_eq!(ended, (Some(Outcome::Taken), Duration::from_secs(5)));
    }

    #[test]
    fn a_box_that_never_is_well_goes_back_after_a_minute() {
        let mut probation = probation();
        let (outcome, at) = live(&mut probation, &[(false, 100_000)]);
        assert_eq!((outcome, at), (Some(Outcome::TakenBack { why: "camera: none".to_owned() }), PATIENCE));
        assert_eq!((probation.trials().running.as_ref(), probation.next_deadline(PATIENCE)), (None, None));
    }

    #[test]
    fn nothing_is_decided_before_the_restart_that_it_takes() {
        let mut probation = probation();
        probation.begin(Overrides::default(), BTreeSet::new(), true, Duration::ZERO);
        assert_eq!(live(&mut probation, &[(true, 100_000), (false, 100_000)]).0, None);
        assert_eq!(probation.next_deadline(PATIENCE), None);
        let mut trials = probation.trials().clone();
        assert_eq!(trials.start(), None);
        assert_eq!(live(&mut Probation::new(trials, Duration::ZERO), &[(true, 6_000)]).0, Some(Outcome::Taken));
    }

    #[test]
    fn a_box_that_dies_with_it_starts_twice_and_then_without_it() {
        let before: Overrides = serde_json::from_str("{\"mood.hold_s\":9}").unwrap();
        let mut probation = Probation::default();
        probation.begin(before.clone(), BTreeSet::new(), false, Duration::ZERO);
        // The last good one stays when another is tried before this one has proved itself.
        probation.begin(Overrides::default(), BTreeSet::new(), false, Duration::ZERO);
        let text = serde_json::to_string(probation.trials()).unwrap();
        let mut trials: Trials = serde_json::from_str(&text).unwrap();
        assert_eq!([trials.start(), trials.start(), trials.start(), trials.start()], [None, None, Some(before), None]);
        assert!(matches!(trials.last, Some(Outcome::TakenBack { .. })));
    }

    proptest! {
        #[test]
        fn it_is_taken_only_by_a_box_that_was_well_for_long_enough(
            changes in prop::collection::vec((any::<bool>(), 1u64..20_000), 0..40)
        ) {
            let mut probation = probation();
            let (outcome, at) = live(&mut probation, &changes);
            let total: u64 = changes.iter().map(|(_, time)| time).sum();
            let steady = PATIENCE / STEADY;
            // How it was when it was decided, and since when.
            let mut since = Duration::ZERO;
            let (mut now, mut was) = (Duration::ZERO, None);
            for (is_well, time) in &changes {
                if now > at { break }
                if was != Some(*is_well) { since = now; was = Some(*is_well); }
                now += Duration::from_millis(*time);
            }
            match outcome {
                Some(Outcome::Taken) => prop_assert!(was == Some(true) && at >= since + steady, "{at:?} {since:?}"),
                Some(Outcome::TakenBack { .. }) => prop_assert!(was == Some(false) && at >= PATIENCE),
                // Undecided is only a box that has not had its time, or is not steadily well since.
                None => prop_assert!(
                    Duration::from_millis(total) <= PATIENCE || (was == Some(true) && now <= since + steady)
                ),
            }
        }
    }
}
