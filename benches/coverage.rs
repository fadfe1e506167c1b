//! Counts the calls of `coverage` and measures its memory: for 200 accounts and 17 regions on the emulator, and for 200 and
//! 5,000 accounts on a fake AWS in this process. One pair in ten has no recent log file.
//!
//! The results are ratios: calls to the documented maximum, and memory for 5,000 accounts to memory for 200.
//! `--default-regions` of the program saves the call of `ListRegions` per account, of which AWS allows five per second; the
//! variable `HEELER_EC_BENCH_REGIONS=all` measures them, too. `HEELER_EC_PROGRAM` selects an existing program.

mod child;
mod program;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use program::program;
use testkit::{Emulator, Engine, Organization};
use tokio::net::TcpListener;

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
/// Number of log files of an active pair today.
const FILES_TODAY: usize = 50;
/// Each call to the fake AWS takes this long.
const DELAY: Duration = Duration::from_millis(20);
const PREFIX: &str = "AWSLogs/o-example/";

fn main() -> io::Result<()> {
    let program = program()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let small = runtime.block_on(measure_fake(&program, 200))?;
    let large = runtime.block_on(measure_fake(&program, 5_000))?;
    if let (Some(small), Some(large)) = (small, large) {
        #[expect(clippy::cast_precision_loss, reason = "a ratio for reading")]
        let ratio = large as f64 / small as f64;
        writeln!(
            io::stdout(),
            "memory for 5,000 accounts: {ratio:.2} times that for 200"
        )?;
    }
    runtime.block_on(measure_emulator(&program))
}

/// The documented maximum of calls, without pages.
fn maximum(accounts: usize) -> usize {
    let pairs = accounts * REGIONS.len();
    2 * accounts + pairs + 6 * pairs.div_ceil(10)
}

/// The arguments of a run.
fn arguments() -> Vec<&'static str> {
    let all = std::env::var_os("HEELER_EC_BENCH_REGIONS").is_some_and(|value| value == "all");
    if all {
        vec!["coverage", "--quiet"]
    } else {
        vec!["coverage", "--quiet", "--default-regions"]
    }
}

/// Runs the program on the fake AWS, and returns its peak memory.
async fn measure_fake(program: &Path, accounts: usize) -> io::Result<Option<u64>> {
    let fake = Arc::new(FakeAws::new(accounts));
    let address = Arc::clone(&fake).serve().await?;
    let mut command = Command::new(program);
    command.args(arguments()).env_clear().envs([
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("HOME", "/nonexistent"),
    ]);
    command.env("AWS_ENDPOINT_URL", format!("http://{address}"));
    let started = Instant::now();
    let usage = tokio::task::spawn_blocking(move || child::run(&mut command))
        .await
        .map_err(io::Error::other)??;
    let calls = fake.calls();
    let counted: usize = calls
        .iter()
        .filter(|(name, _)| ["ListObjectsV2", "ListRegions"].contains(&name.as_str()))
        .map(|(_, count)| count)
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "a ratio for reading")]
    let ratio = counted as f64 / maximum(accounts) as f64;
    let mebibytes = usage.memory.unwrap_or_default() / (1024 * 1024);
    writeln!(
        io::stdout(),
        "fake AWS, {accounts} accounts x {}: {counted} calls, {ratio:.2} of the maximum {}; {mebibytes} MiB, CPU {:.1} s, \
         {:.1} s with {} ms per call; {calls:?}",
        REGIONS.len(),
        maximum(accounts),
        usage.cpu.unwrap_or_default().as_secs_f64(),
        started.elapsed().as_secs_f64(),
        DELAY.as_millis(),
    )?;
    Ok(usage.memory)
}

/// An organization whose answers are computed.
struct FakeAws {
    accounts: usize,
    today: String,
    calls: Mutex<BTreeMap<String, usize>>,
}

impl FakeAws {
    fn new(accounts: usize) -> Self {
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Self {
            accounts,
            today: now[..10].replace('-', "/"),
            calls: Mutex::default(),
        }
    }

    fn calls(&self) -> BTreeMap<String, usize> {
        self.calls.lock().expect("counts").clone()
    }

