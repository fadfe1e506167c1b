//! Reads the coverage of every account, with concurrent calls. It makes only reading calls.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt};
use tokio::{join, try_join};

use super::accounts::{OrganizationAccount, list_accounts};
use super::bucket_listing::BucketKeys;
use super::digest_evidence::{TrailDeliveries, are_digests_expected};
use super::key_layout::{PairKeys, UtcDay, is_account_id, last_segment};
use super::matrix::{AccountCoverage, Expectation, Pair, RegionName};
use super::regions::{AccountRegions, MemberRegions, own_regions};
use super::trail_bucket::TrailBucket;
use crate::aws::Aws;
use crate::error::Result;

/// Number of accounts that are read at the same time. The number of calls has its own limit.
const MAX_CONCURRENT_ACCOUNTS: usize = 32;

/// A scan that is prepared: the accounts and the regions are known.
pub struct CoverageScan<'a> {
    aws: &'a Aws,
    target: &'a TrailBucket,
    keys: BucketKeys<'a>,
    accounts: Vec<OrganizationAccount>,
    /// The accounts that have any objects.
    with_objects: BTreeSet<String>,
    own_regions: AccountRegions,
    member_regions: MemberRegions,
    region_calls: AtomicUsize,
    /// Objects are recent from this day on.
    since: UtcDay,
    /// True if a pair without a recent digest is a gap.
    expects_digests: bool,
}

/// Facts about a scan that do not belong to one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanReport {
    /// Calls of `ListObjectsV2` and `ListRegions`, without repeated attempts.
    pub calls: usize,
    /// True if the opt-in regions of at least one account are not known.
    pub lacks_opt_in_regions: bool,
    /// False if the trail writes no digests, or has only begun to.
    pub expects_digests: bool,
    /// Accounts that have objects and are not in the organization.
    pub other_accounts: Vec<String>,
}

impl<'a> CoverageScan<'a> {
    /// Reads the accounts of the organization and the regions of the caller's account. Objects are recent if they were made
    /// on the day of `now` or on the day before, in UTC. Without `opt_in_regions`, only the regions that are enabled by
    /// default are read.
    ///
    /// # Errors
    /// When AWS refuses a call.
    pub async fn prepare(
        aws: &'a Aws,
        target: &'a TrailBucket,
        now: SystemTime,
        opt_in_regions: bool,
    ) -> Result<Self> {
        let bucket_aws = aws.in_region(&target.bucket_region);
        let keys = BucketKeys::new(
            bucket_aws,
            &target.bucket,
            target.bucket_owner.as_deref(),
            now,
        );
        let since = UtcDay::of(now).previous();
        let (accounts, own_regions, prefixes, expects_digests) = try_join!(
            list_accounts(aws),
            own_regions(aws, &target.home_region),
            keys.prefixes(&target.log_prefix),
            expects_digests(aws, &keys, target, since)
        )?;
        let folders = prefixes.iter().map(|prefix| last_segment(prefix));
        let with_objects = folders
            .filter(|folder| is_account_id(folder))
            .map(str::to_owned)
            .collect();
        Ok(Self {
            aws,
            target,
            keys,
            accounts,
            with_objects,
            own_regions,
            member_regions: MemberRegions::new(!opt_in_regions || !target.is_multi_region),
            region_calls: AtomicUsize::new(1),
            since,
            expects_digests,
        })
    }

    /// Returns the number of accounts in the organization.
    #[must_use]
    pub fn account_count(&self) -> usize {
        self.accounts.len()
    }

    /// Returns the beginning of the period whose objects are recent.
    #[must_use]
    pub fn since(&self) -> SystemTime {
        self.since.start()
    }

    /// Reads every account for which `is_done` returns false, and passes each result to `on_account` as soon as it is
    /// complete.
    ///
    /// # Errors
    /// The first error of AWS or of `on_account`. The results so far stay valid.
    pub async fn run(
        &self,
        is_done: impl Fn(&str) -> bool,
        mut on_account: impl FnMut(AccountCoverage) -> Result<()>,
    ) -> Result<()> {
        let pending = self.accounts.iter().filter(|account| !is_done(&account.id));
        let mut results = stream::iter(pending)
            .map(|account| self.read_account(account))
            .buffer_unordered(MAX_CONCURRENT_ACCOUNTS);
        while let Some(result) = results.next().await {
            on_account(result?)?;
        }
        Ok(())
    }

    /// Returns the facts about the scan after its end.
    #[must_use]
    pub fn report(&self) -> ScanReport {
        let is_member = |id: &String| {
            let found = self.accounts.binary_search_by(|known| known.id.cmp(id));
            found.is_ok()
        };
        let others = self.with_objects.iter().filter(|id| !is_member(id));
        ScanReport {
            calls: self.keys.calls() + self.region_calls.load(Ordering::Relaxed),
            lacks_opt_in_regions: self.target.is_multi_region
                && self.member_regions.lacks_regions(),
            expects_digests: self.expects_digests,
            other_accounts: others.cloned().collect(),
        }
    }

    async fn read_account(&self, account: &OrganizationAccount) -> Result<AccountCoverage> {
        let pairs = if account.is_usable() {
            self.read_pairs(account).await?
        } else {
            Vec::new()
        };
        Ok(AccountCoverage {
            account: account.id.clone(),
            name: account.name.clone(),
            state: account.state.clone(),
            pairs,
        })
    }

