//! `moodbox history`: what the mood of the room was, day by day.

mod days;
mod text;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};
use moodbox_core::history::{Moment, Page};
use serde_json::json;

use crate::failure::Failure;
use crate::mqtt::{Address, Connection};
use days::Day;

/// Which box, and how much of its past.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox history --broker mqtt://broker.local --id livingroom --days 30")]
pub(crate) struct Arguments {
    #[command(flatten)]
    address: Address,
    /// How many days, today among them.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=400))]
    days: u16,
    /// Write a table to this file instead; - is the output.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let now = ZonedDateTime::now();
    let zone = now.time_zone().clone();
    let first = now.date().checked_sub((i64::from(arguments.days) - 1).days()).map_err(anyhow::Error::from)?;
    let from = first.to_zoned_datetime(zone.clone()).map_err(anyhow::Error::from)?.timestamp();
    let moments = ask(&arguments.address, from, now.timestamp())?;
    if let Some(path) = &arguments.csv {
        return write_table(path, &moments, &zone);
    }
    let days = days::of(&moments, first, &now)?;
    let left_out = moments.iter().filter(|moment| moment.unset).count();
    let mut out = io::stdout().lock();
    if json {
        let days: Vec<_> = days.iter().map(Day::json).collect();
        writeln!(out, "{}", json!({ "days": days, "left_out": left_out }))?;
        return Ok(());
    }
    let coloured = out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    write!(out, "{}", text::of(&days, coloured))?;
    if left_out > 0 {
        writeln!(out, "{left_out} moments are left out: the box did not know the time.")?;
    }
    Ok(())
}

/// All the moments from a time until another.
fn ask(address: &Address, from: Timestamp, to: Timestamp) -> Result<Vec<Moment>, Failure> {
    let mut connection = Connection::open(address)?;
    let mut moments = Vec::new();
    loop {
        let fields = json!({ "from": from.as_second().max(0), "to": to.as_second().max(1), "skip": moments.len() });
        let answer = connection.ask("history.get", fields.as_object().cloned().unwrap_or_default())?;
        let data = answer.map_err(|reason| Failure::Finding(anyhow!("the box refuses: {reason}")))?;
        let page: Page = serde_json::from_value(data)
            .context("the box answers in a way that this version does not know")
            .map_err(Failure::Finding)?;
        let empty = page.moments.is_empty();
        moments.extend(page.moments);
        if !page.more || empty {
            return Ok(moments);
        }
    }
}

/// A line for each moment.
fn write_table(path: &Path, moments: &[Moment], zone: &TimeZone) -> Result<(), Failure> {
    let to: Box<dyn Write> = if path == Path::new("-") {
        Box::new(io::stdout().lock())
    } else {
        Box::new(File::create(path).with_context(|| format!("cannot write {}", path.display()))?)
    };
    let mut table = csv::Writer::from_writer(to);
    let failed = |error: csv::Error| Failure::Input(anyhow!("cannot write {}: {error}", path.display()));
    table.write_record(["time", "seconds", "mood", "valence", "arousal", "clock"]).map_err(failed)?;
    for Moment { at, unset, sight } in moments {
        let time = i64::try_from(*at).ok().and_then(|at| Timestamp::from_second(at).ok());
        let time =
            time.map(|time| time.to_zoned_datetime(zone.clone()).strftime("%FT%T%:z").to_string()).unwrap_or_default();
        let number = |value: Option<f32>| value.map(|value| value.to_string()).unwrap_or_default();
        table
            .write_record([
                time,
                at.to_string(),
                sight.map(|sight| sight.mood.name()).unwrap_or_default().to_owned(),
                number(sight.map(|sight| sight.valence)),
                number(sight.map(|sight| sight.arousal)),
                if *unset { "unset" } else { "set" }.to_owned(),
            ])
            .map_err(failed)?;
    }
    table.flush()?;
    Ok(())
}
