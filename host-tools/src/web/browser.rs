//! The browser of a person at a desktop.

use std::env;

/// Opens an address there; whether there is a desktop that does.
pub(super) fn open(address: &str) -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    is_at_a_desktop(set) && open::that_detached(address).is_ok()
}

/// Whether somebody sits before the desktop that this was started from, as the environment tells. Over SSH nobody does, also
/// where X is forwarded.
fn is_at_a_desktop(set: impl Fn(&str) -> bool) -> bool {
    let is_remote = set("SSH_CONNECTION") || set("SSH_TTY");
    // Only here can a system be without one.
    let shows = !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY");
    shows && !is_remote
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_browser_is_opened_where_somebody_sees_it() {
        for (environment, opens) in [
            (&["DISPLAY"][..], true),
            (&["WAYLAND_DISPLAY"], true),
            (&[], false),
            (&["DISPLAY", "SSH_CONNECTION"], false),
            (&["WAYLAND_DISPLAY", "SSH_TTY"], false),
        ] {
            assert_eq!(is_at_a_desktop(|name| environment.contains(&name)), opens, "{environment:?}");
        }
    }
}
