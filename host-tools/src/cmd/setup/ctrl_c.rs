//! What Ctrl-C does while questions are asked: it ends the program, unless a question is open. That hears of it by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether Ctrl-C ends the program.
pub(super) struct CtrlC {
    may_end: Arc<AtomicBool>,
}

impl CtrlC {
    /// A question that hears of it raises the signal, except on Windows, and that would end the program before the terminal is
    /// put in order. Where the system refuses a handler, so it is.
    pub(super) fn heard_by_questions() -> Self {
        let may_end = Arc::new(AtomicBool::new(true));
        #[cfg(unix)]
        let _ = signal_hook::flag::register_conditional_default(signal_hook::consts::SIGINT, Arc::clone(&may_end));
        Self { may_end }
    }

    /// To be held while a question is open.
    pub(super) fn open_question(&self) -> OpenQuestion<'_> {
        #[cfg(unix)]
        let keys = keys::OnlyKeys::begin();
        self.may_end.store(false, Ordering::Relaxed);
        OpenQuestion {
            may_end: &self.may_end,
            #[cfg(unix)]
            _keys: keys,
        }
    }
}

/// Until it is dropped, Ctrl-C is the question's.
pub(super) struct OpenQuestion<'a> {
    may_end: &'a AtomicBool,
    #[cfg(unix)]
    _keys: keys::OnlyKeys,
}

impl Drop for OpenQuestion<'_> {
    fn drop(&mut self) {
        self.may_end.store(true, Ordering::Relaxed);
    }
}

#[cfg(unix)]
mod keys {
    use std::io::stdin;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// A terminal on which Ctrl-C is a key like others, which waits until it is read.
    ///
    /// Questions see to that only while they wait for a key. One that is typed in between would be a signal that nobody waits
    /// for, and lost.
    pub(super) struct OnlyKeys {
        before: Option<Termios>,
    }

    impl OnlyKeys {
        /// Where the terminal does not take it, nothing changes.
        pub(super) fn begin() -> Self {
            let before = tcgetattr(stdin()).ok().filter(|before| {
                let mut only_keys = before.clone();
                only_keys.local_modes.remove(LocalModes::ISIG);
                tcsetattr(stdin(), OptionalActions::Now, &only_keys).is_ok()
            });
            Self { before }
        }
    }

    impl Drop for OnlyKeys {
        fn drop(&mut self) {
            if let Some(before) = &self.before {
                let _ = tcsetattr(stdin(), OptionalActions::Now, before);
            }
        }
    }
}
