//! Readers of sound files are written by others, and some give up in the middle of a damaged one: lofty 0.24 panics at an Opus
//! file that claims to have no channels. That shall cost the file and not the scan.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use super::trouble::Trouble;

thread_local! {
    /// Whether this thread is in a reader, whose panic is told as the fault of its file.
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// What the reader makes of a file; a reader that panics has found it damaged.
pub(super) fn guarded<T>(reader: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !READING.get() {
                usual(panic);
            }
        }));
    });
    READING.set(true);
    // Nothing that the reader has touched is used afterwards.
    let read = panic::catch_unwind(AssertUnwindSafe(reader));
    READING.set(false);
    read.unwrap_or_else(|_| Err("is damaged: its reader gave up".into()))
}
