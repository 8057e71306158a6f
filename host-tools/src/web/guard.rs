//! Who may have what of a page's server.

use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// The rules of a server on one port.
pub(super) struct Guard {
    /// Names under which a browser may know us; it leaves out the port of HTTP. Any other was made to lead to this computer by
    /// somebody else (DNS rebinding).
    hosts: [String; 2],
    key: String,
    /// Gets its holder the key, once; nothing when it was used.
    ticket: Mutex<Option<String>>,
}

/// What is known of a request.
pub(super) struct Visit<'a> {
    pub(super) path: &'a str,
    /// The name by which it knows us.
    pub(super) host: Option<&'a str>,
    /// The page that sends it, where a browser tells.
    pub(super) origin: Option<&'a str>,
    pub(super) key: Option<&'a str>,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("this is not the name of this server; open the address that moodbox prints")]
    WrongHost,
    #[error("another page asks; open the address that moodbox prints")]
    OtherPage,
    #[error("the key is wrong; open the address that moodbox prints")]
    WrongKey,
}

impl Guard {
    pub(super) fn new(port: u16, key: String, ticket: String) -> Self {
        let port = if port == 80 { String::new() } else { format!(":{port}") };
        let hosts = ["127.0.0.1", "localhost"].map(|name| format!("{name}{port}"));
        Self { hosts, key, ticket: Mutex::new(Some(ticket)) }
    }

    /// Where the page is, with the key. It stands behind `#`, which a browser keeps to itself.
    pub(super) fn address(&self) -> String {
        format!("http://{}/#{}", self.hosts[0], self.key)
    }

    /// The same with the ticket; without either when it was used.
    pub(super) fn ticket_address(&self) -> String {
        let ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        format!("http://{}/#{}", self.hosts[0], ticket.as_deref().unwrap_or_default())
    }

    /// Why a request is refused, if it is.
    pub(super) fn refuses(&self, visit: &Visit<'_>) -> Option<Refusal> {
        let host = visit.host.filter(|host| self.hosts.iter().any(|own| own == host));
        let Some(host) = host else { return Some(Refusal::WrongHost) };
        if visit.origin.is_some_and(|origin| origin.strip_prefix("http://") != Some(host)) {
            return Some(Refusal::OtherPage);
        }
        let private = visit.path == "/api" || visit.path.starts_with("/api/");
        (private && !visit.key.is_some_and(|key| same(key, &self.key))).then_some(Refusal::WrongKey)
    }

    /// The key, for who knows it or has the ticket.
    pub(super) fn key_for(&self, word: &str) -> Option<String> {
        let mut ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        if ticket.as_deref().is_some_and(|ticket| same(word, ticket)) {
            *ticket = None;
            return Some(self.key.clone());
        }
        same(word, &self.key).then(|| self.key.clone())
    }
}

/// Whether two secrets are the same. Digests are compared, so that the time it takes says nothing about the secrets.
fn same(a: &str, b: &str) -> bool {
    Sha256::digest(a) == Sha256::digest(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard::new(8000, "key".to_owned(), "ticket".to_owned())
    }

    const PAGE: Visit<'_> = Visit { path: "/", host: Some("127.0.0.1:8000"), origin: None, key: None };

    #[test]
    fn the_page_is_for_everybody_and_the_rest_for_who_has_the_key() {
        let api = |key| guard().refuses(&Visit { path: "/api/events", key, ..PAGE });
        assert_eq!(guard().refuses(&PAGE), None);
        assert_eq!(api(Some("key")), None);
        for wrong in [None, Some(""), Some("ticket"), Some("keys"), Some("Key")] {
            assert_eq!(api(wrong), Some(Refusal::WrongKey), "{wrong:?}");
        }
        assert_eq!(guard().refuses(&Visit { path: "/api", ..PAGE }), Some(Refusal::WrongKey));
    }

    #[test]
    fn a_name_that_is_not_ours_is_refused_also_with_the_key() {
        for host in [
            None,
            Some("evil.example:8000"),
            Some("127.0.0.1"),
            Some("127.0.0.1:80"),
            Some("localhost:8000.evil.example"),
        ] {
            let refusal = guard().refuses(&Visit { host, key: Some("key"), ..PAGE });
            assert_eq!(refusal, Some(Refusal::WrongHost), "{host:?}");
        }
        assert_eq!(guard().refuses(&Visit { host: Some("localhost:8000"), ..PAGE }), None);
    }

    #[test]
    fn on_the_port_of_http_a_name_is_without_it() {
        let guard = Guard::new(80, "key".to_owned(), "ticket".to_owned());
        assert_eq!(guard.address(), "http://127.0.0.1/#key");
        for host in ["127.0.0.1", "localhost"] {
            let origin = format!("http://{host}");
            let visit = Visit { host: Some(host), origin: Some(&origin), key: Some("key"), path: "/api/events" };
            assert_eq!(guard.refuses(&visit), None, "{host}");
        }
        let visit = Visit { host: Some("127.0.0.1:8000"), ..PAGE };
        assert_eq!(guard.refuses(&visit), Some(Refusal::WrongHost));
    }

    #[test]
    fn other_pages_are_refused_also_with_the_key() {
        for origin in
            ["https://evil.example", "null", "http://127.0.0.1:8001", "https://127.0.0.1:8000", "http://localhost:8000"]
        {
            let refusal = guard().refuses(&Visit { origin: Some(origin), key: Some("key"), ..PAGE });
            assert_eq!(refusal, Some(Refusal::OtherPage), "{origin}");
        }
        assert_eq!(guard().refuses(&Visit { origin: Some("http://127.0.0.1:8000"), ..PAGE }), None);
    }

    #[test]
    fn a_ticket_works_once_and_the_key_again_and_again() {
        let guard = guard();
        assert_eq!(guard.ticket_address(), "http://127.0.0.1:8000/#ticket");
        assert_eq!(guard.address(), "http://127.0.0.1:8000/#key");
        let handed_out = ["ticket", "ticket", "", "key", "key"].map(|word| guard.key_for(word).is_some());
        assert_eq!(handed_out, [true, false, false, true, true]);
        assert_eq!(guard.ticket_address(), "http://127.0.0.1:8000/#");
    }
}