    async fn read_pairs(&self, account: &OrganizationAccount) -> Result<Vec<(RegionName, Pair)>> {
        let (opted_in, with_log_files) = join!(
            self.opt_in_regions(account),
            self.regions_with_log_files(&account.id)
        );
        let (opted_in, with_log_files) = (opted_in?, with_log_files?);
        let is_new = account.joined.is_some_and(|joined| joined >= self.since());
        let is_certain = self.expects_digests && !is_new;
        let expectation = if is_certain {
            Expectation::Certain
        } else {
            Expectation::Uncertain
        };
        let mut regions: Vec<(RegionName, Expectation)> = self
            .trail_regions(opted_in.as_deref().unwrap_or_default())
            .into_iter()
            .map(|region| (region, expectation))
            .collect();
        if opted_in.is_none() {
            // A region with log files was enabled at some time.
            let unlisted = with_log_files.iter().filter(|region| {
                self.target.is_multi_region && regions.iter().all(|(known, _)| known != *region)
            });
            let unlisted: Vec<RegionName> = unlisted.cloned().collect();
            regions.extend(
                unlisted
                    .into_iter()
                    .map(|each| (each, Expectation::Uncertain)),
            );
        }
        let reads = regions.into_iter().map(async |(region, expectation)| {
            let keys = PairKeys {
                log_prefix: &self.target.log_prefix,
                account: &account.id,
                region: &region,
            };
            let has_log_files = with_log_files.contains(&region);
            let pair = self.read_pair(&keys, has_log_files, expectation).await?;
            Ok((region, pair))
        });
        let mut pairs = try_join_all(reads).await?;
        pairs.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(pairs)
    }

    /// Returns the regions of the trail that are enabled in an account with these opt-in regions.
    fn trail_regions(&self, opted_in: &[RegionName]) -> Vec<RegionName> {
        if !self.target.is_multi_region {
            return vec![RegionName::from(self.target.home_region.as_str())];
        }
        let by_default = self.own_regions.by_default.iter();
        by_default.chain(opted_in).cloned().collect()
    }

    /// Returns the opt-in regions that an account has enabled, or `None` if they are not known.
    async fn opt_in_regions(
        &self,
        account: &OrganizationAccount,
    ) -> Result<Option<Vec<RegionName>>> {
        let own = self.aws.management_identity();
        let own = own.map_or(&self.target.account, |identity| &identity.account);
        if account.id == *own {
            return Ok(Some(self.own_regions.opted_in.clone()));
        }
        if !self.member_regions.is_wanted() {
            return Ok(None);
        }
        self.region_calls.fetch_add(1, Ordering::Relaxed);
        self.member_regions.opted_in(self.aws, &account.id).await
    }

    async fn regions_with_log_files(&self, account: &str) -> Result<Vec<RegionName>> {
        if !self.with_objects.contains(account) {
            return Ok(Vec::new());
        }
        let keys = PairKeys {
            log_prefix: &self.target.log_prefix,
            account,
            region: "",
        };
        let prefixes = self.keys.prefixes(&keys.log_regions()).await?;
        let names = prefixes
            .iter()
            .map(|prefix| RegionName::from(last_segment(prefix)));
        Ok(names.collect())
    }

    /// Reads one pair: one call if it delivered today, and at most seven if it is silent.
    async fn read_pair(
        &self,
        keys: &PairKeys<'_>,
        has_log_files: bool,
        expectation: Expectation,
    ) -> Result<Pair> {
        let today = UtcDay::of(self.keys.now);
        if has_log_files {
            for day in [today, self.since] {
                if let Some(newest) = self.keys.newest_log_file(keys, day).await? {
                    return Ok(Pair::with_events(newest));
                }
            }
        }
        let trail = (self.target.trail.as_str(), self.target.home_region.as_str());
        let (last_event, digest) = try_join!(
            async {
                if has_log_files {
                    self.keys.newest_old_log_file(keys).await
                } else {
                    Ok(None)
                }
            },
            async {
                if self.target.has_digests && self.with_objects.contains(keys.account) {
                    let found = self.keys.digests(keys, self.since, trail).await?;
                    Ok(found.map(|(_, newest)| newest))
                } else {
                    Ok(None)
                }
            }
        )?;
        Ok(Pair::silent(last_event, digest, expectation))
    }
}

/// Returns true if the trail has written digests of each region for long enough. The digests of the management account in
/// the home region show that.
async fn expects_digests(
    aws: &Aws,
    keys: &BucketKeys<'_>,
    target: &TrailBucket,
    since: UtcDay,
) -> Result<bool> {
    if !target.has_digests {
        return Ok(false);
    }
    let own = PairKeys {
        log_prefix: &target.log_prefix,
        account: &target.account,
        region: &target.home_region,
    };
    let trail = (target.trail.as_str(), target.home_region.as_str());
    let (deliveries, digests) = try_join!(
        TrailDeliveries::read(aws, target),
        keys.digests(&own, since, trail)
    )?;
    let oldest = digests.map(|(oldest, _)| oldest.to_system_time());
    Ok(are_digests_expected(deliveries, oldest, keys.now))
}
