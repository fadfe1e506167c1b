//! Events as lines of a table, fitted to the width of the terminal.

use std::borrow::Cow;

use clap::ValueEnum;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::cloudtrail::record::Record;
use crate::render::{Tone, Ui};
use crate::sanitize::{escape_control_chars, is_printable_ascii};
use crate::severity::SeverityLevel;
use crate::tail::account_names::AccountNames;

/// A column of the table of events. No column contains request parameters or response elements, so no secret can occur
/// in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EventColumn {
    /// Time of the call, in UTC
    Time,
    /// Severity
    Level,
    /// Name of the account, or its ID
    Account,
    AccountId,
    Region,
    Service,
    /// Name of the event
    Event,
    /// User, role session or service that made the call
    Actor,
    /// IP address or service that the call came from
    SourceAddress,
    UserAgent,
    /// ARN of the first resource
    Resource,
    /// Error code, or the message of a failed sign-in
    Error,
    /// True for a call that only reads
    ReadOnly,
    EventId,
}

/// The columns without `--columns`, on a terminal that is wide enough for all of them.
pub(super) const DEFAULT_COLUMNS: [EventColumn; 8] = [
    EventColumn::Time,
    EventColumn::Level,
    EventColumn::Account,
    EventColumn::Region,
    EventColumn::Service,
    EventColumn::Event,
    EventColumn::Actor,
    EventColumn::Error,
];

/// The columns that a narrow terminal leaves out, the first one first.
const OPTIONAL_COLUMNS: [EventColumn; 2] = [EventColumn::Region, EventColumn::Service];

/// The width of a date and time.
const FULL_TIME: usize = 20;
/// The least width of an account name, which is that of an account ID.
const ACCOUNT_ID: usize = 12;

impl EventColumn {
    fn heading(self) -> &'static str {
        match self {
            Self::Time => "TIME",
            Self::Level => "LEVEL",
            Self::Account => "ACCOUNT",
            Self::AccountId => "ACCOUNT ID",
            Self::Region => "REGION",
            Self::Service => "SERVICE",
            Self::Event => "EVENT",
            Self::Actor => "ACTOR",
            Self::SourceAddress => "SOURCE",
            Self::UserAgent => "USER AGENT",
            Self::Resource => "RESOURCE",
            Self::Error => "ERROR",
            Self::ReadOnly => "READ ONLY",
            Self::EventId => "EVENT ID",
        }
    }

    /// The width on a narrow terminal. An actor may also use the space of an empty column behind it.
    fn min_width(self) -> usize {
        match self {
            Self::Time | Self::Service | Self::Region | Self::ReadOnly => 9,
            Self::Level => 6,
            Self::Account | Self::AccountId => ACCOUNT_ID,
            Self::Actor | Self::Error => 12,
            Self::Event | Self::Resource => 24,
            Self::SourceAddress | Self::UserAgent => 15,
            Self::EventId => 36,
        }
    }

    /// The width in a pipe and on a wide terminal.
    fn full_width(self, longest_account: usize) -> usize {
        match self {
            Self::Time => FULL_TIME,
            Self::Account => longest_account.max(ACCOUNT_ID),
            Self::Region | Self::Service => 14,
            Self::Event => 28,
            Self::Actor => 32,
            Self::SourceAddress => 39,
            Self::UserAgent | Self::Error => 40,
            Self::Resource => 60,
            _ => self.min_width(),
        }
    }

    fn text<'a>(
        self,
        record: &Record<'a>,
        level: SeverityLevel,
        accounts: &'a AccountNames,
    ) -> Cow<'a, str> {
        let field = match self {
            Self::Time => record.event_time(),
            Self::Level => return Cow::Borrowed(level.name()),
            Self::Account => record.account().map(|id| match accounts.get(&*id) {
                Some(name) => Cow::Borrowed(name.as_str()),
                None => id,
            }),
            Self::AccountId => record.account(),
            Self::Region => record.region(),
            Self::Service => record.service(),
            Self::Event => record.event_name(),
            Self::Actor => record.actor(),
            Self::SourceAddress => record.source_address(),
            Self::UserAgent => record.user_agent(),
            Self::Resource => record.resource(),
            // A failed console sign-in has an error message but no error code.
            Self::Error => {
                let error = record.error_code().or_else(|| record.error_message());
                return error.map(sanitize).unwrap_or_default();
            }
            Self::ReadOnly => record.read_only().map(|flag| flag.to_string().into()),
            Self::EventId => record.event_id(),
        };
        field.map_or(Cow::Borrowed("-"), sanitize)
    }

    /// The colour of a cell: severities and errors are coloured.
    fn tone(self, level: SeverityLevel, text: &str) -> Option<Tone> {
        match (self, level) {
            (Self::Level, SeverityLevel::High) => Some(Tone::Bad),
            (Self::Level, SeverityLevel::Medium) => Some(Tone::Change),
            (Self::Error, _) if !text.is_empty() => Some(Tone::Change),
            _ => None,
        }
    }
}

