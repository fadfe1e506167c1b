//! Views with the accounts of the organization. One statement could not name the accounts of a large organization.

use super::sql::{literal, wrapped};

/// The size from which the next account is in another view, in bytes. Athena accepts statements of 262,144 bytes.
const MAX_LIST_BYTES: usize = 100_000;

/// Returns the name and the statement of each view. The last one has all accounts; if they do not fit into one statement,
/// it is the union of the others.
pub(super) fn account_views(accounts: &[(String, String)], name: &str) -> Vec<(String, String)> {
    let rows: Vec<String> = accounts
        .iter()
        .map(|(id, account)| format!("({}, {})", literal(id), literal(account)))
        .collect();
    let mut parts: Vec<&[String]> = Vec::new();
    let mut rest = rows.as_slice();
    while !rest.is_empty() {
        let mut bytes = 0;
        let count = rest.iter().take_while(|row| {
            bytes += row.len();
            bytes <= MAX_LIST_BYTES
        });
        let (part, others) = rest.split_at(count.count().max(1));
        parts.push(part);
        rest = others;
    }
    if let [only] = parts[..] {
        return vec![(name.to_owned(), account_view(only, name))];
    }
    let numbered = parts.iter().zip(1..);
    let mut views: Vec<(String, String)> = numbered
        .map(|(part, number)| {
            let name = format!("{name}_{number}");
            let sql = account_view(part, &name);
            (name, sql)
        })
        .collect();
    let selects: Vec<String> = views
        .iter()
        .map(|(part, _)| format!("SELECT account, account_name FROM {part}"))
        .collect();
    let union = format!(
        "CREATE OR REPLACE VIEW {name} AS\n{}",
        selects.join("\nUNION ALL\n")
    );
    views.push((name.to_owned(), union));
    views
}

fn account_view(rows: &[String], name: &str) -> String {
    format!(
        "CREATE OR REPLACE VIEW {name} AS\nSELECT account, account_name\nFROM (VALUES\n  {}\n) AS list (account, account_name)",
        wrapped(rows, "  ")
    )
}
