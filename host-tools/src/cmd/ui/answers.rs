//! Who waits for what a box answers.

use serde_json::Value;
use tokio::sync::oneshot;

use crate::mqtt::outcome;

/// Most that wait at once: a person clicks, and a box answers in milliseconds.
const MAX_WAITING: usize = 64;

/// What a box said to a command or request: data, or why it refuses.
pub(super) type Answer = Result<Value, String>;

/// Those who wait, in the order in which they asked.
#[derive(Default)]
pub(super) struct Answers(Vec<Waiting>);

struct Waiting {
    id: String,
    /// The command or request.
    name: String,
    /// Nothing for a command, which is answered only when it is refused.
    transaction: Option<String>,
    tell: oneshot::Sender<Answer>,
}

impl Answers {
    /// Waits for the answer of a box; nothing where too many wait.
    pub(super) fn wait(
        &mut self,
        id: &str,
        name: &str,
        transaction: Option<String>,
    ) -> Option<oneshot::Receiver<Answer>> {
        self.0.retain(|waiting| !waiting.tell.is_closed());
        if self.0.len() >= MAX_WAITING {
            return None;
        }
        let (tell, answer) = oneshot::channel();
        self.0.push(Waiting { id: id.to_owned(), name: name.to_owned(), transaction, tell });
        Some(answer)
    }

    /// A box has answered. Who has given up waiting is passed over, and so is an answer to somebody else.
    pub(super) fn hear(&mut self, id: &str, name: &str, payload: &[u8]) {
        let Ok(response) = serde_json::from_slice::<Value>(payload) else { return };
        self.0.retain(|waiting| !waiting.tell.is_closed());
        let transaction = response["transaction"].as_str();
        let asked = |waiting: &Waiting| {
            waiting.id == id && waiting.name == name && waiting.transaction.as_deref() == transaction
        };
        let Some(first) = self.0.iter().position(asked) else { return };
        // Who waited may have gone in this moment.
        let _ = self.0.remove(first).tell.send(outcome(response));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_goes_to_who_asked() {
        let mut answers = Answers::default();
        let mut wait = |id, transaction: &str| answers.wait(id, "config.set", Some(transaction.to_owned())).unwrap();
        let (mut first, mut second, mut other) = (wait("hall", "1"), wait("hall", "2"), wait("attic", "1"));
        answers.hear("hall", "config.set", br#"{"transaction":"2","status":"ok","data":{"set":{}}}"#);
        answers.hear("attic", "config.set", br#"{"transaction":"1","status":"error","error":"too much"}"#);
        for nobody in [&br#"{"transaction":"3","status":"ok","data":1}"#[..], br#"{"transaction":null}"#, b"{", b"\xff"]
        {
            answers.hear("hall", "config.set", nobody);
        }
        assert_eq!(second.try_recv(), Ok(Ok(serde_json::json!({ "set": {} }))));
        assert_eq!(other.try_recv(), Ok(Err("too much".to_owned())));
        assert!(first.try_recv().is_err());
    }

    #[test]
    fn a_refusal_goes_to_the_command_that_was_first() {
        let mut answers = Answers::default();
        let mut wait = |name| answers.wait("hall", name, None).unwrap();
        let (mut like, mut first, mut second) = (wait("like"), wait("choose"), wait("choose"));
        answers.hear("hall", "choose", br#"{"transaction":null,"status":"error","error":"no such song"}"#);
        assert_eq!(first.try_recv(), Ok(Err("no such song".to_owned())));
        assert!(like.try_recv().is_err() && second.try_recv().is_err());
    }

    #[test]
    fn few_wait_and_those_who_gave_up_make_room() {
        let mut answers = Answers::default();
        let waiting: Vec<_> = (0..MAX_WAITING).map(|_| answers.wait("hall", "like", None).unwrap()).collect();
        assert!(answers.wait("hall", "like", None).is_none());
        drop(waiting);
        assert!(answers.wait("hall", "like", None).is_some());
        assert_eq!(answers.0.len(), 1);
    }
}
