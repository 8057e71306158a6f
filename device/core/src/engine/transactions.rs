//! Requests that were answered: one that comes again is not done again.

use std::collections::VecDeque;

/// Requests that are remembered.
const REMEMBERED: usize = 64;

/// Names and transactions of the latest requests.
#[derive(Debug, Default)]
pub(super) struct Transactions(VecDeque<(String, String)>);

impl Transactions {
    /// Remembers this one; returns whether it is new.
    pub(super) fn remember(&mut self, name: &str, transaction: &str) -> bool {
        if self.0.iter().any(|(n, t)| n == name && t == transaction) {
            return false;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((name.to_owned(), transaction.to_owned()));
        true
    }
}
