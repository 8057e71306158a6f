//! What `ssh` complains of, in words that say what to do.

/// How `ssh` begins to say something, and what it means: `{}` is the machine.
const MEANINGS: [(&str, &str); 9] = [
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "{} has another key than the one known here; if its system was installed anew, forget the old one with ssh-keygen -R, \
         else somebody may be in between",
    ),
    ("Host key verification failed", "{} is not known here yet; log in once with ssh to accept its key"),
    ("Permission denied", "{} does not let this user in: the key or the password is not the right one"),
    (
        "Too many authentication failures",
        "{} does not let this user in after so many keys; name one in ssh's configuration",
    ),
    ("Could not resolve hostname", "no machine is called {} here; is it switched on, and is this its name?"),
    ("Connection refused", "{} runs no SSH server; switch SSH on there"),
    ("No route to host", "{} cannot be reached; is it switched on and in this network?"),
    ("timed out", "{} does not answer; is it switched on and in this network?"),
    ("Bad owner or permissions", "ssh does not like the rights of its configuration"),
];

/// One line: what is wrong and what to do.
pub(crate) fn explain(host: &str, complaints: &str) -> String {
    if let Some((_, meaning)) = MEANINGS.iter().find(|(begin, _)| complaints.contains(begin)) {
        return meaning.replace("{}", host);
    }
    match complaints.lines().rev().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) => format!("the connection to {host} broke: {line}"),
        None => format!("the connection to {host} broke"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_key_is_told_from_an_unknown_one() {
        let changed =
            "@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@@\nHost key verification failed.\n";
        let unknown = "No ED25519 host key is known for box and you have requested strict checking.\n\
                       Host key verification failed.\n";
        assert!(explain("pi@box", changed).starts_with("pi@box has another key than the one known here; if "));
        assert_eq!(explain("pi@box", unknown), "pi@box is not known here yet; log in once with ssh to accept its key");
    }

    #[test]
    fn what_is_not_known_is_passed_on_in_a_line() {
        assert_eq!(explain("box", "a\nmux_client: broken\n\n"), "the connection to box broke: mux_client: broken");
        assert_eq!(explain("box", ""), "the connection to box broke");
    }
}
