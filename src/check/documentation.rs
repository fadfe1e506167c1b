//! The sections of `docs/troubleshooting.md` about checks, which are part of the program.

use super::CheckId;

const PAGE: &str = include_str!("../../docs/troubleshooting.md");

/// Returns the section about a check in Markdown, without its heading. It is empty if the page has no such section.
#[must_use]
pub fn section(id: CheckId) -> &'static str {
    section_of(PAGE, id.as_str())
}

fn section_of<'a>(page: &'a str, heading: &str) -> &'a str {
    let mut sections = page.split("\n## ").skip(1);
    let found = sections.find_map(|section| {
        let (first, text) = section.split_once('\n')?;
        (first.trim() == heading).then_some(text)
    });
    found.unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_ends_at_the_next_heading() {
        let page = "# Title\n\n## a.b\n\nText.\n\n- Item.\n\n## a.b.c\n\nOther.\n";
        assert_eq!(section_of(page, "a.b"), "Text.\n\n- Item.");
        assert_eq!(section_of(page, "a.b.c"), "Other.");
        assert_eq!(section_of(page, "a"), "");
    }

    #[test]
    fn every_check_has_a_section() {
        for id in CheckId::ALL {
            assert!(section(*id).len() > 40, "{id}");
        }
    }
}
