//! Links to the pages of the documentation.

use super::{Tone, Ui};
use crate::check_id::CheckId;

/// The address of the site, if the build was given one.
const DOCS_URL: Option<&str> = option_env!("HEELER_EC_DOCS_URL");

/// Returns the address of a check's page on the site; `None` if the build was not given the site.
pub(super) fn page_of_check(check: CheckId) -> Option<String> {
    page(DOCS_URL, check)
}

fn page(docs_url: Option<&str>, check: CheckId) -> Option<String> {
    let url = docs_url?.trim_end_matches('/');
    Some(format!("{url}/checks/{check}.html"))
}

/// Returns the emphasised ID of a check. On a terminal that supports it, the ID is a link to its page on the site.
pub(super) fn linked_id(ui: Ui, check: CheckId) -> String {
    let id = ui.paint(Tone::Strong, check.as_str());
    match page_of_check(check).filter(|_| ui.hyperlinks) {
        Some(address) => link(&address, &id),
        None => id,
    }
}

/// Returns a text with a link, as OSC 8 defines it.
fn link(address: &str, text: &str) -> String {
    format!("\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_is_on_the_site_of_the_build() {
        let check = CheckId::TrailLogging;
        assert_eq!(page(None, check), None);
        assert_eq!(
            page(Some("https://docs.example.com/ec/"), check).as_deref(),
            Some("https://docs.example.com/ec/checks/trail.logging.html")
        );
    }

    #[test]
    fn link_has_an_address_and_an_end() {
        let link = link("https://a.example/b.html", "b");
        assert_eq!(
            link,
            "\u{1b}]8;;https://a.example/b.html\u{1b}\\b\u{1b}]8;;\u{1b}\\"
        );
    }

    #[test]
    fn pipes_get_no_links() {
        let id = linked_id(Ui::plain(None), CheckId::TrailLogging);
        assert_eq!(id, "trail.logging");
    }
}
