//! Everything that is known before planning: where the pipeline goes, what it is called, whom it trusts.

use crate::aws::{CallerIdentity, arn};
use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::inventory::trail_destination::TrailDestination;
use crate::inventory::{LogEncryption, Snapshot};
use crate::naming::ResourceNames;
use crate::resource::trust::HeelerTrust;

#[derive(Clone, Debug)]
pub struct DeploymentTarget {
    pub account: String,
    pub partition: String,
    pub region: String,
    pub names: ResourceNames,
    /// What the trail delivers to; option cloudwatch has no use for it.
    pub bucket: String,
    /// Where log objects begin, with a slash at the end.
    pub log_prefix: String,
    /// ARNs of the customer managed keys of the log objects, on which Heeler is granted decryption.
    pub bucket_keys: Vec<String>,
    /// Those on which it was granted before; destroy takes all of them back.
    pub previous_keys: Vec<String>,
    /// ARN of a topic that is there already.
    pub topic: Option<String>,
    /// Name of the log group that the trail delivers to, for option cloudwatch.
    pub log_group: Option<String>,
    pub trust: HeelerTrust,
}

impl DeploymentTarget {
    /// From what preflight saw: what was checked is what is used.
    ///
    /// # Errors
    /// When the survey lacks something that the checks would have named.
    pub fn from_snapshot(
        survey: &Snapshot,
        names: ResourceNames,
        trust: HeelerTrust,
    ) -> Result<Self> {
        let lacks = |what: &str| {
            Error::negative(format!("{what} is not known"))
                .with_hint("`heeler-ec preflight` shows why")
        };
        let caller = survey.account.caller.as_ref().map_err(Clone::clone)?;
        if survey.route == TrailDestination::LogGroup {
            let group = survey
                .log_group
                .as_ref()
                .ok_or_else(|| lacks("the trail's log group"))?;
            return Ok(Self {
                trust,
                ..Self::for_log_group(caller, &group.region, names, &group.name)
            });
        }
        let bucket = survey
            .bucket
            .as_ref()
            .ok_or_else(|| lacks("the trail's bucket"))?;
        let region = survey
            .region()
            .ok_or_else(|| lacks("the bucket's region"))?;
        let keys = match survey.log_encryption() {
            LogEncryption::CustomerKeys(keys) => {
                keys.iter().map(|key| key.name().to_owned()).collect()
            }
            LogEncryption::SseS3 | LogEncryption::AwsManagedKey => Vec::new(),
            LogEncryption::Unknown => {
                return Err(lacks("the key of the log objects, if there is one,"));
            }
        };
        let topic = match &bucket.topic {
            Some(Ok(Some(topic))) => Some(topic.arn.clone()),
            _ => None,
        };
        let mut site = Self {
            account: caller.account.clone(),
            partition: caller.partition.clone(),
            region: region.to_owned(),
            names,
            bucket: bucket.name.clone(),
            log_prefix: survey.log_prefix(),
            bucket_keys: keys,
            previous_keys: Vec::new(),
            topic,
            log_group: None,
            trust,
        };
        // Ours is made and deleted by us, also when it is named.
        site.topic = site
            .topic
            .take()
            .filter(|topic| *topic != site.managed_topic_arn());
        Ok(site)
    }

    /// Of option cloudwatch, for what is only looked for.
    #[must_use]
    pub fn for_log_group(
        caller: &CallerIdentity,
        region: &str,
        names: ResourceNames,
        log_group: &str,
    ) -> Self {
        Self {
            account: caller.account.clone(),
            partition: caller.partition.clone(),
            region: region.to_owned(),
            names,
            bucket: String::new(),
            log_prefix: String::new(),
            bucket_keys: Vec::new(),
            previous_keys: Vec::new(),
            topic: None,
            log_group: Some(log_group.to_owned()),
            trust: HeelerTrust::empty(),
        }
    }

    /// From what was set up, wherever the trail delivers today.
    #[must_use]
    pub fn from_deployment(
        caller: &CallerIdentity,
        names: ResourceNames,
        deployment: &Deployment,
    ) -> Self {
        Self {
            account: caller.account.clone(),
            partition: caller.partition.clone(),
            region: deployment.region.clone(),
            names,
            bucket: deployment.bucket.clone(),
            log_prefix: deployment.log_prefix.clone(),
            bucket_keys: deployment.bucket_keys.clone(),
            previous_keys: Vec::new(),
            topic: deployment.topic.clone(),
            log_group: deployment.log_group.clone(),
            trust: deployment.trust.clone().unwrap_or_else(HeelerTrust::empty),
        }
    }

    pub(crate) fn queue_arn(&self, name: &str) -> String {
        self.regional_arn("sqs", name)
    }

    /// The topic that setup makes when there is none to use.
    #[must_use]
    pub fn managed_topic_arn(&self) -> String {
        self.regional_arn("sns", &self.names.topic())
    }

    pub(crate) fn role_arn(&self, name: &str) -> String {
        arn::build(
            &self.partition,
            "iam",
            "",
            &self.account,
            &format!("role/{name}"),
        )
    }

    pub(crate) fn policy_arn(&self, name: &str) -> String {
        arn::build(
            &self.partition,
            "iam",
            "",
            &self.account,
            &format!("policy/{name}"),
        )
    }

    pub(crate) fn bucket_arn(&self) -> String {
        arn::build(&self.partition, "s3", "", "", &self.bucket)
    }

    pub(crate) fn function_arn(&self) -> String {
        self.regional_arn("lambda", &format!("function:{}", self.names.function()))
    }

    /// ARN of everything in a log group.
    pub(crate) fn log_group_arn(&self, group: &str) -> String {
        self.regional_arn("logs", &format!("log-group:{group}:*"))
    }

    fn regional_arn(&self, service: &str, name: &str) -> String {
        arn::build(&self.partition, service, &self.region, &self.account, name)
    }
}
