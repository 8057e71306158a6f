//! Lights the lights of a configuration: `light [LINE OF CONFIGURATION...]` shows each line of its input, four levels
//! from 0 to 1 for red, green, blue and the camera light, until the next; at the end all go out.

use std::io;

use anyhow::Context;
use moodbox_core::config::Config;
use moodbox_core::led::Levels;
use moodboxd::leds;

fn main() -> anyhow::Result<()> {
    let config = Config::parse(&std::env::args().skip(1).collect::<Vec<_>>().join("\n"))?;
    let mut leds = leds::open(&config.leds)?;
    println!("open");
    for line in io::stdin().lines() {
        let line = line?;
        let levels = line.split_whitespace().map(str::parse).collect::<Result<Vec<f32>, _>>()?;
        let &[red, green, blue, camera] = levels.as_slice() else { anyhow::bail!("{line:?} is not four levels") };
        leds.show(Levels { red, green, blue, camera }).context("show")?;
        println!("shown {line}");
    }
    Ok(())
}
