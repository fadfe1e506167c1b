//! Events as lines of a table, fitted to the width of the terminal.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::cloudtrail::record::Record;
use crate::render::{Tone, Ui};
use crate::sanitize::{escape_control_chars, is_printable_ascii};
use crate::severity::SeverityLevel;
use crate::tail::account_names::AccountNames;

pub(super) const TABLE_HEADINGS: [&str; 8] = [
    "TIME", "LEVEL", "ACCOUNT", "REGION", "SERVICE", "EVENT", "ACTOR", "ERROR",
];

/// Writes a table line. No column contains request parameters or response elements, so no secret can occur in it.
pub(super) fn push_table_line(
    ui: Ui,
    layout: &ColumnLayout,
    record: &Record<'_>,
    level: SeverityLevel,
    accounts: &AccountNames,
    out: &mut Vec<u8>,
) {
    // A failed console sign-in has an error message but no error code.
    let error = record.error_code().or_else(|| record.error_message());
    let error = error.map(sanitize).unwrap_or_default();
    let texts = [
        time_for_width(ui, layout, field_or_dash(record.event_time())),
        Cow::Borrowed(level.name()),
        field_or_dash(record.account().map(|id| match accounts.get(&*id) {
            Some(name) => Cow::Borrowed(name.as_str()),
            None => id,
        })),
        field_or_dash(record.region()),
        field_or_dash(record.service()),
        field_or_dash(record.event_name()),
        field_or_dash(record.actor()),
        error,
    ];
    let mut line = String::with_capacity(160);
    push_columns(ui, layout, &texts, Some(level), &mut line);
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

fn field_or_dash(field: Option<Cow<'_, str>>) -> Cow<'_, str> {
    field.map_or(Cow::Borrowed("-"), sanitize)
}

fn sanitize(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_printable_ascii(&text) {
        text
    } else {
        Cow::Owned(escape_control_chars(&text))
    }
}

/// The widths of all columns but the last, which takes the rest, and the space between columns.
#[derive(Clone, Copy, Debug)]
pub struct ColumnLayout {
    widths: [usize; 7],
    space: usize,
}

/// The position of the account in the columns.
const ACCOUNT_COLUMN: usize = 2;
/// The width of a terminal from which on all columns have their full width.
const WIDE_TERMINAL: usize = 154;

const WIDE: ColumnLayout = ColumnLayout {
    widths: [20, 6, 12, 14, 14, 28, 32],
    space: 2,
};
const NARROW: ColumnLayout = ColumnLayout {
    widths: [9, 6, 12, 9, 7, 11, 8],
    space: 1,
};
/// The width of a terminal for which the narrow layout is made.
const NARROW_TERMINAL: usize = 80;
/// The columns that get the first additional space, each up to a width: event, region, actor and service.
const FIRST_GROWTH: [(usize, usize); 4] = [(5, 24), (3, 14), (6, 16), (4, 12)];
/// The space that the last column gets before other columns grow further.
const ERROR_GROWTH: usize = 9;
/// The columns that get the remaining space, each up to a width: actor, event and service.
const SECOND_GROWTH: [(usize, usize); 3] = [(6, 24), (5, 28), (4, 14)];

impl ColumnLayout {
    /// Creates the layout for the width of the terminal and the names of the accounts. On a narrow terminal all columns
    /// are present, but shortened. Piped output has room for the longest account name.
    #[must_use]
    pub fn new(ui: &Ui, accounts: &AccountNames) -> Self {
        let mut layout = match ui.stdout.width {
            Some(width) if width < WIDE_TERMINAL => Self::below_full_width(width),
            Some(_) | None => WIDE,
        };
        let longest = accounts.values().map(|name| sanitized_width(name)).max();
        let longest = longest.unwrap_or_default();
        let account_width = &mut layout.widths[ACCOUNT_COLUMN];
        let room = match ui.stdout.width {
            // The last column gets the other half of what is left.
            Some(width) => *account_width + width.saturating_sub(WIDE_TERMINAL) / 2,
            None => longest,
        };
        *account_width = longest.min(room).max(*account_width);
        layout
    }
}

impl ColumnLayout {
    /// The layout of a terminal on which not all columns have their full width.
    fn below_full_width(width: usize) -> Self {
        let mut layout = NARROW;
        let mut left = width.saturating_sub(NARROW_TERMINAL);
        let mut grow = |growth: &[(usize, usize)], left: usize| {
            growth.iter().fold(left, |left, (column, target)| {
                let width = &mut layout.widths[*column];
                let added = left.min(target.saturating_sub(*width));
                *width += added;
                left - added
            })
        };
        left = grow(&FIRST_GROWTH, left);
        left = grow(&SECOND_GROWTH, left.saturating_sub(ERROR_GROWTH));
        if left >= layout.widths.len() {
            layout.space = WIDE.space;
        }
        layout
    }
}

fn sanitized_width(name: &str) -> usize {
    sanitize(Cow::Borrowed(name)).width()
}

/// The time of day if the date does not fit.
pub(super) fn time_for_width<'a>(
    ui: Ui,
    layout: &ColumnLayout,
    time: Cow<'a, str>,
) -> Cow<'a, str> {
    let has_room = time.len() <= layout.widths[0] || ui.stdout.width.is_none();
    match time.split_once('T') {
        Some((_, of_day)) if !has_room => Cow::Owned(of_day.to_owned()),
        _ => time,
    }
}

/// Writes aligned columns, each shortened to its width. Piped output is not shortened.
pub(super) fn push_columns<T: AsRef<str>>(
    ui: Ui,
    layout: &ColumnLayout,
    texts: &[T; 8],
    level: Option<SeverityLevel>,
    line: &mut String,
) {
    let mut rest = ui.stdout.width;
    for (number, text) in texts.iter().enumerate() {
        let width = layout.widths.get(number).copied();
        let room = ui.stdout.width.and(width).or(rest);
        let used = match cell_tone(number, level, text.as_ref()) {
            Some(tone) if ui.stdout.color => {
                let mut cell = String::new();
                let used = push_cell(ui, text.as_ref(), room, &mut cell);
                line.push_str(&ui.paint(tone, &cell));
                used
            }
            _ => push_cell(ui, text.as_ref(), room, line),
        };
        let Some(width) = width else {
            break;
        };
        let space = width.saturating_sub(used) + layout.space;
        line.extend(std::iter::repeat_n(' ', space));
        rest = rest.map(|rest| rest.saturating_sub(width + layout.space));
    }
    line.truncate(line.trim_end().len());
}

/// The colour of a cell: severities and errors are coloured.
fn cell_tone(column: usize, level: Option<SeverityLevel>, text: &str) -> Option<Tone> {
    match (column, level?) {
        (1, SeverityLevel::High) => Some(Tone::Bad),
        (1, SeverityLevel::Medium) => Some(Tone::Change),
        (7, _) if !text.is_empty() => Some(Tone::Change),
        _ => None,
    }
}

/// Writes the text, shortened with an ellipsis if it is too long, and returns its display width.
fn push_cell(ui: Ui, text: &str, room: Option<usize>, line: &mut String) -> usize {
    let width = if is_printable_ascii(text) {
        text.len()
    } else {
        text.width()
    };
    let Some(room) = room.filter(|room| width > *room) else {
        line.push_str(text);
        return width;
    };
    let mut used = 0;
    for letter in text.chars() {
        let width = letter.width().unwrap_or_default();
        if used + width >= room {
            break;
        }
        line.push(letter);
        used += width;
    }
    line.push_str(ui.symbol("…", "~"));
    used + 1
}