/// Writes a table line.
pub(super) fn push_table_line(
    ui: Ui,
    layout: &ColumnLayout,
    record: &Record<'_>,
    level: SeverityLevel,
    accounts: &AccountNames,
    out: &mut Vec<u8>,
) {
    let columns = layout.columns.iter();
    let texts: Vec<Cow<'_, str>> = columns
        .map(|column| {
            let text = column.column.text(record, level, accounts);
            match column.column {
                EventColumn::Time => time_for_width(column.width, text),
                _ => text,
            }
        })
        .collect();
    let mut line = String::with_capacity(160);
    push_columns(ui, layout, &texts, Some(level), &mut line);
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

/// Writes the line with the names of the columns.
pub(super) fn push_headings(ui: Ui, layout: &ColumnLayout, line: &mut String) {
    let columns = layout.columns.iter();
    let texts: Vec<&str> = columns.map(|column| column.column.heading()).collect();
    push_columns(ui, layout, &texts, None, line);
}

fn sanitize(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_printable_ascii(&text) {
        text
    } else {
        Cow::Owned(escape_control_chars(&text))
    }
}

/// The columns of a table and their widths. On a terminal, the last one takes the rest of the line.
#[derive(Clone, Debug)]
pub struct ColumnLayout {
    pub(super) columns: Vec<ColumnWidth>,
    space: usize,
}

/// A column and the number of its display columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct ColumnWidth {
    pub(super) column: EventColumn,
    pub(super) width: usize,
}

impl ColumnLayout {
    /// Creates the layout for the width of the terminal, the names of the accounts, and the requested columns. Without
    /// requested ones, a narrow terminal shows fewer columns.
    #[must_use]
    pub fn new(ui: &Ui, accounts: &AccountNames, requested: &[EventColumn]) -> Self {
        let longest = accounts.values().map(|name| sanitized_width(name)).max();
        let longest = longest.unwrap_or_default();
        let mut columns = requested.to_vec();
        if columns.is_empty() {
            columns.extend(DEFAULT_COLUMNS);
        }
        let with_width = |width: &dyn Fn(EventColumn) -> usize, columns: &[EventColumn]| {
            let columns = columns.iter().map(|column| ColumnWidth {
                column: *column,
                width: width(*column),
            });
            columns.collect::<Vec<_>>()
        };
        let full_width = |column: EventColumn| column.full_width(longest);
        let Some(terminal) = ui.stdout.width else {
            return Self {
                columns: with_width(&full_width, &columns),
                space: 2,
            };
        };
        let least = |columns: &[EventColumn]| -> usize {
            columns.iter().map(|column| column.min_width() + 1).sum()
        };
        for optional in OPTIONAL_COLUMNS {
            if requested.is_empty() && least(&columns) > terminal + 1 {
                columns.retain(|column| *column != optional);
            }
        }
        let mut layout = Self {
            columns: with_width(&EventColumn::min_width, &columns),
            space: 1,
        };
        layout.grow(terminal, longest);
        layout
    }

