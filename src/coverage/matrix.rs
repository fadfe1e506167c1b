//! The result: for each account and region, if `CloudTrail` delivered events. Pure.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::key_layout::ObjectTime;

/// The name of a region, such as `us-east-1`. All accounts share the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct RegionName(Arc<str>);

impl From<&str> for RegionName {
    fn from(name: &str) -> Self {
        Self(Arc::from(name))
    }
}

impl From<String> for RegionName {
    fn from(name: String) -> Self {
        Self(Arc::from(name))
    }
}

impl From<RegionName> for String {
    fn from(name: RegionName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl Deref for RegionName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// The deliveries for one account in one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    pub status: PairStatus,
    /// The time of the newest log file.
    pub last_event: Option<ObjectTime>,
    /// The time of the newest digest file. It is read only if there are no recent events.
    pub last_digest: Option<ObjectTime>,
}

/// The state of an account in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairStatus {
    /// Neither log files nor digests are recent.
    Nothing,
    /// No object is recent, and the reason may be that nothing happened, or that the region is not enabled.
    Unknown,
    /// Digests are recent and log files are not: the trail works, and nothing happened.
    DigestOnly,
    /// Log files are recent.
    Events,
    /// The account cannot have events there: it is suspended, or the region is not enabled.
    NotExpected,
}

impl PairStatus {
    /// All states, problems first.
    pub const ALL: [Self; 5] = [
        Self::Nothing,
        Self::Unknown,
        Self::DigestOnly,
        Self::Events,
        Self::NotExpected,
    ];

    /// The name in JSON and CSV.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::DigestOnly => "digest_only",
            Self::Nothing => "nothing",
            Self::NotExpected => "not_expected",
            Self::Unknown => "unknown",
        }
    }
}

/// The reason to expect deliveries for an account in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// The account is active, the region is enabled, and digests prove deliveries.
    Certain,
    /// A pair without deliveries may be correct: the account is new, the region may not be enabled, or
    /// the trail writes no digests.
    Uncertain,
}

impl Pair {
    /// A pair without deliveries, because none are expected.
    pub const NOT_EXPECTED: Self = Self {
        status: PairStatus::NotExpected,
        last_event: None,
        last_digest: None,
    };

    /// Classifies a pair with recent log files.
    #[must_use]
    pub fn with_events(newest: ObjectTime) -> Self {
        Self {
            status: PairStatus::Events,
            last_event: Some(newest),
            last_digest: None,
        }
    }

    /// Classifies a pair without recent log files. `digest` is the newest of the recent digests.
    #[must_use]
    pub fn silent(
        last_event: Option<ObjectTime>,
        digest: Option<ObjectTime>,
        expectation: Expectation,
    ) -> Self {
        let status = match (digest, expectation) {
            (Some(_), _) => PairStatus::DigestOnly,
            (None, Expectation::Certain) => PairStatus::Nothing,
            (None, Expectation::Uncertain) => PairStatus::Unknown,
        };
        Self {
            status,
            last_event,
            last_digest: digest,
        }
    }
}

/// The regions of one account. A region that is missing is not expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCoverage {
    pub account: String,
    pub name: String,
    /// The state of the account in AWS Organizations, such as `ACTIVE`.
    pub state: String,
    /// The pairs by region, in the order of the names.
    pub pairs: Vec<(RegionName, Pair)>,
}

impl AccountCoverage {
    /// Returns the pair of a region.
    #[must_use]
    pub fn pair(&self, region: &str) -> Pair {
        let found = self
            .pairs
            .binary_search_by(|(name, _)| (**name).cmp(region));
        found.map_or(Pair::NOT_EXPECTED, |index| self.pairs[index].1)
    }

    /// Returns the number of regions with this status.
    #[must_use]
    pub fn count(&self, status: PairStatus) -> usize {
        let pairs = self.pairs.iter();
        pairs.filter(|(_, pair)| pair.status == status).count()
    }

    /// Returns the time of the newest log file in any region.
    #[must_use]
    pub fn last_event(&self) -> Option<ObjectTime> {
        self.pairs
            .iter()
            .filter_map(|(_, pair)| pair.last_event)
            .max()
    }

    /// Returns true if an expected pair delivered nothing.
    #[must_use]
    pub fn has_gap(&self) -> bool {
        self.count(PairStatus::Nothing) > 0
    }
}

/// The number of pairs with each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusCounts([usize; PairStatus::ALL.len()]);

