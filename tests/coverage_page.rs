//! The page of coverage in headless Chromium: its filters, its accessibility and three screenshots. `make check-html` runs it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use heeler_ec::coverage::key_layout::ObjectTime;
use heeler_ec::coverage::matrix::{expected_regions, sort_by_gaps};
use heeler_ec::coverage::{
    AccountCoverage, Pair, PairStatus, RegionName, ScanReport, StatusCounts, TrailBucket,
};
use heeler_ec::render::coverage::{CoverageReport, write_page};
use serde_json::Value;

const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];
/// 2026-11-28T10:00:00Z.
const NOW: u32 = 1_795_860_000;
const ACCOUNTS: usize = 60;
/// Sizes of a telephone, a laptop and a wide screen.
const SIZES: [(&str, u32, u32); 3] = [
    ("narrow", 500, 900),
    ("medium", 1_280, 800),
    ("wide", 1_920, 1_080),
];

/// An organization in which every status occurs.
fn accounts() -> Vec<AccountCoverage> {
    let time = ObjectTime::from_unix_seconds;
    let account = |number: usize| {
        let pair = |region: usize| match (number, region) {
            (7, _) => Pair::NOT_EXPECTED,
            (3, 9 | 10) | (4, _) => Pair {
                status: PairStatus::Nothing,
                last_event: time(NOW - 400_000),
                last_digest: None,
            },
            (5, 0) => Pair {
                status: PairStatus::Unknown,
                last_event: None,
                last_digest: None,
            },
            _ if (number + region).is_multiple_of(4) => Pair {
                status: PairStatus::DigestOnly,
                last_event: time(NOW - 900_000),
                last_digest: time(NOW - 1_800),
            },
            _ => Pair {
                status: PairStatus::Events,
                last_event: time(NOW - 600),
                last_digest: None,
            },
        };
        let pairs = REGIONS.iter().enumerate();
        AccountCoverage {
            account: (210_000_000_000 + number).to_string(),
            name: match number {
                3 => "legacy-billing".to_owned(),
                6 => "<script>alert(1)</script> & \"co\"".to_owned(),
                _ => format!("workload-{number}"),
            },
            state: if number == 7 { "SUSPENDED" } else { "ACTIVE" }.to_owned(),
            pairs: pairs
                .map(|(region, name)| (RegionName::from(*name), pair(region)))
                .collect(),
        }
    };
    let mut accounts: Vec<AccountCoverage> = (0..ACCOUNTS).map(account).collect();
    sort_by_gaps(&mut accounts);
    accounts
}

fn page() -> String {
    let accounts = accounts();
    let regions = expected_regions(&accounts, "us-east-1");
    let target = TrailBucket {
        organization: "o-exampleorg".to_owned(),
        trail: "org-trail".to_owned(),
        trail_arn: "arn:aws:cloudtrail:us-east-1:111122223333:trail/org-trail".to_owned(),
        home_region: "us-east-1".to_owned(),
        is_multi_region: true,
        has_digests: true,
        bucket: "org-trail-logs".to_owned(),
        bucket_region: "us-east-1".to_owned(),
        account: "111122223333".to_owned(),
        bucket_owner: None,
        log_prefix: "AWSLogs/o-exampleorg/".to_owned(),
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.into());
    let report = CoverageReport {
        target: &target,
        accounts: &accounts,
        counts: &StatusCounts::of(&accounts, &regions),
        regions: &regions,
        scan: &ScanReport {
            calls: 1_234,
            lacks_opt_in_regions: false,
            expects_digests: true,
            other_accounts: Vec::new(),
        },
        since: now - Duration::from_secs(34 * 3_600),
        checked_at: now,
        elapsed: Duration::from_secs(6),
        shows_all: false,
    };
    let mut page = Vec::new();
    write_page(&report, &mut page).expect("a page");
    String::from_utf8(page).expect("text")
}

#[test]
fn page_contains_no_markup_from_aws() {
    let page = page();
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;co&quot;"));
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("<th scope=\"row\">").count(), ACCOUNTS);
    // Each status has a sign and a text beside its color.
    for status in PairStatus::ALL {
        let cell = format!("<td class=\"{}\"", status.name());
        assert!(page.contains(&cell), "{cell}");
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs headless Chromium with a page, and returns its standard output.
fn chromium(page: &Path, arguments: &[String]) -> String {
    let program = std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
    let run = Command::new(program)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
        ])
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("Chromium, or its path in the variable CHROMIUM");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    String::from_utf8_lossy(&run.stdout).into_owned()
}

#[test]
#[ignore = "make check-html runs it, because it needs Chromium and axe-core"]
fn page_works_in_a_browser() {
    let folder = root().join("target/coverage-page");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("coverage.html");
    let page = page();
    std::fs::write(&path, &page).expect("a page");
    for (name, width, height) in SIZES {
        let image = folder.join(format!("{name}.png"));
        let image = format!("--screenshot={}", image.display());
        chromium(&path, &[image, format!("--window-size={width},{height}")]);
    }
    let axe = root().join(".venv/axe/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(axe).expect("axe-core, which make check-html installs");
    let check = include_str!("html/check.js");
    let scripts = format!("<script>{axe}</script><script>{check}</script></body>");
    let checked = folder.join("checked.html");
    std::fs::write(&checked, page.replace("</body>", &scripts)).expect("a page");
    for scheme in [
        "--blink-settings=preferredColorScheme=1",
        "--blink-settings=preferredColorScheme=0",
    ] {
        let arguments = [
            "--dump-dom".to_owned(),
            "--virtual-time-budget=60000".to_owned(),
            scheme.to_owned(),
        ];
        let document = chromium(&checked, &arguments);
        let start = document
            .find("<pre id=\"check-result\">")
            .expect("a result");
        let text = &document[start + "<pre id=\"check-result\">".len()..];
        let text = &text[..text.find("</pre>").expect("its end")];
        let text = text
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        let result: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            result["violations"],
            serde_json::json!([]),
            "{scheme}: {result:#}"
        );
        assert_eq!(result["rows"], ACCOUNTS);
        assert_eq!(result["found_by_name"], 1);
        assert_eq!(result["message"], "1 of 60 accounts shown.");
        assert_eq!(result["with_gaps"], 2);
        assert_eq!(result["after_reset"], ACCOUNTS);
    }
}
