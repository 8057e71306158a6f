//! A machine that is too hot, or has too little power, is given less to do, so that it does not slow down by itself at a
//! moment of its own choice.

use super::{Effect, Engine};
use crate::topics::Diagnostics;

/// Degrees Celsius at which a Raspberry Pi begins to lower its clock, from its maker's documentation ("Frequency management
/// and thermal control").
const HOT_C: f32 = 80.0;
/// And at which it has cooled down.
const COOL_C: f32 = 75.0;

impl Engine {
    /// Takes the figures of the last minute.
    pub(super) fn measure(&mut self, diagnostics: Diagnostics, effects: &mut Vec<Effect>) {
        self.voice.say(self.topics.diagnostics(&diagnostics), effects);
        let throttled = diagnostics.throttled == Some(true);
        let temperature = diagnostics.temperature_c;
        let limit = if self.slowed { COOL_C } else { HOT_C };
        let slowed = throttled || temperature.is_some_and(|degrees| degrees >= limit);
        if slowed != self.slowed {
            self.slowed = slowed;
            let at = temperature.map_or_else(String::new, |degrees| format!(" (processor at {degrees:.0} °C)"));
            effects.push(Effect::Warn(match (slowed, throttled) {
                (false, _) => format!("as many frames are analysed as before{at}"),
                (true, true) => format!("the firmware lowers the clock{at}; half as many frames are analysed"),
                (true, false) => format!("the box is hot{at}; half as many frames are analysed"),
            }));
            effects.push(Effect::Vision(self.vision_settings()));
        }
        self.measured = Some(diagnostics);
    }
}
