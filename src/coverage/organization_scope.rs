//! The accounts and the regions of the organization, without the state of each account in each region.

use tokio::try_join;

use super::accounts::list_accounts;
use super::matrix::RegionName;
use super::regions::own_regions;
use super::trail_bucket::TrailBucket;
use crate::aws::Aws;
use crate::error::Result;

/// The accounts and the regions for which a trail may deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationScope {
    /// Pairs of ID and name, in the order of the IDs. Suspended accounts are among them, because their log files stay.
    pub accounts: Vec<(String, String)>,
    /// The IDs of accounts that can have events.
    pub usable_accounts: Vec<String>,
    /// All regions of the partition, for which log files may exist.
    pub regions: Vec<RegionName>,
    /// The regions that are enabled in the account of the caller.
    pub enabled_regions: Vec<RegionName>,
}

impl OrganizationScope {
    /// Reads the accounts of the organization and the regions of the caller's account.
    ///
    /// # Errors
    /// When AWS refuses a call.
    pub async fn read(aws: &Aws, target: &TrailBucket) -> Result<Self> {
        let (accounts, own) = try_join!(list_accounts(aws), own_regions(aws, &target.home_region))?;
        let usable = accounts.iter().filter(|account| account.is_usable());
        let home = || vec![RegionName::from(target.home_region.as_str())];
        let enabled = own.by_default.iter().chain(&own.opted_in);
        let mut enabled: Vec<RegionName> = enabled.cloned().collect();
        enabled.sort();
        let mut regions: Vec<RegionName> = enabled.iter().chain(&own.disabled).cloned().collect();
        regions.sort();
        if !target.is_multi_region {
            (enabled, regions) = (home(), home());
        }
        Ok(Self {
            usable_accounts: usable.map(|account| account.id.clone()).collect(),
            regions,
            enabled_regions: enabled,
            accounts: accounts
                .into_iter()
                .map(|account| (account.id, account.name))
                .collect(),
        })
    }
}
