//! The configuration: a refusal names a line that there is, and has no line break.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moodbox_core::config::Config;

fuzz_target!(|text: &str| {
    if let Err(error) = Config::parse(text) {
        assert!((1..=text.split('\n').count()).contains(&error.line), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
});
