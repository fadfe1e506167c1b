//! The images in `docs/images/`: what a terminal shows while a user works with the simulated organization.
//!
//! Each image is an SVG file, and the text in it is beside it as a text file. `make generate` writes them; without it, the
//! test fails if one of them is stale.

use std::fmt::Write;
use std::num::NonZero;
use std::path::PathBuf;

use anstyle::{AnsiColor, Color, Style};
use anstyle_svg::Term;
use regex_lite::Regex;
use serde_json::json;
use testkit::log_file::event;
use testkit::{CTRL_C, END_OF_INPUT, Engine, LogFile, Organization, emulator};

use crate::commands::heeler_ec;
use crate::screens::redaction::Redaction;
use crate::screens::screen::{sort_events, tidy, without_color};

const WIDTHS: [NonZero<u16>; 2] = [NonZero::new(80).unwrap(), NonZero::new(120).unwrap()];
/// Lines of the emulated terminal. Nothing must scroll out of it.
const LINES: NonZero<u16> = NonZero::new(600).unwrap();

#[tokio::test]
async fn images_are_up_to_date() {
    let mut stale = Vec::new();
    for width in WIDTHS {
        let org = Organization::on(Engine::Ministack)
            .bucket_key()
            .build()
            .await;
        let artist = Artist {
            org: &org,
            redaction: Redaction::of(&org),
            width,
        };
        for (name, screen) in artist.screens().await {
            let name = format!("{name}-{width}");
            stale.extend(compare(&format!("{name}.svg"), &to_svg(&screen, &name)));
            stale.extend(compare(&format!("{name}.txt"), &without_color(&screen)));
        }
    }
    assert!(
        stale.is_empty(),
        "outdated images, run `make generate`:\n{}",
        stale.join("\n")
    );
}

/// Runs the program on a terminal of one width.
struct Artist<'a> {
    org: &'a Organization,
    redaction: Redaction,
    width: NonZero<u16>,
}

impl Artist<'_> {
    /// Returns the screens of a first setup and what follows, each with its name.
    async fn screens(&self) -> Vec<(&'static str, String)> {
        let role = self.org.heeler_role_arn();
        let mut first = vec!["--option", "s3", "--heeler-role-arn", &role];
        first.extend(["--external-id", "external-id-of-the-example"]);
        let plan = [&["plan"], &first[..]].concat();
        let setup = [&["setup"], &first[..]].concat();

        let mut screens = vec![
            ("preflight", self.run(&["preflight"], &[], 0).await),
            ("plan", self.run(&plan, &[], 0).await),
            (
                "setup",
                self.run(&setup, &[("[y/N] ", "y"), ("[y/N] ", "n")], 0)
                    .await,
            ),
            ("status", self.run(&["status"], &[], 0).await),
        ];
        self.deliver_events().await;
        // Without the event that is there from the beginning, in another object.
        let mut tail = vec!["tail", "--source", "bucket", "--timeout", "1s"];
        tail.extend(["--service", "!signin"]);
        screens.push(("tail", self.run(&tail, &[], 0).await));
        screens.push(("tail-status", self.waiting_tail().await));
        screens
    }

    /// Returns what is on the terminal while `tail` waits for the next delivery. The times are replaced.
    async fn waiting_tail(&self) -> String {
        const LAST_EVENT: &str = "AttachUserPolicy";
        const STATUS_LINE: &str = "the next one in about ";
        let args = ["tail", "--source", "bucket", "--service", "!signin"];
        let answers = [(LAST_EVENT, END_OF_INPUT), (STATUS_LINE, CTRL_C)];
        let command = heeler_ec(self.org).args(args);
        let command = command
            .on_terminal(self.width.get(), &answers)
            .env("CI", "");
        let run = command.run().await.expect_status(130);
        let events = run.stdout.find(LAST_EVENT).expect("the events");
        let status = run.stdout[events..].find(STATUS_LINE);
        let status = events + status.expect("the status line");
        // The terminal shows the interrupt as `^C`.
        let end = run.stdout[status..].find(|c: char| c.is_control() || c == '^');
        let end = end.map_or(run.stdout.len(), |end| status + end);
        let screen = self.screen(&args, &run.stdout[..end]);
        let times =
            Regex::new(r"\S \d+ s: last delivery \d+ s ago, the next one in about \d+ min \d\d s");
        let fixed = "⠹ 6 min 40 s: last delivery 2 min 00 s ago, the next one in about 3 min 00 s";
        let times = times.expect("a valid pattern");
        times.replace(&screen, fixed).into_owned()
    }

    /// Returns the command and what it leaves on the terminal, with color.
    async fn run(&self, args: &[&str], answers: &[(&str, &str)], status: i32) -> String {
        let command = heeler_ec(self.org).args(args);
        let run = command.on_terminal(self.width.get(), answers).run().await;
        self.screen(args, &run.expect_status(status).stdout)
    }

    /// Returns the command and what this output leaves on the terminal, with color.
    fn screen(&self, args: &[&str], output: &str) -> String {
        let mut terminal = vt100::Parser::new(LINES, self.width, 0);
        terminal.process(output.as_bytes());
        let bold = Style::new().bold();
        let line = shlex::try_join(args.iter().copied()).expect("arguments without NUL");
        let line = format!("{bold}$ heeler-ec {line}{bold:#}\n");
        let text = line + &sort_events(&tidy(&to_ansi(terminal.screen())));
        let date = Regex::new(r"\d{4}-\d\d-\d\d").expect("a valid pattern");
        let text = self.redaction.apply(&text);
        date.replace_all(&text, "2026-01-02").into_owned()
    }

    /// Delivers a log file with events of several accounts, so that their order is fixed.
    async fn deliver_events(&self) {
        let (management, member) = (self.org.account(), &self.org.members()[0]);
        let events = [
            (management, "us-east-1", "iam", "CreateUser", "alice"),
            (member, "eu-west-1", "ec2", "RunInstances", "deploy"),
            (member, "us-east-1", "cloudtrail", "StopLogging", "mallory"),
            (member, "us-east-1", "s3", "PutBucketPolicy", "deploy"),
            (management, "us-east-1", "iam", "AttachUserPolicy", "alice"),
        ];
        let records = events.map(|(account, region, service, name, user)| {
            let source = format!("{service}.amazonaws.com");
            let mut record = event(account, region, &source, name, false);
            record["userIdentity"]["userName"] = json!(user);
            record["userIdentity"]["arn"] = json!(format!("arn:aws:iam::{account}:user/{user}"));
            record
        });
        let file = LogFile::new(management, "us-east-1", records.to_vec());
        self.org.deliver(&file).await;
    }
}

