//! From moments to days: what the room was in for how long.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{ToSpan, ZonedDateTime};
use moodbox_core::history::{Moment, NOTED_AGAIN};
use moodbox_core::mood::RoomMood;
use serde_json::{Value, json};

/// Cells of a day: half hours of one that has 24 hours.
pub(super) const CELLS: usize = 48;

/// What a box says later than it should still belongs together.
const SLACK_S: u64 = 300;

/// A day.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Day {
    pub(super) date: Date,
    /// What the room was in for most of each cell in which somebody was there; else absent, or nothing where the box did not
    /// look.
    pub(super) cells: [Option<RoomMood>; CELLS],
    /// Seconds in each mood, by name.
    pub(super) seconds: BTreeMap<&'static str, u64>,
}

/// The days from the first until now.
pub(super) fn of(moments: &[Moment], first: Date, now: &ZonedDateTime) -> anyhow::Result<Vec<Day>> {
    let spans = spans(moments, now.timestamp().as_second().max(0).unsigned_abs());
    let mut days = Vec::new();
    let mut date = first;
    while date <= now.date() {
        let next = date.checked_add(1.day())?;
        let [start, end] = [date, next].map(|date| date.to_zoned_datetime(now.time_zone().clone()));
        let (start, end) = (start?.timestamp().as_second(), end?.timestamp().as_second());
        days.push(day(date, &spans, start.max(0).unsigned_abs(), end.max(0).unsigned_abs()));
        date = next;
    }
    Ok(days)
}

/// A time in which the room was in one mood, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    from: u64,
    to: u64,
    mood: RoomMood,
}

fn spans(moments: &[Moment], now: u64) -> Vec<Span> {
    let known: Vec<_> = moments.iter().filter(|moment| !moment.unset).collect();
    let ends = known.iter().skip(1).map(|moment| moment.at).chain([now]);
    let lasting = known.iter().zip(ends).filter_map(|(moment, end)| {
        // A box that says nothing for longer than it ever does has lost its power.
        let longest = NOTED_AGAIN.as_secs() + SLACK_S;
        let to = if end.saturating_sub(moment.at) > longest { moment.at + NOTED_AGAIN.as_secs() } else { end };
        // The clock of the box may be ahead of ours.
        Some(Span { from: moment.at, to: to.min(now), mood: moment.sight?.mood })
    });
    // Where the clock was set back an end may lie before its beginning.
    lasting.filter(|span| span.from < span.to).collect()
}

fn day(date: Date, spans: &[Span], start: u64, end: u64) -> Day {
    let within = |from: u64, to: u64| {
        let mut seconds: BTreeMap<&'static str, (u64, RoomMood)> = BTreeMap::new();
        for span in spans {
            let shared = span.to.min(to).saturating_sub(span.from.max(from));
            if shared > 0 {
                seconds.entry(span.mood.name()).or_insert((0, span.mood)).0 += shared;
            }
        }
        seconds
    };
    let cell = |index: usize| {
        let at = |index: usize| start + (end - start) * index as u64 / CELLS as u64;
        let seconds = within(at(index), at(index + 1));
        let longest = seconds.values().filter(|(_, mood)| *mood != RoomMood::Absent).max_by_key(|(time, _)| *time);
        longest.or(seconds.values().next()).map(|(_, mood)| *mood)
    };
    let seconds = within(start, end).into_iter().map(|(name, (time, _))| (name, time)).collect();
    Day { date, cells: std::array::from_fn(cell), seconds }
}

impl Day {
    /// The mood that somebody was in for longest, and its share of the time in which somebody was there, 0..1.
    pub(super) fn prevailing(&self) -> Option<(&'static str, f32)> {
        let there = self.seconds.iter().filter(|(name, _)| **name != RoomMood::Absent.name());
        let all: u64 = there.clone().map(|(_, time)| time).sum();
        there.max_by_key(|(_, time)| **time).map(|(name, time)| (*name, *time as f32 / all as f32))
    }

    pub(super) fn json(&self) -> Value {
        let cells: Vec<_> = self.cells.iter().map(|cell| cell.map(RoomMood::name)).collect();
        json!({ "date": self.date.to_string(), "half_hours": cells, "seconds": self.seconds })
    }
}

#[cfg(test)]
mod tests {
    use moodbox_core::emotion::Emotion;
    use moodbox_core::history::Sight;
    use proptest::prelude::*;

