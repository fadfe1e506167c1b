//! The stable IDs of checks, and the page of each in `docs/checks`.

use std::fmt;
use std::str::FromStr;

macro_rules! check_ids {
    ($($variant:ident => $id:literal,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CheckId {
            $($variant,)*
        }

        impl CheckId {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the public ID, such as `trail.logging`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)*
                }
            }

            /// Returns the page of the check in Markdown, with its heading. The build fails if there is none.
            const fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("../docs/checks/", $id, ".md")),)*
                }
            }
        }
    };
}

check_ids! {
    AccountCredentials => "account.credentials",
    AccountRoot => "account.root",
    AccountExpected => "account.expected",
    AccountPartition => "account.partition",
    AccountRegion => "account.region",
    AccountEndpoint => "account.endpoint",
    OrgExists => "org.exists",
    OrgManagementAccount => "org.management_account",
    OrgAllFeatures => "org.all_features",
    OrgTrustedAccess => "org.trusted_access",
    OrgDelegatedAdmin => "org.delegated_admin",
    OrgControlPolicies => "org.control_policies",
    TrailFound => "trail.found",
    TrailOrganization => "trail.organization",
    TrailMultiRegion => "trail.multi_region",
    TrailGlobalEvents => "trail.global_events",
    TrailLogging => "trail.logging",
    TrailDelivery => "trail.delivery",
    TrailEventsManagement => "trail.events.management",
    TrailEventsSources => "trail.events.sources",
    TrailRegions => "trail.regions",
    TrailControlTower => "trail.control_tower",
    TrailSnsTopic => "trail.sns_topic",
    TrailValidation => "trail.validation",
    BucketMatchesTrail => "bucket.matches_trail",
    BucketOwner => "bucket.owner",
    BucketRegion => "bucket.region",
    BucketRecentObjects => "bucket.recent_objects",
    BucketMemberObjects => "bucket.member_objects",
    BucketEncryption => "bucket.encryption",
    BucketNotifications => "bucket.notifications",
    BucketDestinations => "bucket.destinations",
    BucketTopic => "bucket.topic",
    BucketDelivery => "bucket.delivery",
    BucketPolicy => "bucket.policy",
    BucketOwnership => "bucket.ownership",
    BucketLifecycle => "bucket.lifecycle",
    BucketRequesterPays => "bucket.requester_pays",
    KeyState => "key.state",
    KeyAccount => "key.account",
    KeyGrantable => "key.grantable",
    KeyDecrypt => "key.decrypt",
    KeyExistingGrants => "key.existing_grants",
    LogsEnabled => "logs.enabled",
    LogsAccount => "logs.account",
    LogsExists => "logs.exists",
    LogsDelivery => "logs.delivery",
    LogsMemberStreams => "logs.member_streams",
    LogsClass => "logs.class",
    LogsRetention => "logs.retention",
    LogsFilters => "logs.filters",
    LogsAccountSubscriptionFilter => "logs.account_subscription_filter",
    LogsKey => "logs.key",
    LogsDataProtection => "logs.data_protection",
    LogsTransformer => "logs.transformer",
    LogsRecursion => "logs.recursion",
    NamesTerraformManaged => "names.terraform_managed",
    NamesRole => "names.role",
    NamesPolicy => "names.policy",
    NamesQueue => "names.queue",
    NamesDeadLetterQueue => "names.dead_letter_queue",
    NamesAlias => "names.alias",
    NamesAliasKey => "names.alias_key",
    NamesTopic => "names.topic",
    NamesFunction => "names.function",
    NamesFunctionRole => "names.function_role",
    NamesFunctionPolicy => "names.function_policy",
    LintRootTrust => "lint.root_trust",
    LintExternalId => "lint.external_id",
    LintWildcardPrincipal => "lint.wildcard_principal",
    LintUnknownAccount => "lint.unknown_account",
    LintWildcardAction => "lint.wildcard_action",
    LintWildcardResource => "lint.wildcard_resource",
    QuotaLambda => "quota.lambda",
    QuotaIam => "quota.iam",
    CallerPermissions => "caller.permissions",
}

impl CheckId {
    /// Returns the documentation of the check in Markdown, without its heading.
    #[must_use]
    pub fn documentation(self) -> &'static str {
        let page = self.page();
        page.split_once('\n').map_or(page, |(_, text)| text.trim())
    }

    /// Returns the first part of the ID, which names the subject of the check.
    #[must_use]
    pub fn group(self) -> &'static str {
        let id = self.as_str();
        id.split_once('.').map_or(id, |(group, _)| group)
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CheckId {
    type Err = String;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.iter().copied().find(|known| known.as_str() == id);
        known.ok_or_else(|| format!("there is no check {id:?}"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_parse_back() {
        let texts: BTreeSet<&str> = CheckId::ALL.iter().map(|id| id.as_str()).collect();
        assert_eq!(texts.len(), CheckId::ALL.len());
        for id in CheckId::ALL {
            assert_eq!(id.as_str().parse(), Ok(*id));
        }
        assert!("trail.unknown".parse::<CheckId>().is_err());
    }

    #[test]
    fn group_is_the_first_part() {
        assert_eq!(CheckId::TrailEventsSources.group(), "trail");
    }
}