/// Returns the lines on a terminal, with escape sequences for color and weight.
fn to_ansi(screen: &vt100::Screen) -> String {
    let (lines, columns) = screen.size();
    let mut text = String::new();
    for line in 0..lines.get() {
        let cells = (0..columns.get()).filter_map(|column| screen.cell(line, column));
        let mut current = Style::new();
        for cell in cells.filter(|cell| !cell.is_wide_continuation()) {
            let style = style_of(cell);
            if style != current {
                let _ = write!(text, "{current:#}{style}");
                current = style;
            }
            text.push_str(if cell.has_contents() {
                cell.contents()
            } else {
                " "
            });
        }
        let _ = writeln!(text, "{current:#}");
    }
    text.trim_end().to_owned() + "\n"
}

fn style_of(cell: &vt100::Cell) -> Style {
    let color = match cell.fgcolor() {
        vt100::Color::Default => None,
        vt100::Color::Idx(index) => Some(Color::Ansi256(index.into())),
        vt100::Color::Rgb(red, green, blue) => Some(Color::Rgb((red, green, blue).into())),
    };
    let color = color.map(|color| match color {
        Color::Ansi256(index) => index.into_ansi().map_or(color, Color::from),
        color => color,
    });
    let mut style = Style::new().fg_color(color);
    for (is_set, with) in [
        (cell.bold(), Style::bold as fn(Style) -> Style),
        (cell.dim(), Style::dimmed),
        (cell.italic(), Style::italic),
        (cell.underline(), Style::underline),
    ] {
        if is_set {
            style = with(style);
        }
    }
    style
}

/// Draws a screen. Screen readers get the title.
fn to_svg(screen: &str, title: &str) -> String {
    let term = Term::new()
        .fg_color(AnsiColor::White.into())
        .bg_color(Color::Rgb((30, 34, 42).into()));
    let svg = term.render_svg(screen);
    let Some((head, body)) = svg.split_once('>') else {
        return svg;
    };
    format!("{head} role=\"img\">\n  <title>heeler-ec on a terminal: {title}</title>{body}")
}

/// Writes a file with `make generate`. Otherwise returns its name if its content is outdated.
fn compare(name: &str, wanted: &str) -> Option<String> {
    let path = folder().join(name);
    if std::env::var_os("HEELER_EC_GENERATE").is_some() {
        std::fs::create_dir_all(folder()).expect("a folder");
        std::fs::write(&path, wanted).expect("the file is written");
    }
    (std::fs::read_to_string(&path).unwrap_or_default() != wanted).then(|| name.to_owned())
}

fn folder() -> PathBuf {
    emulator::repository().join("docs/images")
}