    /// Gives the columns the space that is left, or takes from the widest ones if there is too little.
    fn grow(&mut self, terminal: usize, longest_account: usize) {
        const LEAST_WIDTH: usize = 4;
        while self.width() > terminal {
            let Some(widest) = self.columns.iter_mut().max_by_key(|column| column.width) else {
                return;
            };
            if widest.width <= LEAST_WIDTH {
                return;
            }
            widest.width -= 1;
        }
        let account = longest_account.clamp(ACCOUNT_ID, 24);
        let goals = [
            (EventColumn::Actor, 24),
            (EventColumn::Service, 12),
            (EventColumn::Region, 14),
            (EventColumn::Account, account),
            (EventColumn::Event, 28),
            (EventColumn::Time, FULL_TIME),
            (EventColumn::Service, 14),
            (EventColumn::Actor, 32),
            (EventColumn::Account, longest_account),
            (EventColumn::SourceAddress, 39),
            (EventColumn::Resource, 60),
            (EventColumn::UserAgent, 40),
        ];
        for (name, goal) in goals {
            let left = terminal.saturating_sub(self.width());
            let Some(column) = self.columns.iter_mut().find(|column| column.column == name) else {
                continue;
            };
            let missing = goal.saturating_sub(column.width);
            // A part of a date would be useless.
            if name != EventColumn::Time || missing <= left {
                column.width += missing.min(left);
            }
        }
        let spaces = self.columns.len().saturating_sub(1);
        if self.width() + spaces <= terminal {
            self.space = 2;
        }
    }

    fn width(&self) -> usize {
        let spaces = self.columns.len().saturating_sub(1) * self.space;
        let widths = self.columns.iter().map(|column| column.width);
        widths.sum::<usize>() + spaces
    }

    /// Returns true if the time column has no room for the date.
    #[must_use]
    pub fn omits_dates(&self) -> bool {
        let is_short =
            |column: &ColumnWidth| column.column == EventColumn::Time && column.width < FULL_TIME;
        self.columns.iter().any(is_short)
    }
}

fn sanitized_width(name: &str) -> usize {
    sanitize(Cow::Borrowed(name)).width()
}

/// The time of day if the date does not fit.
pub(super) fn time_for_width(width: usize, time: Cow<'_, str>) -> Cow<'_, str> {
    match time.split_once('T') {
        Some((date, of_day)) if date.len() == "2026-01-02".len() && time.len() > width => {
            Cow::Owned(of_day.to_owned())
        }
        _ => time,
    }
}

/// Writes aligned columns. On a terminal, each is shortened to its width and that of the empty columns behind it.
pub(super) fn push_columns<T: AsRef<str>>(
    ui: Ui,
    layout: &ColumnLayout,
    texts: &[T],
    level: Option<SeverityLevel>,
    line: &mut String,
) {
    // The display columns at which the cell begins, and that are written.
    let (mut start, mut written) = (0, 0);
    for (number, (column, text)) in layout.columns.iter().zip(texts).enumerate() {
        let text = text.as_ref();
        let behind = texts.iter().skip(number + 1);
        let empty = behind.take_while(|text| text.as_ref().is_empty()).count();
        let next_columns = layout.columns.iter().skip(number + 1);
        let end = start + column.width + layout.space;
        if !text.is_empty() {
            let least = if written == 0 { 0 } else { layout.space };
            let space = start.saturating_sub(written).max(least);
            line.extend(std::iter::repeat_n(' ', space));
            written += space;
            let is_last = number + 1 + empty >= layout.columns.len();
            let room = ui.stdout.width.map(|terminal| {
                if is_last {
                    terminal.saturating_sub(written)
                } else {
                    let empty_columns = next_columns.take(empty);
                    let empty_width: usize =
                        empty_columns.map(|next| next.width + layout.space).sum();
                    column.width + empty_width
                }
            });
            written += match level.and_then(|level| column.column.tone(level, text)) {
                Some(tone) if ui.stdout.color => {
                    let mut cell = String::new();
                    let used = push_cell(ui, text, room, &mut cell);
                    line.push_str(&ui.paint(tone, &cell));
                    used
                }
                _ => push_cell(ui, text, room, line),
            };
        }
        start = end;
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