    async fn serve(self: Arc<Self>) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let fake = Arc::clone(&self);
                let service = service_fn(move |request| Arc::clone(&fake).answer(request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(connection), service),
                );
            }
        });
        Ok(address)
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes);
        let body = String::from_utf8_lossy(&body.unwrap_or_default()).into_owned();
        let target = parts.headers.get("x-amz-target");
        let target = target.and_then(|target| target.to_str().ok());
        let query = parts.uri.query().unwrap_or_default();
        let (operation, text) = match target.and_then(|target| target.rsplit('.').next()) {
            Some("DescribeOrganization") => (
                "DescribeOrganization",
                r#"{"Organization": {"Id": "o-example", "MasterAccountId": "100000000000", "FeatureSet": "ALL"}}"#.to_owned(),
            ),
            Some("ListAccounts") => ("ListAccounts", self.accounts_page(&body)),
            Some("DescribeTrails") => (
                "DescribeTrails",
                r#"{"trailList": [{"Name": "org-trail", "TrailARN": "arn:aws:cloudtrail:us-east-1:100000000000:trail/org-trail",
                    "HomeRegion": "us-east-1", "IsOrganizationTrail": true, "IsMultiRegionTrail": true,
                    "LogFileValidationEnabled": true, "S3BucketName": "logs"}]}"#.to_owned(),
            ),
            _ if parts.uri.path() == "/listRegions" => {
                let regions = REGIONS.map(|name| {
                    format!(r#"{{"RegionName": "{name}", "RegionOptStatus": "ENABLED_BY_DEFAULT"}}"#)
                });
                ("ListRegions", format!(r#"{{"Regions": [{}]}}"#, regions.join(",")))
            }
            _ if body.contains("GetCallerIdentity") => (
                "GetCallerIdentity",
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>100000000000</Account>\
                 <Arn>arn:aws:iam::100000000000:root</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"
                    .to_owned(),
            ),
            _ if query.contains("list-type=2") => ("ListObjectsV2", self.list(query)),
            _ => ("HeadBucket", String::new()),
        };
        *self
            .calls
            .lock()
            .expect("counts")
            .entry(operation.to_owned())
            .or_default() += 1;
        tokio::time::sleep(DELAY).await;
        let response = Response::builder().header("x-amz-bucket-region", "us-east-1");
        let response = response.body(Full::new(Bytes::from(text)));
        Ok(response.expect("a response"))
    }

    fn accounts_page(&self, body: &str) -> String {
        let start: usize = body
            .split_once("\"NextToken\":\"")
            .and_then(|(_, rest)| rest.split('"').next()?.parse().ok())
            .unwrap_or_default();
        let end = (start + 20).min(self.accounts);
        let accounts: Vec<String> = (start..end)
            .map(|number| {
                let id = account_id(number);
                format!(r#"{{"Id": "{id}", "Name": "account {number}", "State": "ACTIVE"}}"#)
            })
            .collect();
        let next = if end < self.accounts {
            format!(r#", "NextToken": "{end}""#)
        } else {
            String::new()
        };
        format!(r#"{{"Accounts": [{}]{next}}}"#, accounts.join(","))
    }

    fn list(&self, query: &str) -> String {
        let parameter = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let found = pairs.find(|(key, _)| *key == name);
            found.map_or_else(String::new, |(_, value)| value.replace("%2F", "/"))
        };
        let (prefix, start) = (parameter("prefix"), parameter("start-after"));
        let rest = prefix.strip_prefix(PREFIX).unwrap_or_default();
        let parts: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
        match parts.as_slice() {
            [""] => self.account_prefixes(&parameter("continuation-token")),
            [_, "CloudTrail"] => {
                prefixes(REGIONS.iter().map(|region| format!("{prefix}{region}/")))
            }
            [account, kind, region, rest @ ..] => {
                let is_silent = is_silent(account, region);
                match (*kind, rest) {
                    ("CloudTrail-Digest", _) => self.digests(&prefix, account, region),
                    // Without a delimiter, the listing starts today or yesterday.
                    (_, []) if parameter("delimiter").is_empty() => {
                        if is_silent {
                            contents(std::iter::empty())
                        } else {
                            self.log_files(&prefix, account, region, &start)
                        }
                    }
                    (_, []) => prefixes(["2025", "2026"].map(|year| format!("{prefix}{year}/"))),
                    (_, [_]) => prefixes(["01", "02"].map(|month| format!("{prefix}{month}/"))),
                    (_, [_, _]) => prefixes(["03", "04"].map(|day| format!("{prefix}{day}/"))),
                    _ => contents([format!(
                        "{prefix}{account}_CloudTrail_{region}_20260204T1200Z_aaaaaaaaaaaaaaaa.json.gz"
                    )]),
                }
            }
            _ => contents(std::iter::empty()),
        }
    }

    fn account_prefixes(&self, token: &str) -> String {
        let start: usize = token.parse().unwrap_or_default();
        let end = (start + 1_000).min(self.accounts);
        let names = (start..end).map(|number| format!("{PREFIX}{}/", account_id(number)));
        let page = prefixes(names);
        if end == self.accounts {
            return page;
        }
        let next =
            format!("<NextContinuationToken>{end}</NextContinuationToken></ListBucketResult>");
        page.replace("</ListBucketResult>", &next)
    }

    fn log_files(&self, prefix: &str, account: &str, region: &str, start: &str) -> String {
        let (today, day) = (&self.today, self.today.replace('/', ""));
        let keys = (0..FILES_TODAY).map(|number| {
            let (hour, minute) = (number / 12, number % 12 * 5);
            format!(
                "{prefix}{today}/{account}_CloudTrail_{region}_{day}T{hour:02}{minute:02}Z_aaaaaaaaaaaaaaaa.json.gz"
            )
        });
        contents(keys.filter(|key| key.as_str() > start))
    }

    fn digests(&self, prefix: &str, account: &str, region: &str) -> String {
        let (today, day) = (&self.today, self.today.replace('/', ""));
        contents((0..24).map(|hour| {
            format!(
                "{prefix}{today}/{account}_CloudTrail-Digest_{region}_org-trail_us-east-1_{day}T{hour:02}0000Z.json.gz"
            )
        }))
    }
}

/// The ID of an account; the first one is the management account.
fn account_id(number: usize) -> String {
    (100_000_000_000 + number).to_string()
}

/// Returns true for one pair in ten.
fn is_silent(account: &str, region: &str) -> bool {
    let account: usize = account.parse().unwrap_or_default();
    let region = REGIONS.iter().position(|name| *name == region);
    (account * REGIONS.len() + region.unwrap_or_default()).is_multiple_of(10)
}

fn prefixes(names: impl IntoIterator<Item = String>) -> String {
    let names = names.into_iter();
    let names =
        names.map(|name| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"));
    format!(
        "<ListBucketResult>{}</ListBucketResult>",
        names.collect::<String>()
    )
}

fn contents(keys: impl IntoIterator<Item = String>) -> String {
    let keys = keys.into_iter().map(|key| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>\
             <ETag>&quot;00112233445566778899aabbccddeeff&quot;</ETag><Size>1234</Size>\
             <StorageClass>STANDARD</StorageClass></Contents>"
        )
    });
    format!(
        "<ListBucketResult>{}</ListBucketResult>",
        keys.collect::<String>()
    )
}

/// Runs the program for 200 accounts and 17 regions on the emulator, and prints its calls.
async fn measure_emulator(program: &Path) -> io::Result<()> {
    const ACCOUNTS: usize = 200;
    let emulator = Emulator::own(Engine::Ministack);
    let org = Organization::in_emulator(&emulator).build().await;
    let missing = ACCOUNTS - 1 - org.members().len();
    stream::iter(0..missing)
        .for_each_concurrent(8, async |number| {
            let create = org.clients().organizations.create_account();
            let create = create.account_name(format!("account {number}"));
            let create = create.email(format!("account-{number}@example.com"));
            create.send().await.expect("an account");
        })
        .await;
    let mut accounts = Vec::new();
    let mut pages = org
        .clients()
        .organizations
        .list_accounts()
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(io::Error::other)?;
        accounts.extend(page.accounts().iter().filter_map(|each| each.id.clone()));
    }
    let fake = FakeAws::new(ACCOUNTS);
    let (today, day) = (fake.today.clone(), fake.today.replace('/', ""));
    let root = format!("AWSLogs/{}/", org.organization_id());
    let pairs = accounts.iter().enumerate();
    let pairs = pairs.flat_map(|(number, account)| {
        let regions = REGIONS.iter().enumerate();
        regions.map(move |(region, name)| (account, *name, number * REGIONS.len() + region))
    });
    stream::iter(pairs)
        .for_each_concurrent(16, async |(account, region, number)| {
            if number.is_multiple_of(10) {
                let old = format!(
                    "{root}{account}/CloudTrail/{region}/2026/01/02/{account}_CloudTrail_{region}_20260102T0304Z_aaaaaaaaaaaaaaaa.json.gz"
                );
                let digest = format!(
                    "{root}{account}/CloudTrail-Digest/{region}/{today}/{account}_CloudTrail-Digest_{region}_{}_{}_{day}T000000Z.json.gz",
                    org.trail(),
                    org.region()
                );
                org.put(&old, Vec::new()).await;
                org.put(&digest, Vec::new()).await;
            } else {
                let key = format!(
                    "{root}{account}/CloudTrail/{region}/{today}/{account}_CloudTrail_{region}_{day}T0000Z_aaaaaaaaaaaaaaaa.json.gz"
                );
                org.put(&key, Vec::new()).await;
            }
        })
        .await;
    let before = org.proxy().total();
    let mut command = Command::new(program);
    command
        .args(["coverage", "--quiet"])
        .env_clear()
        .envs(org.env());
    command.env("AWS_ENDPOINT_URL", org.endpoint());
    let started = Instant::now();
    let usage = tokio::task::spawn_blocking(move || child::run(&mut command))
        .await
        .map_err(io::Error::other)??;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for call in org.proxy().calls_since(before) {
        *counts.entry(call.name()).or_default() += 1;
    }
    let total: usize = counts.values().sum();
    writeln!(
        io::stdout(),
        "emulator, {} accounts x {}: {total} calls, maximum {}; {} MiB, {:.1} s; {counts:?}",
        accounts.len(),
        REGIONS.len(),
        maximum(ACCOUNTS),
        usage.memory.unwrap_or_default() / (1024 * 1024),
        started.elapsed().as_secs_f64(),
    )
}
