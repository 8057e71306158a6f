//! `moodbox calibrate`: a guided minute in which a box learns how one face shows what it shows.
//!
//! The box is asked what it sees, and told all at the end. Whoever stops before leaves it as it was.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use moodbox_core::emotion::{Emotion, Named};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::failure::{Failure, tell};
use crate::mqtt::{Address, Connection};

/// What is asked for, in this order, and how. Fear and disgust are hard to hold, and are left as they are.
const GUIDE: [(Emotion, &str); 5] = [
    (Emotion::Neutral, "rest your face"),
    (Emotion::Happy, "smile"),
    (Emotion::Surprise, "be surprised: brows up, mouth open"),
    (Emotion::Angry, "frown: brows down, lips tight"),
    (Emotion::Sad, "look sad: corners of the mouth down"),
];

/// How often an expression is asked for that the box could not see.
const ATTEMPTS: u32 = 3;

/// Which box, and how.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox calibrate --broker mqtt://broker.local --id livingroom")]
pub(crate) struct Arguments {
    #[command(flatten)]
    address: Address,
    /// Forget what was learnt: the box reads faces as it did when it was new.
    #[arg(long, conflicts_with_all = ["ready", "hold"])]
    reset: bool,
    /// Time to get ready for each expression, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=30))]
    ready: u8,
    /// Time for which each expression is held, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=5))]
    hold: u8,
}

/// What the box saw while an expression was held.
#[derive(Deserialize)]
struct Look {
    /// As the classifier reads it.
    said: Named,
    /// As the box reads it.
    read: Named,
}

/// The answer to a calibration.
#[derive(Deserialize)]
struct Learnt {
    bias: BTreeMap<Emotion, f32>,
}

#[derive(Serialize)]
struct Report {
    expressions: BTreeMap<Emotion, Change>,
    bias: BTreeMap<Emotion, f32>,
}

/// The probability of an expression while it was held.
#[derive(Serialize)]
struct Change {
    before: f32,
    after: f32,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let mut connection = Connection::open(&arguments.address)?;
    if arguments.reset {
        let learnt: Learnt = understood(ask(&mut connection, "calibrate.reset", &json!({}))?)?;
        let report = Report { expressions: BTreeMap::new(), bias: learnt.bias };
        return print(&report, json);
    }
    // A box that is not there is better noticed before somebody makes faces at it.
    let hold = Duration::from_secs(arguments.hold.into());
    look(&mut connection, hold)?.ok();
    tell("Sit alone where the box sees your face. Ctrl-C leaves the box as it was.");
    let mut looks = BTreeMap::new();
    for (expression, how) in GUIDE {
        let ready = Duration::from_secs(arguments.ready.into());
        looks.insert(expression, hold_expression(&mut connection, how, ready, hold)?);
    }
    let shown: BTreeMap<_, _> = looks.iter().map(|(expression, look)| (expression, look.said)).collect();
    let learnt: Learnt = understood(ask(&mut connection, "calibrate.set", &json!({ "shown": shown }))?)?;
    let expressions = looks.iter().map(|(expression, look)| {
        let (before, after) = (look.read.0[*expression], with_bias(&look.said, &learnt.bias, *expression));
        (*expression, Change { before, after })
    });
    print(&Report { expressions: expressions.collect(), bias: learnt.bias }, json)
}

/// Asks for an expression until the box has seen one face hold it.
fn hold_expression(connection: &mut Connection, how: &str, ready: Duration, hold: Duration) -> Result<Look, Failure> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        count_down(&format!("Next: {how}"), ready)?;
        count_down(&format!("Hold it: {how}"), hold)?;
        match look(connection, hold)? {
            Ok(look) => return Ok(look),
            Err(reason) if attempts == ATTEMPTS => {
                return Err(Failure::Finding(anyhow!("{reason}; nothing was changed")));
            }
            Err(reason) => tell(format_args!("{reason}. Once more.")),
        }
    }
}

fn look(connection: &mut Connection, over: Duration) -> Result<Result<Look, String>, Failure> {
    match connection.ask("calibrate.look", object(&json!({ "seconds": over.as_secs() })))? {
        Ok(data) => Ok(Ok(understood(data)?)),
        Err(reason) => Ok(Err(reason)),
    }
}

/// An answer that must be good: what is asked for is what a box takes.
fn ask(connection: &mut Connection, request: &str, fields: &Value) -> Result<Value, Failure> {
    connection.ask(request, object(fields))?.map_err(|reason| Failure::Finding(anyhow!("the box refuses: {reason}")))
}

fn object(fields: &Value) -> Map<String, Value> {
    fields.as_object().cloned().unwrap_or_default()
}

fn understood<T: for<'a> Deserialize<'a>>(data: Value) -> Result<T, Failure> {
    let read = serde_json::from_value(data).context("the box answers in a way that this version does not know");
    read.map_err(Failure::Finding)
}

/// What the box makes of it with its new bias.
fn with_bias(said: &Named, bias: &BTreeMap<Emotion, f32>, expression: Emotion) -> f32 {
    let weight = |e: Emotion| said.0[e] * bias.get(&e).copied().unwrap_or(0.0).exp();
    weight(expression) / Emotion::ALL.into_iter().map(weight).sum::<f32>()
}

/// Waits and says what for: with the seconds that are left on a terminal, in one line elsewhere.
fn count_down(what: &str, time: Duration) -> io::Result<()> {
    let mut err = io::stderr().lock();
    if !err.is_terminal() {
        writeln!(err, "{what}")?;
        thread::sleep(time);
        return Ok(());
    }
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let seconds = left.as_secs_f32().ceil();
        write!(err, "\r\x1b[K{what} {seconds}")?;
        err.flush()?;
        if left.is_zero() {
            return write!(err, "\r\x1b[K");
        }
        thread::sleep(left.min(Duration::from_millis(200)));
    }
}

fn print(report: &Report, json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(report).map_err(|e| anyhow!(e))?)?;
        return Ok(());
    }
    if report.expressions.is_empty() {
        writeln!(out, "The box has forgotten what it had learnt.")?;
        return Ok(());
    }
    writeln!(out, "{:10} {:>7} {:>7}", "", "before", "after")?;
    for (expression, _) in GUIDE {
        if let Some(Change { before, after }) = report.expressions.get(&expression) {
            writeln!(out, "{expression:10} {:>5.0} % {:>5.0} %", 100.0 * before, 100.0 * after)?;
        }
    }
    writeln!(out, "The box keeps this; `moodbox calibrate --reset` puts it back.")?;
    Ok(())
}
