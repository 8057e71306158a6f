//! What comes from elsewhere, for the terminal.

/// Text of a network, a file or another machine, without what a terminal would act on.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_nothing() {
        assert_eq!(plain("\u{1b}]0;title\u{7}Für \u{9b}31mElise\r\n\t\u{7f}"), "]0;titleFür 31mElise");
    }
}
