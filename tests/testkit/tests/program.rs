//! Runs of a program: output, calls, signals and the terminal.

use std::collections::BTreeSet;

use testkit::{END_OF_INPUT, Engine, HeelerEc, Organization};

/// A Python program instead of `heeler-ec`.
fn python<'a>(org: &'a Organization, code: &str) -> HeelerEc<'a> {
    HeelerEc::new(org, org.engine().interpreter())
        .without_endpoint()
        .env("URL", &org.endpoint())
        .args(["-c", code])
}

/// Makes five calls and prints the number of each response.
const FIVE_CALLS: &str = "
import os, urllib.request
for number in range(5):
    urllib.request.urlopen(os.environ['URL'] + '/_ministack/ready').read()
    print(number, flush=True)
";

#[tokio::test]
async fn run_has_output_status_and_calls() {
    let org = Organization::on(Engine::Ministack).build().await;
    let code = format!("{FIVE_CALLS}\nprint('read', input())\nraise SystemExit('gone')");
    org.clients_through_proxy()
        .sqs
        .list_queues()
        .send()
        .await
        .expect("queues");
    let run = python(&org, &code)
        .stdin("yes\n")
        .run()
        .await
        .expect_status(1);
    assert_eq!(run.stdout, "0\n1\n2\n3\n4\nread yes\n");
    assert_eq!(run.stderr, "gone\n");
    assert_eq!(run.calls.len(), 5);
}

#[tokio::test]
async fn run_has_a_clean_environment() {
    let org = Organization::on(Engine::Ministack).build().await;
    let code = "import os; print(*sorted(os.environ), len(os.listdir(os.environ['HOME'])))";
    let run = python(&org, code).run().await.expect_status(0);
    let names: BTreeSet<&str> = run.stdout.split_whitespace().collect();
    let allowed = BTreeSet::from([
        "0",
        "AWS_ACCESS_KEY_ID",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "HOME",
        // Python sets this variable itself.
        "LC_CTYPE",
        "PATH",
        "URL",
    ]);
    assert!(names.is_subset(&allowed), "{names:?}");
}

#[tokio::test]
async fn program_is_killed_before_the_response() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = python(&org, FIVE_CALLS).kill_after_calls(3).run().await;
    let run = run.expect_status(-9);
    assert_eq!(run.stdout, "0\n1\n");
    assert_eq!(run.calls.len(), 3);
}

#[tokio::test]
async fn running_program_is_observed_and_interrupted() {
    let org = Organization::on(Engine::Ministack).build().await;
    let code = "
import signal, sys
# A blocked signal waits until the program asks for it, so it can arrive at any time.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print('one', flush=True)
print('two', flush=True)
print('careful', file=sys.stderr, flush=True)
signal.sigwait([signal.SIGINT])
print('bye')
raise SystemExit(130)
";
    let mut running = python(&org, code).spawn().await;
    assert_eq!(running.line().await.as_deref(), Some("one"));
    assert_eq!(running.line_containing("tw").await, "two");
    running.wait_for_stderr("careful").await;
    running.interrupt();
    let run = running.wait().await.expect_status(130);
    assert_eq!(run.stdout, "one\ntwo\nbye\n");
}

#[tokio::test]
async fn terminal_has_width_and_simulated_user() {
    let org = Organization::on(Engine::Ministack).build().await;
    let code = "
import os, sys
print(os.isatty(0), os.isatty(1), os.isatty(2), os.get_terminal_size().columns)
print('\\x1b[1;31mred\\x1b[0m', file=sys.stderr)
print('read', input('one? '), input('two? '))
try:
    input('three? ')
except EOFError:
    raise SystemExit(7)
";
    let answers = [("one? ", "1"), ("two? ", "2"), ("three? ", END_OF_INPUT)];
    let run = python(&org, code).on_terminal(61, &answers).run().await;
    let run = run.expect_status(7);
    let lines = run.lines();
    assert_eq!(lines[0], "True True True 61");
    assert_eq!(lines[1], "red");
    assert!(lines.contains(&"read 1 2".to_owned()), "{lines:?}");
    assert_eq!(run.stderr, "");
}
