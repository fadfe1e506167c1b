//! The coverage as one self-contained HTML page: the matrix as a table with colors, signs and filters.
//!
//! The page loads nothing from elsewhere, and its table is readable without scripts. Its policy forbids connections.

use std::io::{self, Write};

use super::{CoverageReport, age, grouped, meaning, plural, rfc3339};
use crate::coverage::{AccountCoverage, PairStatus};
use crate::sanitize::escape_control_chars;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the page.
///
/// # Errors
/// When the output cannot be written.
pub fn write_page(report: &CoverageReport<'_>, mut out: impl Write) -> io::Result<()> {
    let target = report.target;
    let title = format!(
        "CloudTrail coverage of {}",
        escape_html(&target.organization)
    );
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n"
    )?;
    write_summary(report, &mut out)?;
    writeln!(out, "</header>\n<main>")?;
    write_filters(report, &mut out)?;
    write_table(report, &mut out)?;
    write!(
        out,
        "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )?;
    out.flush()
}

fn write_summary(report: &CoverageReport<'_>, out: &mut impl Write) -> io::Result<()> {
    let target = report.target;
    let gaps = report.counts.get(PairStatus::Nothing);
    let with_gap = report.accounts.iter().filter(|each| each.has_gap()).count();
    let result = match gaps {
        0 => format!("No gap in {}", plural(report.accounts.len(), "account")),
        _ => format!(
            "{} in {} of {}",
            plural(gaps, "gap"),
            grouped(with_gap),
            plural(report.accounts.len(), "account")
        ),
    };
    writeln!(
        out,
        "<p class=\"result\">{result} and {}.</p>\n<dl>\n\
         <div><dt>Trail</dt><dd>{}</dd></div>\n\
         <div><dt>Log files</dt><dd>s3://{}/{}</dd></div>\n\
         <div><dt>Checked</dt><dd><time datetime=\"{checked}\">{checked}</time></dd></div>\n\
         <div><dt>Recent since</dt><dd><time datetime=\"{since}\">{since}</time></dd></div>\n</dl>",
        plural(report.regions.len(), "region"),
        escape_html(&target.trail_arn),
        escape_html(&target.bucket),
        escape_html(&target.log_prefix),
        checked = rfc3339(report.checked_at),
        since = rfc3339(report.since),
    )?;
    if !target.has_digests {
        writeln!(
            out,
            "<p>Log file validation is off, so a gap looks like a region without activity.</p>"
        )?;
    }
    if target.has_digests && !report.scan.expects_digests {
        writeln!(
            out,
            "<p>The trail has no digest file that is older than two hours, so a gap looks like a region without \
             activity.</p>"
        )?;
    }
    if report.scan.lacks_opt_in_regions {
        writeln!(
            out,
            "<p>Opt-in regions of some member accounts are not known.</p>"
        )?;
    }
    Ok(())
}

/// Writes the filters, which are also the legend: one checkbox per status with its sign and its number of cells.
fn write_filters(report: &CoverageReport<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<form id=\"filters\" aria-label=\"Filters\">\n<p><label for=\"search\">Account or name</label> \
         <input id=\"search\" type=\"search\" autocomplete=\"off\"></p>\n\
         <fieldset>\n<legend>Show accounts with at least one region of</legend>"
    )?;
    for status in PairStatus::ALL {
        let count = report.counts.get(status);
        if count == 0 {
            continue;
        }
        let name = status.name();
        writeln!(
            out,
            "<label><input type=\"checkbox\" name=\"status\" value=\"{name}\" checked> \
             <span class=\"sign {name}\" aria-hidden=\"true\">{}</span> {} ({})</label>",
            page_sign(status),
            meaning(status),
            grouped(count)
        )?;
    }
    writeln!(
        out,
        "</fieldset>\n</form>\n<p id=\"shown\" role=\"status\">{} shown.</p>",
        plural(report.accounts.len(), "account")
    )
}

fn write_table(report: &CoverageReport<'_>, out: &mut impl Write) -> io::Result<()> {
    write!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"caption\">\n<table>\n\
         <caption id=\"caption\">Deliveries by account and region</caption>\n\
         <thead>\n<tr><th scope=\"col\">Account</th><th scope=\"col\">Last event</th>"
    )?;
    for region in report.regions {
        write!(
            out,
            "<th scope=\"col\" class=\"region\"><span>{}</span></th>",
            escape_html(region)
        )?;
    }
    writeln!(out, "</tr>\n</thead>\n<tbody>")?;
    for account in report.accounts {
        write_row(report, account, out)?;
    }
    writeln!(out, "</tbody>\n</table>\n</div>")
}

fn write_row(
    report: &CoverageReport<'_>,
    account: &AccountCoverage,
    out: &mut impl Write,
) -> io::Result<()> {
    let last = account.last_event();
    let name = escape_html(&account.name);
    write!(
        out,
        "<tr><th scope=\"row\"><span class=\"id\">{}</span> <span class=\"name\">{name}</span>",
        escape_html(&account.account)
    )?;
    if account.state != "ACTIVE" {
        write!(
            out,
            " <span class=\"state\">{}</span>",
            escape_html(&account.state)
        )?;
    }
    write!(out, "</th><td class=\"last\">")?;
    match last {
        Some(time) => write!(
            out,
            "<time datetime=\"{}\">{}</time>",
            rfc3339(time.to_system_time()),
            age(last, report.checked_at)
        )?,
        None => write!(out, "never")?,
    }
    write!(out, "</td>")?;
    for region in report.regions {
        let pair = account.pair(region);
        let name = pair.status.name();
        let mut title = format!("{}: {}", &**region, meaning(pair.status));
        for (label, time) in [
            ("last log file", pair.last_event),
            ("last digest", pair.last_digest),
        ] {
            if let Some(time) = time {
                let time = rfc3339(time.to_system_time());
                title = format!("{title}, {label} {time}");
            }
        }
        write!(
            out,
            "<td class=\"{name}\" title=\"{}\"><span aria-hidden=\"true\">{}</span><span class=\"text\">{}</span></td>",
            escape_html(&title),
            page_sign(pair.status),
            escape_html(cell_text(pair.status)),
        )?;
    }
    writeln!(out, "</tr>")
}

/// The sign of a status on the page. Its shape differs, so that the color is not needed.
fn page_sign(status: PairStatus) -> &'static str {
    match status {
        PairStatus::Events => "✓",
        PairStatus::DigestOnly => "–",
        PairStatus::Nothing => "✗",
        PairStatus::NotExpected => "·",
        PairStatus::Unknown => "?",
    }
}

/// The text of a cell for screen readers.
fn cell_text(status: PairStatus) -> &'static str {
    match status {
        PairStatus::Events => "events",
        PairStatus::DigestOnly => "digest only",
        PairStatus::Nothing => "nothing",
        PairStatus::NotExpected => "not expected",
        PairStatus::Unknown => "unknown",
    }
}

/// Escapes text for HTML content and attributes.
fn escape_html(text: &str) -> String {
    let mut escaped = String::new();
    for c in escape_control_chars(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_names_cannot_contain_markup() {
        assert_eq!(
            escape_html("<b title='x'>\"a\" & \u{1b}[1m"),
            "&lt;b title=&#39;x&#39;&gt;&quot;a&quot; &amp; \\u{1b}[1m"
        );
    }
}
