//! A mailbox with one slot between two threads: the newest wins.
//!
//! Values are swapped, not moved: the one who writes gets an old value back to write into, so a frame's memory goes
//! around among the two threads and the slot, and none is allocated once all three have grown.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The mailbox.
#[derive(Debug, Default)]
pub struct Latest<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State<T> {
    slot: T,
    /// Whether the slot holds something that was not taken yet.
    full: bool,
    closed: bool,
    dropped: u64,
}

/// The mailbox was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the mailbox is closed")]
pub struct Closed;

impl<T> Latest<T> {
    /// Puts `value` in, in place of one that was not taken yet. `value` is then an old one, to be overwritten.
    ///
    /// # Errors
    /// When the mailbox is closed; `value` is then as it was.
    pub fn put(&self, value: &mut T) -> Result<(), Closed> {
        self.fill(self.lock(), value)
    }

    /// As [`Latest::put`], but waits until the slot is empty, so that none is dropped.
    ///
    /// # Errors
    /// When the mailbox is closed, before or while waiting; `value` is then as it was.
    pub fn put_when_taken(&self, value: &mut T) -> Result<(), Closed> {
        let state = self.changed.wait_while(self.lock(), |state| state.full && !state.closed);
        self.fill(state.unwrap_or_else(PoisonError::into_inner), value)
    }

    /// Waits no longer than `longest` for a value that was not taken yet and swaps it into `value`; whether there was one. One
    /// that was put in before the mailbox was closed can still be taken.
    ///
    /// # Errors
    /// When the mailbox is closed and empty.
    pub fn take_within(&self, value: &mut T, longest: Duration) -> Result<bool, Closed> {
        let waited = self.changed.wait_timeout_while(self.lock(), longest, |state| !state.full && !state.closed);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if !state.full && !state.closed {
            return Ok(false);
        }
        self.empty(state, value).map(|()| true)
    }

    /// Wakes whoever waits, for good.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// How many values were replaced before they were taken.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn empty(&self, mut state: MutexGuard<'_, State<T>>, value: &mut T) -> Result<(), Closed> {
        if !state.full {
            return Err(Closed);
        }
        mem::swap(&mut state.slot, value);
        state.full = false;
        self.changed.notify_all();
        Ok(())
    }

    fn fill(&self, mut state: MutexGuard<'_, State<T>>, value: &mut T) -> Result<(), Closed> {
        if state.closed {
            return Err(Closed);
        }
        mem::swap(&mut state.slot, value);
        state.dropped += u64::from(state.full);
        state.full = true;
        self.changed.notify_all();
        Ok(())
    }

    /// A thread that panicked cannot have left the state half changed: nothing in here calls out.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    /// A time that nobody waits for in vain.
    const LONG: Duration = Duration::from_secs(60);

    /// Puts 1 to `count` in from one thread with `put` and takes them out in another; what was taken.
    fn passed_on(
        mailbox: &Latest<u32>,
        count: u32,
        put: impl Fn(&Latest<u32>, &mut u32) -> Result<(), Closed> + Send,
    ) -> Vec<u32> {
        thread::scope(|scope| {
            scope.spawn(move || {
                for n in 1..=count {
                    put(mailbox, &mut { n }).unwrap();
                }
                mailbox.close();
            });
            let (mut taken, mut value) = (Vec::new(), 0);
            while mailbox.take_within(&mut value, LONG) == Ok(true) {
                taken.push(value);
            }
            taken
        })
    }

    #[test]
    fn between_threads_the_newest_wins_and_the_last_always_arrives() {
        let mailbox = Latest::default();
        let taken = passed_on(&mailbox, 20_000, Latest::put);
        assert!(taken.is_sorted_by(|a, b| a < b));
        assert_eq!(taken.last(), Some(&20_000));
        assert_eq!(taken.len() as u64 + mailbox.dropped(), 20_000);
    }

    #[test]
    fn between_threads_none_is_dropped_by_one_who_waits() {
        let mailbox = Latest::default();
        let taken = passed_on(&mailbox, 20_000, Latest::put_when_taken);
        assert!(taken.into_iter().eq(1..=20_000));
        assert_eq!(mailbox.dropped(), 0);
    }

    #[test]
    fn the_same_three_values_go_around() {
        let mailbox: Latest<Vec<u8>> = Latest::default();
        let (mut written, mut read) = (Vec::new(), Vec::new());
        let mut memory = HashSet::new();
        for round in 0..100u8 {
            written.clear();
            written.resize(1000, round);
            mailbox.put(&mut written).unwrap();
            if round % 3 != 0 {
                mailbox.take_within(&mut read, LONG).unwrap();
                assert_eq!(read, [round; 1000]);
            }
            if round >= 10 {
                memory.extend([written.as_ptr(), read.as_ptr()]);
            }
        }
        assert_eq!(memory.len(), 3);
    }

    #[test]
    fn closing_wakes_one_who_waits_to_take() {
        let mailbox: Latest<u32> = Latest::default();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| mailbox.take_within(&mut 0, LONG));
            mailbox.close();
            assert_eq!(waiting.join().unwrap(), Err(Closed));
        });
    }

    #[test]
    fn who_waits_for_a_time_is_told_that_there_was_nothing() {
        let mailbox: Latest<u32> = Latest::default();
        let mut value = 0;
        assert_eq!(mailbox.take_within(&mut value, Duration::ZERO), Ok(false));
        mailbox.put(&mut 3).unwrap();
        mailbox.close();
        assert_eq!((mailbox.take_within(&mut value, Duration::ZERO), value), (Ok(true), 3));
        assert_eq!(mailbox.take_within(&mut value, Duration::ZERO), Err(Closed));
    }

    #[test]
    fn closing_wakes_one_who_waits_to_put() {
        let mailbox = Latest::default();
        mailbox.put(&mut 1).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| mailbox.put_when_taken(&mut 2));
            mailbox.close();
            assert_eq!(waiting.join().unwrap(), Err(Closed));
        });
        let mut value = 0;
        assert_eq!((mailbox.take_within(&mut value, LONG), value), (Ok(true), 1), "the one put in before");
        assert_eq!(mailbox.take_within(&mut value, LONG), Err(Closed));
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Put,
        Take,
        Close,
    }

    proptest! {
        #[test]
        fn behaves_as_an_option_that_is_overwritten(
            steps in prop::collection::vec(prop_oneof![4 => Just(Step::Put), 4 => Just(Step::Take), 1 => Just(Step::Close)], 0..60),
        ) {
            let mailbox: Latest<usize> = Latest::default();
            let (mut model, mut closed, mut dropped) = (None, false, 0);
            for (n, step) in (1..).zip(steps) {
                match step {
                    Step::Put if closed => prop_assert_eq!(mailbox.put(&mut { n }), Err(Closed)),
                    Step::Put => {
                        mailbox.put(&mut { n }).unwrap();
                        dropped += u64::from(model.replace(n).is_some());
                    }
                    Step::Take => {
                        let mut value = 0;
                        let taken = mailbox.take_within(&mut value, Duration::ZERO);
                        let expected = if model.is_none() && closed { Err(Closed) } else { Ok(model.is_some()) };
                        prop_assert_eq!(taken, expected);
                        prop_assert_eq!(value, model.take().unwrap_or_default());
                    }
                    Step::Close => {
                        mailbox.close();
                        closed = true;
                    }
                }
            }
            prop_assert_eq!(mailbox.dropped(), dropped);
        }
    }
}