    use super::*;

    const HAPPY: RoomMood = RoomMood::Emotion(Emotion::Happy);

    fn moment(at: u64, mood: Option<RoomMood>) -> Moment {
        Moment { at, unset: false, sight: mood.map(|mood| Sight { mood, valence: 0.0, arousal: 0.0 }) }
    }

    fn zoned(text: &str) -> ZonedDateTime {
        text.parse().unwrap()
    }

    /// Seconds since 1970 of an hour of 2026-03-28 in Berlin.
    fn at(hour: f64) -> u64 {
        zoned("2026-03-28T00:00[Europe/Berlin]").timestamp().as_second().unsigned_abs() + (hour * 3600.0) as u64
    }

    #[test]
    fn moods_last_until_the_next_and_no_longer_than_a_box_is_silent() {
        let now = zoned("2026-03-28T20:00[Europe/Berlin]");
        let moments = [
            moment(at(-1.0), Some(RoomMood::Absent)),
            moment(at(-0.5), Some(RoomMood::Absent)),
            moment(at(0.0), Some(HAPPY)),
            moment(at(0.25), Some(RoomMood::Mixed)),
            moment(at(0.4), Some(RoomMood::Absent)),
            // The power was cut.
            moment(at(10.0), Some(HAPPY)),
            moment(at(10.4), None),
            moment(at(19.9), Some(HAPPY)),
        ];
        let days = of(&moments, now.date(), &now).unwrap();
        let [day] = &days[..] else { panic!("{days:?}") };
        let seconds: Vec<_> = day.seconds.iter().map(|(name, time)| (*name, *time)).collect();
        assert_eq!(seconds, [("absent", 1800), ("happy", 900 + 1440 + 360), ("mixed", 540)]);
        assert_eq!((day.cells[0], day.cells[1], day.cells[2]), (Some(HAPPY), Some(RoomMood::Absent), None));
        assert_eq!((day.cells[20], day.cells[21], day.cells[39]), (Some(HAPPY), None, Some(HAPPY)));
        assert_eq!(day.prevailing(), Some(("happy", 2700.0 / 3240.0)));
    }

    #[test]
    fn a_day_is_as_long_as_it_is() {
        // The clocks go forward on the 29th: 23 hours.
        let now = zoned("2026-03-30T00:00[Europe/Berlin]");
        let moments: Vec<_> = (0..200).map(|i| moment(at(f64::from(i) / 2.0), Some(HAPPY))).collect();
        let days = of(&moments, now.date().checked_sub(2.days()).unwrap(), &now).unwrap();
        let hours: Vec<_> = days.iter().map(|day| day.seconds.get("happy").map_or(0, |time| time / 3600)).collect();
        assert_eq!(hours, [24, 23, 0]);
        assert!(days[1].cells.iter().all(|cell| *cell == Some(HAPPY)));
    }

    #[test]
    fn what_was_written_before_the_clock_was_set_is_left_out() {
        let now = zoned("2026-03-28T20:00[Europe/Berlin]");
        let moments = [Moment { unset: true, ..moment(at(3.0), Some(HAPPY)) }, moment(at(19.5), Some(RoomMood::Mixed))];
        let day = &of(&moments, now.date(), &now).unwrap()[0];
        assert_eq!(day.seconds.keys().collect::<Vec<_>>(), [&"mixed"]);
    }

    proptest! {
        #[test]
        fn no_day_has_more_time_than_it_lasts(
            mut moments in prop::collection::vec((0u64..400_000, prop::option::of(any::<bool>())), 0..60),
            sorted: bool,
        ) {
            if sorted {
                moments.sort_unstable();
            }
            let now = zoned("2026-03-31T12:00[Europe/Berlin]");
            let mood = |happy: bool| if happy { HAPPY } else { RoomMood::Absent };
            let moments: Vec<_> = moments.iter().map(|(after, happy)| moment(at(0.0) + after, happy.map(mood))).collect();
            let days = of(&moments, now.date().checked_sub(3.days()).unwrap(), &now).unwrap();
            prop_assert_eq!(days.len(), 4);
            for day in days.iter().filter(|_| sorted) {
                prop_assert!(day.seconds.values().sum::<u64>() <= 24 * 3600);
            }
        }
    }
}
