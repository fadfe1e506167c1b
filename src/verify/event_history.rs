//! Looks for the canary in CloudTrail's event history. `LookupEvents` accepts one attribute and two requests per second
//! for an account and region. Source: <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>.

use std::time::Duration;

use aws_sdk_cloudtrail::config::Config;
use aws_sdk_cloudtrail::config::retry::RetryConfig;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_smithy_types::DateTime;
use tokio::time::{Instant, sleep, sleep_until};

use super::canary::Canary;
use super::plan::{CanaryCall, ObservationPoint};
use super::retry::retry_transient;
use super::sighting::SightingBoard;
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::{Error, Result};

/// Interval between requests. It leaves a part of the quota to other programs of the account.
const REQUEST_INTERVAL: Duration = Duration::from_millis(800);
/// Interval between searches in the first two minutes, and later.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
const LATER_POLL_INTERVAL: Duration = Duration::from_secs(15);
const FIRST_MINUTES: Duration = Duration::from_secs(120);
/// The clock of this machine may differ from AWS's clock by this time.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(300);
/// Every fourth search is by event name, because a record may lack the access key. Source:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>.
const SEARCHES_PER_EVENT_NAME: u32 = 4;
/// Maximum number of pages of a search. A busy account makes many calls with one name.
const MAX_PAGES: usize = 40;

/// Searches the event history of a region until the canary is in it.
pub(super) async fn observe(
    aws: &Aws,
    region: &str,
    canary: &Canary,
    call: &CanaryCall,
    board: &SightingBoard<'_>,
) -> Result<()> {
    let mut search = HistorySearch {
        aws: aws.in_region(region),
        canary,
        next_request: Instant::now(),
    };
    let point = ObservationPoint::EventHistory.id();
    for number in 1_u32.. {
        let by_name = number.is_multiple_of(SEARCHES_PER_EVENT_NAME);
        let access_key = canary.access_key_id(region).filter(|_| !by_name);
        let (key, value) = match access_key {
            Some(access_key) => (LookupAttributeKey::AccessKeyId, access_key),
            None => (LookupAttributeKey::EventName, call.event_name()),
        };
        if let Some(event_id) = search.find(&key, value).await? {
            // An interrupted run does not know when the event appeared.
            let after = (!canary.is_resumed()).then(|| canary.age());
            board.record_seen(
                point,
                Some(region),
                after,
                format!("event {event_id}"),
                None,
            );
            return Ok(());
        }
        let is_early = canary.age() < FIRST_MINUTES;
        sleep(if is_early {
            POLL_INTERVAL
        } else {
            LATER_POLL_INTERVAL
        })
        .await;
    }
    Ok(())
}

struct HistorySearch<'a> {
    /// Clients for the region of the event history.
    aws: Aws,
    canary: &'a Canary,
    next_request: Instant,
}

