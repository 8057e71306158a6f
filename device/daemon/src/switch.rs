//! The switch on the box that takes the camera away: a line of a GPIO chip, pulled up, with a switch to ground.
//!
//! It acts upon the capture itself and not through the engine, so that no command and no mistake of the rules is above it.
//! Whatever is not a closed switch counts as off: a broken wire, a line that cannot be had, a contact that rattles.

use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use gpiocdev::Request;
use gpiocdev::line::{Bias, EdgeDetection, Value};

use crate::capture::Wanted;
use crate::leds::{LedError, refusal};
use crate::systemd::Pulse;

/// Time for which the contact must be closed in a row; switches rattle for some milliseconds.
const SETTLED: Duration = Duration::from_millis(50);

/// Time between two looks at a contact that settles.
const LOOK: Duration = Duration::from_millis(5);

/// Longest time between two looks at the switch: an edge that was lost shall not leave the camera on.
const WATCH: Duration = Duration::from_millis(250);

/// Time between two attempts at a line that cannot be had.
const PAUSE: Duration = Duration::from_secs(5);

/// Where the switch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// The camera may be used.
    On,
    /// It may not, and why.
    Off(String),
}

/// Watches line `line` of `chip` and forbids the camera while the switch is off, until the camera is never wanted again.
/// `tell` hears of each change.
pub fn run(chip: &Path, line: u32, wanted: &Wanted, pulse: &Pulse, tell: impl Fn(Position)) {
    let mut take = follow(wanted, tell);
    loop {
        pulse.beat();
        let Err(reason) = watch(chip, line, wanted, pulse, &mut take) else { return };
        take(Position::Off(format!("the switch on the box cannot be read: {reason}")));
        if wanted.ends_within(PAUSE) {
            return;
        }
    }
}

/// What becomes of each look at the switch. Only a change counts: after any word about the switch capture tells anew why there is no
/// camera.
pub(crate) fn follow(wanted: &Wanted, tell: impl Fn(Position)) -> impl FnMut(Position) {
    let mut told = None;
    move |position| {
        if told.as_ref() != Some(&position) {
            wanted.forbid(position != Position::On);
            told = Some(position.clone());
            tell(position);
        }
    }
}

/// Until the end, or until the line cannot be read.
fn watch(
    chip: &Path,
    line: u32,
    wanted: &Wanted,
    pulse: &Pulse,
    take: &mut impl FnMut(Position),
) -> Result<(), String> {
    let request = Request::builder()
        .on_chip(chip)
        .with_consumer("moodbox camera switch")
        .with_line(line)
        .with_bias(Bias::PullUp)
        .as_active_low()
        .with_edge_detection(EdgeDetection::BothEdges)
        .request()
        .map_err(|error| explain(refusal(error, chip, &[line])))?;
    let failed = |error: gpiocdev::Error| error.to_string();
    while !wanted.ends_within(Duration::ZERO) {
        pulse.beat();
        take(if is_closed(&request).map_err(failed)? {
            Position::On
        } else {
            Position::Off("the switch on the box is off".to_owned())
        });
        let mut rings = request.wait_edge_event(WATCH).map_err(failed)?;
        while rings {
            request.read_edge_event().map_err(failed)?;
            rings = request.has_edge_event().map_err(failed)?;
        }
    }
    Ok(())
}

/// Whether the contact is closed, and stays so.
fn is_closed(request: &Request) -> Result<bool, gpiocdev::Error> {
    let clock = Instant::now();
    while request.lone_value()? == Value::Active {
        if clock.elapsed() >= SETTLED {
            return Ok(true);
        }
        thread::sleep(LOOK);
    }
    Ok(false)
}

fn explain(error: LedError) -> String {
    let advice = "choose another with camera.switch_pin";
    match error {
        LedError::Held { chip, line, holder } => {
            format!("line {line} of {} is held by {holder}: stop that, or {advice}", chip.display())
        }
        LedError::NoLine { chip, line, lines } => {
            format!("there is no line {line} on {}, which has {lines}: {advice}", chip.display())
        }
        LedError::Io(error) => io::Error::to_string(&error),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_switch_that_cannot_be_read_counts_as_off() {
        let (wanted, pulse) = (Wanted::default(), Pulse::default());
        wanted.set(true);
        let (told, heard) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| run(Path::new("/dev/null"), 24, &wanted, &pulse, |position| told.send(position).unwrap()));
            let position = heard.recv().unwrap();
            let reason =
                "the switch on the box cannot be read: /dev/null is not a GPIO chip: choose another with leds.chip";
            assert_eq!(position, Position::Off(reason.to_owned()));
            assert!(!wanted.is_on());
            wanted.set(true);
            assert!(!wanted.is_on(), "no command is above it");
            wanted.never_again();
        });
        assert!(heard.try_recv().is_err(), "it is said once");
    }
}
