//! A TOML text with one key changed: all else, comments above all, stays as a person wrote it.

use toml_edit::{Document, DocumentMut, Item, TomlError, Value};

/// Sets a key of a section. The comment behind it keeps its column where it fits.
///
/// # Errors
/// Where the text is no TOML. Where the section is no table nothing is changed.
pub(crate) fn with(text: &str, section: &str, key: &str, value: Value) -> Result<String, TomlError> {
    let mut document: DocumentMut = text.parse()?;
    if let Some(table) = document.entry(section).or_insert_with(toml_edit::table).as_table_like_mut() {
        match table.get_mut(key) {
            // To insert it anew would take away the comments above it.
            Some(Item::Value(old)) => *old = in_place_of(old, value),
            _ => drop(table.insert(key, Item::Value(value))),
        }
    }
    Ok(document.to_string())
}

/// Takes a key and what stands behind it away. The lines above it may be about others and stay.
///
/// # Errors
/// Where the text is no TOML.
pub(crate) fn without(text: &str, section: &str, key: &str) -> Result<String, TomlError> {
    let document = Document::parse(text)?;
    let table = document.as_table().get(section);
    if let Some((key, value)) = table.and_then(Item::as_table).and_then(|table| table.get_key_value(key))
        && let (Some(key), Some(value)) = (key.span(), value.span())
    {
        let begin = text[..key.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[value.end..].find('\n').map_or(text.len(), |at| value.end + at + 1);
        return Ok(format!("{}{}", &text[..begin], &text[end..]));
    }
    let mut document = document.into_mut();
    if let Some(table) = document.get_mut(section).and_then(Item::as_inline_table_mut) {
        table.remove(key);
    }
    Ok(document.to_string())
}

/// The value with the comment of the old one, in the same column where it fits.
fn in_place_of(old: &Value, mut value: Value) -> Value {
    let width = |value: &Value| value.clone().decorated("", "").to_string().chars().count();
    let decor = old.decor();
    let suffix = decor.suffix().and_then(|suffix| suffix.as_str()).unwrap_or_default();
    let comment = suffix.trim_start();
    let before = suffix.len() - comment.len();
    let blanks = if comment.is_empty() { before } else { (width(old) + before).saturating_sub(width(&value)).max(1) };
    let prefix = decor.prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default().to_owned();
    value.decor_mut().set_prefix(prefix);
    value.decor_mut().set_suffix(format!("{:blanks$}{comment}", ""));
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Of the file.\n\n[mood]  # how it feels\n# Of hold.\nhold_s = 10  # one\n\n# absent_s = 9\n# Of minute.\n\
                        minute = [\n  1,\n] # two\n\n# Of the lights.\n[leds]\nred = 17\n";

    #[test]
    fn one_value_is_another_and_nothing_else() {
        assert_eq!(with(TEXT, "mood", "hold_s", 5.into()).unwrap(), TEXT.replace("10  # one", "5   # one"));
        assert_eq!(with(TEXT, "leds", "red", 18.into()).unwrap(), TEXT.replace("17", "18"));
        assert_eq!(with(TEXT, "leds", "blue", 22.into()).unwrap(), format!("{TEXT}blue = 22\n"));
        assert_eq!(with("leds = { red = 1 }\n", "leds", "red", 2.into()).unwrap(), "leds = { red = 2 }\n");
        assert_eq!(with("a.b = 1 # c\n", "a", "b", 2.into()).unwrap(), "a.b = 2 # c\n");
        assert_eq!(with("a = 1\n", "a", "b", 2.into()).unwrap(), "a = 1\n");
    }

    #[test]
    fn a_key_goes_with_its_lines_and_what_is_above_stays() {
        assert_eq!(without(TEXT, "mood", "hold_s").unwrap(), TEXT.replace("hold_s = 10  # one\n", ""));
        assert_eq!(without(TEXT, "mood", "minute").unwrap(), TEXT.replace("minute = [\n  1,\n] # two\n", ""));
        assert_eq!(without(TEXT, "leds", "red").unwrap(), TEXT.replace("red = 17\n", ""));
        assert_eq!(without(TEXT.trim_end(), "leds", "red").unwrap(), TEXT.replace("red = 17\n", ""));
        assert_eq!(without("a.b = 1 # c\nd = 2\n", "a", "b").unwrap(), "d = 2\n");
        assert_eq!(without("leds = { red = 1, blue = 2 } # c\n", "leds", "red").unwrap(), "leds = { blue = 2 } # c\n");
        for (section, key) in [("mood", "absent_s"), ("none", "red")] {
            assert_eq!(without(TEXT, section, key).unwrap(), TEXT);
        }
    }
}
