//! The canary and its ID, which consists of the sending time and a random part.

use std::fmt;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::aws::canary::SentCall;

/// The beginning of the application name in the user agent of a canary.
const NAME_PREFIX: &str = "heeler-ec-canary-";
const RANDOM_DIGITS: usize = 8;

/// The ID of a canary, such as `20261127T210305-9f2c71d0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanaryId {
    /// The sending time in whole seconds.
    sent_at: SystemTime,
    /// Hexadecimal digits.
    random: String,
}

impl CanaryId {
    /// Generates the ID of a canary that is sent now.
    #[must_use]
    pub fn generate(now: SystemTime) -> Self {
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH);
        let seconds = since_epoch.unwrap_or_default().as_secs();
        let mut random = uuid::Uuid::new_v4().simple().to_string();
        random.truncate(RANDOM_DIGITS);
        Self {
            sent_at: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            random,
        }
    }

    /// Parses an ID. Returns `None` if the text is not an ID.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (time, random) = text.split_once('-')?;
        let is_hexadecimal = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        if random.len() != RANDOM_DIGITS || !random.bytes().all(is_hexadecimal) {
            return None;
        }
        let (day, second) = time.split_once('T')?;
        let is_digits =
            |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        if !is_digits(day, 8) || !is_digits(second, 6) {
            return None;
        }
        let rfc3339 = format!(
            "{}-{}-{}T{}:{}:{}Z",
            &day[..4],
            &day[4..6],
            &day[6..],
            &second[..2],
            &second[2..4],
            &second[4..]
        );
        Some(Self {
            sent_at: humantime::parse_rfc3339(&rfc3339).ok()?,
            random: random.to_owned(),
        })
    }

    /// The sending time in whole seconds.
    #[must_use]
    pub fn sent_at(&self) -> SystemTime {
        self.sent_at
    }

    /// The application name in the user agent of the call. Only records of this canary contain it.
    #[must_use]
    pub fn app_name(&self) -> String {
        format!("{NAME_PREFIX}{self}")
    }
}

impl fmt::Display for CanaryId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = humantime::format_rfc3339_seconds(self.sent_at).to_string();
        let time: String = time.chars().filter(|c| !"-:Z".contains(*c)).collect();
        write!(out, "{time}-{}", self.random)
    }
}

/// A canary that was sent, by this run or an earlier one.
#[derive(Clone, Debug)]
pub struct Canary {
    pub id: CanaryId,
    /// The calls of this run, each with its region. Empty if an earlier run sent the canary.
    pub calls: Vec<(String, SentCall)>,
    /// The time between the call and `started`.
    age_at_start: Duration,
    started: Instant,
}

impl Canary {
    /// Creates a canary that is sent now.
    #[must_use]
    pub fn new(id: CanaryId) -> Self {
        Self {
            id,
            calls: Vec::new(),
            age_at_start: Duration::ZERO,
            started: Instant::now(),
        }
    }

    /// Creates a canary that an earlier run sent.
    #[must_use]
    pub fn resumed(id: CanaryId, now: SystemTime) -> Self {
        Self {
            age_at_start: now.duration_since(id.sent_at).unwrap_or_default(),
            ..Self::new(id)
        }
    }

    /// Returns true if an earlier run sent the canary.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.calls.is_empty()
    }

    /// The time since the canary was sent.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.age_at_start + self.started.elapsed()
    }

    /// The time from the call to `time`, which is a time of AWS's clock. A negative one counts as zero.
    #[must_use]
    pub fn age_at(&self, time: SystemTime) -> Duration {
        time.duration_since(self.id.sent_at).unwrap_or_default()
    }

    /// The access key of the call in a region, if this run sent it.
    #[must_use]
    pub fn access_key_id(&self, region: &str) -> Option<&str> {
        let (_, call) = self.calls.iter().find(|(sent, _)| sent == region)?;
        call.access_key_id.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> SystemTime {
        humantime::parse_rfc3339(text).expect("a time")
    }

    #[test]
    fn canary_id_encodes_time_and_random_part() {
        let id = CanaryId::generate(time("2026-11-27T21:03:05.9Z"));
        let text = id.to_string();
        assert!(text.starts_with("20261127T210305-"), "{text}");
        assert_eq!(CanaryId::parse(&text), Some(id.clone()));
        assert_eq!(id.sent_at(), time("2026-11-27T21:03:05Z"));
        assert_eq!(id.app_name(), format!("heeler-ec-canary-{text}"));
        // The SDK recommends application names of at most 50 characters.
        assert!(id.app_name().len() <= 50);
    }

    #[test]
    fn other_texts_are_no_canary_id() {
        for text in [
            "",
            "20261127T210305",
            "20261127T210305-9F2C71D0",
            "20261127T210305-9f2c71",
            "20261327T210305-9f2c71d0",
            "20261127T250305-9f2c71d0",
            "2026-11-27T210305-9f2c71d0",
            "20261127T2103\u{e9}-9f2c71d0",
        ] {
            assert_eq!(CanaryId::parse(text), None, "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn age_of_resumed_canary_includes_earlier_time() {
        let id = CanaryId::parse("20261127T210305-9f2c71d0").expect("an ID");
        let canary = Canary::resumed(id, time("2026-11-27T21:04:05Z"));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(canary.age(), Duration::from_secs(65));
        let delivered = time("2026-11-27T21:05:05Z");
        assert_eq!(canary.age_at(delivered), Duration::from_secs(120));
        assert_eq!(canary.age_at(SystemTime::UNIX_EPOCH), Duration::ZERO);
    }
}
