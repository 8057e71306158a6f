//! A page of results in one file: no script, nothing from elsewhere, light or dark as the reader likes it.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::NamedTempFile;

/// The text as HTML shows it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A page under construction.
pub(crate) struct Page {
    title: &'static str,
    body: String,
}

impl Page {
    /// A page that begins with its title, and below it what was measured.
    pub(crate) fn new(title: &'static str, what: &str) -> Self {
        Self { title, body: format!("<h1>{title}</h1>\n<p class=\"muted\">{}</p>\n", escaped(what)) }
    }

    /// Large figures with a few words each.
    pub(crate) fn figures(&mut self, figures: &[(String, &str)]) {
        let cell = |(figure, words): &(String, &str)| format!("<div><b>{}</b>{words}</div>", escaped(figure));
        let cells = figures.iter().map(cell).collect::<Vec<_>>().concat();
        self.body += &["<div class=\"figures\">", &cells, "</div>\n"].concat();
    }

    /// A section: what it is about, how to read it, and its plots and tables as HTML.
    pub(crate) fn section(&mut self, title: &str, how_to_read: &str, parts: &[String]) {
        let (title, words) = (escaped(title), escaped(how_to_read));
        self.body += &["<section><h2>", &title, "</h2><p>", &words, "</p>", &parts.concat(), "</section>\n"].concat();
    }

    /// The whole page.
    pub(crate) fn html(&self) -> String {
        let Self { title, body } = self;
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>{}</style></head>\n\
             <body><main>\n{body}</main></body></html>\n",
            include_str!("page.css")
        )
    }
}

/// A table; the first row is its head, and a cell is shown as text.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let line = |row: &Vec<String>, tag: &str| {
        let cells: Vec<_> = row.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect();
        format!("<tr>{}</tr>", cells.concat())
    };
    let Some((head, body)) = rows.split_first() else { return String::new() };
    let body: Vec<_> = body.iter().map(|row| line(row, "td")).collect();
    let (head, body) = (line(head, "th"), body.concat());
    format!("<div class=\"wide\"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>")
}

/// Where a page will be. Made before anything is measured, so that a place that cannot be written is known at once.
pub(crate) struct Place {
    path: PathBuf,
    draft: NamedTempFile,
}

impl Place {
    /// Reserves the place; what is there stays until the page is whole.
    pub(crate) fn reserve(path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot write {}", path.display());
        anyhow::ensure!(!path.is_dir(), "cannot write {}: it is a folder", path.display());
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Readable by others, as far as the umask lets it: a page is made to be shown.
        let mut draft = tempfile::Builder::new();
        let draft = draft.permissions(Permissions::from_mode(0o666)).tempfile_in(folder).with_context(cannot)?;
        Ok(Self { path: path.to_owned(), draft })
    }

    /// Puts the page there.
    pub(crate) fn fill(mut self, page: &Page) -> anyhow::Result<()> {
        let cannot = || format!("cannot write {}", self.path.display());
        self.draft.write_all(page.html().as_bytes()).with_context(cannot)?;
        self.draft.persist(&self.path).with_context(cannot)?;
        Ok(())
    }
}
