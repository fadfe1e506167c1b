//! Tests of the output of events: escapes, quotes and widths of columns.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

use super::table::{DEFAULT_COLUMNS, push_columns, time_for_width};
use super::*;
use crate::severity::SeverityLevel;
use crate::tail::account_names::AccountNames;

fn format_with(write: impl Fn(&Record<'_>, &mut Vec<u8>), record: &str) -> String {
    let mut out = Vec::new();
    write(&Record::read(record).expect("a record"), &mut out);
    String::from_utf8(out).expect("text")
}

#[test]
fn json_on_a_terminal_is_escaped() {
    let text = "{\"userAgent\":\"a\\n\u{9b}31m\u{202e}ü\"}";
    let on = |width| format_with(|record, out| push_json(Ui::plain(width), record, out), text);
    assert_eq!(on(Some(80)), "{\"userAgent\":\"a\\n\\u009b31m\\u202eü\"}\n");
    assert_eq!(on(None), format!("{text}\n"));
}

#[test]
fn csv_row_is_quoted_and_escapes_formulas() {
    let record = r#"{"eventTime":"2026-01-02T03:04:05Z","recipientAccountId":"111122223333","awsRegion":"eu-west-1","eventSource":"s3.amazonaws.com","eventName":"=cmd|'/C calc'!A0","userIdentity":{"userName":"a, \"b\""},"sourceIPAddress":"@SUM(1)","errorCode":"-1","errorMessage":"no\n\u001b[31m","readOnly":false,"eventID":"e"}"#;
    assert_eq!(
        format_with(
            |record, out| push_csv_row(record, SeverityLevel::High, out),
            record
        ),
        "2026-01-02T03:04:05Z,111122223333,eu-west-1,s3,\"'=cmd|'/C calc'!A0\",\"a, \"\"b\"\"\",\"'@SUM(1)\",\"'-1\",no\\n\\u{1b}[31m,false,e,high\r\n"
    );
    let empty = format_with(
        |record, out| push_csv_row(record, SeverityLevel::Low, out),
        "{}",
    );
    assert_eq!(empty, ",,,,,,,,,,,low\r\n");
}

const TEXTS: [&str; 8] = [
    "2026-01-02T03:04:05Z",
    "medium",
    "111122223333",
    "ap-southeast-1",
    "cloudformation",
    "DescribeReplicationConfigurationTemplates",
    "deploy-with-a-long-name/session-of-the-build",
    "Client.UnauthorizedOperation",
];

fn table_line_at(width: Option<usize>, texts: [&str; 8]) -> String {
    table_line(Ui::plain(width), &AccountNames::new(), texts)
}

/// A line with these texts of the default columns, without those that do not fit.
fn table_line(ui: Ui, accounts: &AccountNames, texts: [&str; 8]) -> String {
    let layout = ColumnLayout::new(&ui, accounts, &[]);
    let texts: Vec<Cow<'_, str>> = layout
        .columns
        .iter()
        .map(|shown| {
            let mut defaults = DEFAULT_COLUMNS.iter().zip(texts);
            let found = defaults.find(|(column, _)| **column == shown.column);
            let text = Cow::Borrowed(found.expect("a default column").1);
            match shown.column {
                EventColumn::Time => time_for_width(shown.width, text),
                _ => text,
            }
        })
        .collect();
    let mut line = String::new();
    push_columns(ui, &layout, &texts, None, &mut line);
    line
}

const WIDTHS: [usize; 11] = [80, 89, 90, 99, 100, 120, 130, 153, 154, 160, 200];

#[test]
fn every_column_fits_every_terminal_width() {
    for width in WIDTHS {
        let line = table_line_at(Some(width), TEXTS);
        assert!(line.width() <= width, "{width}: {line}");
        assert!(
            line.contains("03:04:05Z") && line.contains("Client.Una"),
            "{width}: {line}"
        );
    }
}

#[test]
fn event_and_actor_use_empty_columns() {
    let mut texts = TEXTS;
    texts[7] = "";
    for width in WIDTHS {
        let line = table_line_at(Some(width), texts);
        assert!(line.width() <= width, "{width}: {line}");
        for text in [TEXTS[5], TEXTS[6]] {
            assert!(line.contains(&text[..23]), "{width}: {line}");
        }
    }
}

#[test]
fn narrow_terminal_omits_region_first() {
    let shown = |width: usize| {
        let layout = ColumnLayout::new(&Ui::plain(Some(width)), &AccountNames::new(), &[]);
        let has = |column| layout.columns.iter().any(|shown| shown.column == column);
        (has(EventColumn::Region), has(EventColumn::Service))
    };
    assert_eq!(shown(80), (false, false));
    assert_eq!(shown(95), (false, true));
    assert_eq!(shown(100), (true, true));
}

#[test]
fn requested_columns_are_never_omitted() {
    let columns = [
        EventColumn::Resource,
        EventColumn::UserAgent,
        EventColumn::SourceAddress,
        EventColumn::EventId,
        EventColumn::Region,
    ];
    for width in [40, 80, 120, 200] {
        let ui = Ui::plain(Some(width));
        let layout = ColumnLayout::new(&ui, &AccountNames::new(), &columns);
        let mut line = String::new();
        push_columns(ui, &layout, &["x".repeat(99).as_str(); 5], None, &mut line);
        assert_eq!(line.split_whitespace().count(), 5, "{width}: {line}");
        assert!(line.width() <= width, "{width}: {line}");
    }
}

#[test]
fn source_agent_and_resource_are_columns() {
    let record = r#"{"eventTime":"2026-01-02T03:04:05Z","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli","resources":[{"ARN":"arn:aws:s3:::logs"}],"readOnly":true}"#;
    let columns = [
        EventColumn::SourceAddress,
        EventColumn::Error,
        EventColumn::UserAgent,
        EventColumn::Resource,
        EventColumn::ReadOnly,
        EventColumn::Region,
    ];
    let (ui, names) = (Ui::plain(None), AccountNames::new());
    let layout = ColumnLayout::new(&ui, &names, &columns);
    let line = format_with(
        |record, out| push_table_line(ui, &layout, record, SeverityLevel::Low, &names, out),
        record,
    );
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(
        words,
        ["192.0.2.1", "aws-cli", "arn:aws:s3:::logs", "true", "-"]
    );
    let mut heading = String::new();
    push_headings(ui, &layout, &mut heading);
    assert_eq!(
        heading.find("REGION"),
        line.find('-').map(|_| line.trim_end().len() - 1)
    );
}

#[test]
fn wide_characters_keep_columns_aligned() {
    let mut texts = TEXTS;
    texts[6] = "管理者管理者管理者管理者管理者管理者";
    for width in [80, 120, 200] {
        let line = table_line_at(Some(width), texts);
        assert!(line.width() <= width, "{width}: {line}");
        assert!(line.contains("Client.Una"), "{width}: {line}");
    }
}

#[test]
fn long_account_names_keep_columns_aligned() {
    const NAMES: [&str; 3] = ["dev", "platform-production-eu", "データ分析-本番環境"];
    let accounts = NAMES.iter().enumerate();
    let accounts: AccountNames = accounts
        .map(|(number, name)| (number.to_string(), (*name).to_owned()))
        .collect();
    for width in [None, Some(80), Some(130), Some(160), Some(200)] {
        let columns = NAMES.map(|name| {
            let mut texts = TEXTS;
            (texts[2], texts[5]) = (name, "EVENT");
            let line = table_line(Ui::plain(width), &accounts, texts);
            assert!(width.is_none_or(|width| line.width() <= width), "{line}");
            let is_whole = width.is_none_or(|width| width >= 160);
            assert!(!is_whole || line.contains(name), "{width:?}: {line}");
            line.split_once("EVENT").map(|(before, _)| before.width())
        });
        assert!(columns[0].is_some(), "{width:?}");
        assert_eq!(columns, [columns[0]; 3], "{width:?}");
    }
}

#[test]
fn piped_output_is_not_truncated() {
    let line = table_line_at(None, TEXTS);
    assert!(TEXTS.iter().all(|text| line.contains(text)), "{line}");
}
