//! The table of a plan: action, kind and name of each resource, with details below.

use comfy_table::{Table, presets};

use super::{Tone, Ui};

/// The table of a plan. Columns are as wide as their texts; colors are added afterwards, because they have no width.
pub(super) struct ActionTable {
    table: Table,
    /// For each row, the label of its action and the color; `None` for a detail.
    labels: Vec<Option<(String, Tone)>>,
}

impl ActionTable {
    pub(super) fn new() -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        Self {
            table,
            labels: Vec::new(),
        }
    }

    /// Adds a row. `label` is the symbol, the word and the color of the action.
    pub(super) fn add_action(&mut self, label: (&str, &str, Tone), kind: &str, text: String) {
        let (symbol, word, tone) = label;
        let label = format!("{symbol} {word}");
        self.table.add_row([label.clone(), kind.to_owned(), text]);
        self.labels.push(Some((label, tone)));
    }

    /// Adds a line below the third column of the last row.
    pub(super) fn add_detail(&mut self, text: String) {
        self.table.add_row([String::new(), String::new(), text]);
        self.labels.push(None);
    }

    /// Formats the table for stdout. Text that is too long for the terminal continues below the third column.
    pub(super) fn to_text(&self, ui: Ui) -> String {
        let widths = self.table.column_max_content_widths();
        // Each column has a blank on both sides.
        let third_column = 1 + widths
            .iter()
            .take(2)
            .map(|width| usize::from(*width) + 2)
            .sum::<usize>();
        let rows = self.table.lines().zip(&self.labels).map(|(line, label)| {
            let indent = third_column + if label.is_none() { 2 } else { 0 };
            let row = ui.wrap_stdout(line.trim_end(), indent);
            let row = match label {
                Some((label, tone)) => row.replacen(label, &ui.paint(*tone, label), 1),
                None => row,
            };
            format!("{row}\n")
        });
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    const ROWS: [((&str, &str, Tone), &str, &str); 4] = [
        (("+", "create", Tone::Good), "kms key", "alias/heeler"),
        (("~", "update", Tone::Change), "sqs queue policy", "events"),
        (("=", "keep", Tone::Faint), "iam role", "ロール"),
        (("!", "conflict", Tone::Bad), "sns topic", "announcements"),
    ];

    fn table() -> ActionTable {
        let mut table = ActionTable::new();
        for (label, kind, name) in ROWS {
            table.add_action(label, kind, name.to_owned());
            table.add_detail(format!("detail of {name}"));
        }
        table
    }

    /// Removes the escape sequences, each of which ends with `m`.
    fn without_colors(text: &str) -> String {
        let mut parts = text.split('\u{1b}');
        let first = parts.next().unwrap_or_default().to_owned();
        let rest = parts.filter_map(|part| part.split_once('m'));
        first + &rest.map(|(_, text)| text).collect::<String>()
    }

    #[test]
    fn colors_do_not_move_columns() {
        for width in [None, Some(40), Some(80)] {
            let plain = table().to_text(Ui::plain(width));
            let colored = table().to_text(Ui::plain(width).with_color());
            assert_ne!(plain, colored);
            assert_eq!(without_colors(&colored), plain);
        }
    }

    #[test]
    fn columns_are_aligned() {
        let text = table().to_text(Ui::plain(None));
        for (number, line) in text.lines().enumerate() {
            let (_, _, name) = ROWS[number / 2];
            let text = if number % 2 == 0 { name } else { "detail" };
            let before = line.split_once(text).map(|(before, _)| before.width());
            assert_eq!(before, Some(31), "{line}");
        }
    }
}