impl StatusCounts {
    /// Counts the pairs of all accounts in these regions.
    #[must_use]
    pub fn of(accounts: &[AccountCoverage], regions: &[RegionName]) -> Self {
        let mut counts = [0; PairStatus::ALL.len()];
        for account in accounts {
            for (count, status) in counts.iter_mut().zip(PairStatus::ALL) {
                *count += account.count(status);
            }
        }
        // Regions that an account does not list are not expected.
        let known: usize = counts.iter().sum();
        let total = accounts.len() * regions.len();
        if let Some(last) = counts.last_mut() {
            *last += total.saturating_sub(known);
        }
        Self(counts)
    }

    /// Returns the number of pairs with this status.
    #[must_use]
    pub fn get(&self, status: PairStatus) -> usize {
        let position = PairStatus::ALL.iter().position(|known| *known == status);
        position.map_or(0, |position| self.0[position])
    }
}

/// Returns the regions in which at least one account is expected, in the order of their names, the first one first.
#[must_use]
pub fn expected_regions(accounts: &[AccountCoverage], first: &str) -> Vec<RegionName> {
    let mut regions: Vec<RegionName> = Vec::new();
    for (region, pair) in accounts.iter().flat_map(|account| &account.pairs) {
        if pair.status != PairStatus::NotExpected
            && let Err(position) = regions.binary_search(region)
        {
            regions.insert(position, region.clone());
        }
    }
    if let Some(position) = regions.iter().position(|region| &**region == first) {
        regions[..=position].rotate_right(1);
    }
    regions
}

/// Sorts accounts: those with the most gaps first, then those with the most unknown regions, then by name and ID.
pub fn sort_by_gaps(accounts: &mut [AccountCoverage]) {
    accounts.sort_by_cached_key(|account| {
        let count = |status| std::cmp::Reverse(account.count(status));
        let name = (account.name.clone(), account.account.clone());
        (count(PairStatus::Nothing), count(PairStatus::Unknown), name)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u32) -> Option<ObjectTime> {
        ObjectTime::from_unix_seconds(seconds)
    }

    fn account(id: &str, pairs: &[(&str, PairStatus)]) -> AccountCoverage {
        let pair = |status| Pair {
            status,
            last_event: None,
            last_digest: None,
        };
        let mut pairs: Vec<(RegionName, Pair)> = pairs
            .iter()
            .map(|(region, status)| (RegionName::from(*region), pair(*status)))
            .collect();
        pairs.sort_by(|left, right| left.0.cmp(&right.0));
        AccountCoverage {
            account: id.to_owned(),
            name: String::new(),
            state: "ACTIVE".to_owned(),
            pairs,
        }
    }

    #[test]
    fn silent_pair_is_a_gap_without_digest() {
        use Expectation::{Certain, Uncertain};
        for (last_event, digest, expectation, expected) in [
            (None, None, Certain, PairStatus::Nothing),
            (at(1), None, Certain, PairStatus::Nothing),
            (None, None, Uncertain, PairStatus::Unknown),
            (at(1), None, Uncertain, PairStatus::Unknown),
            (None, at(2), Certain, PairStatus::DigestOnly),
            (at(1), at(2), Uncertain, PairStatus::DigestOnly),
        ] {
            let pair = Pair::silent(last_event, digest, expectation);
            assert_eq!(pair.status, expected);
            assert_eq!((pair.last_event, pair.last_digest), (last_event, digest));
        }
    }

    #[test]
    fn missing_regions_count_as_not_expected() {
        let accounts = [
            account(
                "1",
                &[("a", PairStatus::Events), ("b", PairStatus::Nothing)],
            ),
            account("2", &[("c", PairStatus::DigestOnly)]),
        ];
        let regions = expected_regions(&accounts, "b");
        let names: Vec<&str> = regions.iter().map(|name| &**name).collect();
        assert_eq!(names, ["b", "a", "c"]);
        let counts = StatusCounts::of(&accounts, &regions);
        let counted = PairStatus::ALL.map(|status| counts.get(status));
        assert_eq!(counted, [1, 0, 1, 1, 3]);
        assert_eq!(accounts[0].pair("c"), Pair::NOT_EXPECTED);
        assert_eq!(accounts[1].pair("c").status, PairStatus::DigestOnly);
    }

    #[test]
    fn region_without_expected_account_has_no_column() {
        let accounts = [account("1", &[("a", PairStatus::NotExpected)])];
        assert!(expected_regions(&accounts, "a").is_empty());
    }

    #[test]
    fn accounts_with_most_gaps_come_first() {
        use PairStatus::{Events, Nothing, Unknown};
        let mut accounts = [
            account("4", &[("a", Events)]),
            account("3", &[("a", Nothing)]),
            account("2", &[("a", Unknown)]),
            account("1", &[("a", Nothing), ("b", Nothing)]),
        ];
        sort_by_gaps(&mut accounts);
        let ids: Vec<&str> = accounts.iter().map(|each| each.account.as_str()).collect();
        assert_eq!(ids, ["1", "3", "2", "4"]);
    }
}