impl HistorySearch<'_> {
    /// Searches all pages. Returns the ID of the canary's event.
    async fn find(&mut self, key: &LookupAttributeKey, value: &str) -> Result<Option<String>> {
        let name = self.canary.id.app_name();
        let mut token = None;
        for _ in 0..MAX_PAGES {
            let page =
                retry_transient(async || self.request(key, value, token.clone()).await).await?;
            let found = page.events.unwrap_or_default().into_iter().find(|event| {
                let record = event.cloud_trail_event.as_deref();
                record.is_some_and(|record| record.contains(&name))
            });
            if let Some(event) = found {
                return Ok(Some(event.event_id.unwrap_or_default()));
            }
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(None)
    }

    /// Requests one page. SDK retries are disabled, because they would exceed the quota.
    async fn request(
        &mut self,
        key: &LookupAttributeKey,
        value: &str,
        token: Option<String>,
    ) -> Result<aws_sdk_cloudtrail::operation::lookup_events::LookupEventsOutput> {
        sleep_until(self.next_request).await;
        self.next_request = Instant::now() + REQUEST_INTERVAL;
        let operation = || format!("search the event history of {}", self.aws.region());
        let attribute = LookupAttribute::builder()
            .attribute_key(key.clone())
            .attribute_value(value)
            .build()
            .map_err(|error| Error::failed(operation(), error.to_string()))?;
        let sent_at = self.canary.id.sent_at();
        let is_by_name = *key == LookupAttributeKey::EventName;
        let end = is_by_name.then(|| DateTime::from(sent_at + CLOCK_TOLERANCE));
        self.aws
            .cloudtrail
            .lookup_events()
            .lookup_attributes(attribute)
            .start_time(DateTime::from(sent_at - CLOCK_TOLERANCE))
            .set_end_time(end)
            .max_results(50)
            .set_next_token(token)
            .customize()
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .context_for("cloudtrail:LookupEvents", operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::canary::SentCall;
    use crate::aws::canned::CannedResponse;
    use crate::verify::CanaryId;

    const ID: &str = "20261127T210305-9f2c71d0";
    const REGION: &str = "us-east-1";

    fn canary() -> Canary {
        let call = SentCall {
            access_key_id: Some("AKIAEXAMPLE".to_owned()),
            request_id: None,
        };
        let mut canary = Canary::new(CanaryId::parse(ID).expect("an ID"));
        canary.calls.push((REGION.to_owned(), call));
        canary
    }

    fn page(user_agents: &[&str], token: Option<&str>) -> CannedResponse {
        let events = user_agents.iter().map(|user_agent| {
            let record = serde_json::json!({ "userAgent": user_agent }).to_string();
            serde_json::json!({ "EventId": "e-1", "CloudTrailEvent": record })
        });
        let events: Vec<_> = events.collect();
        CannedResponse::ok(serde_json::json!({ "Events": events, "NextToken": token }).to_string())
    }

    /// Observes with these responses. Returns the seconds until the sighting, and the bodies of the requests.
    async fn observe_pages(pages: Vec<CannedResponse>) -> (Option<u64>, Vec<String>) {
        let pages = pages.into_iter().map(|page| ("LookupEvents", page));
        let (aws, sent) = Aws::canned(pages.collect());
        let canary = canary();
        let board = SightingBoard::new(
            &[ObservationPoint::EventHistory],
            &[REGION.to_owned()],
            |_| {},
        );
        let observed = observe(&aws, REGION, &canary, &CanaryCall::CallerIdentity, &board).await;
        observed.expect("a sighting");
        let after = board.sightings()[0].after.map(|after| after.as_secs());
        (after, sent.bodies("LookupEvents"))
    }

    fn found() -> String {
        format!("aws-sdk-rust app/heeler-ec-canary-{ID}")
    }

    #[tokio::test(start_paused = true)]
    async fn history_is_searched_by_access_key() {
        let pages = vec![page(&["other"], None), page(&["other", &found()], None)];
        let (after, bodies) = observe_pages(pages).await;
        assert_eq!(after, Some(5));
        assert_eq!(bodies.len(), 2);
        for body in bodies {
            assert!(body.contains(r#""AttributeKey":"AccessKeyId""#), "{body}");
            assert!(body.contains("AKIAEXAMPLE"), "{body}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn fourth_search_is_by_event_name() {
        let empty = || page(&[], None);
        let pages = vec![empty(), empty(), empty(), page(&[&found()], None)];
        let (after, bodies) = observe_pages(pages).await;
        assert_eq!(after, Some(15));
        let last = bodies.last().expect("a request");
        assert!(last.contains(r#""AttributeKey":"EventName""#), "{last}");
        assert!(last.contains("GetCallerIdentity"), "{last}");
    }

    #[tokio::test(start_paused = true)]
    async fn throttled_searches_and_pages_are_paced() {
        let started = Instant::now();
        let pages = vec![
            CannedResponse::json_error("ThrottlingException", "Rate exceeded"),
            page(&["other"], Some("more")),
            page(&[&found()], None),
        ];
        let (_, bodies) = observe_pages(pages).await;
        assert_eq!(bodies.len(), 3);
        // One second after the throttled request, and the pause between two pages.
        assert_eq!(started.elapsed(), Duration::from_secs(1) + REQUEST_INTERVAL);
    }
}
