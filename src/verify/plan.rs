//! The canary and the observation points of a deployment, as its delivery option describes them.

/// The verification of a deployment.
#[derive(Clone, Debug)]
pub struct VerifyPlan {
    /// The account of the deployment. The canary is recorded in it.
    pub account: String,
    /// The region of the deployment.
    pub region: String,
    pub call: CanaryCall,
    /// The observation points in the order of an event.
    pub points: Vec<ObservationPoint>,
}

/// The call that is sent as the canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CanaryCall {
    /// `sts:GetCallerIdentity` in each region. It changes nothing.
    CallerIdentity,
    /// `sqs:TagQueue` on Heeler's queue with this name, in the region of the deployment. Options whose filter passes
    /// only writes need it.
    TagQueue { queue: String },
}

impl CanaryCall {
    /// The call as IAM names its action.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::CallerIdentity => "sts:GetCallerIdentity",
            Self::TagQueue { .. } => "sqs:TagQueue",
        }
    }

    /// The event name in CloudTrail's records.
    #[must_use]
    pub fn event_name(&self) -> &'static str {
        match self {
            Self::CallerIdentity => "GetCallerIdentity",
            Self::TagQueue { .. } => "TagQueue",
        }
    }
}

/// A place where a canary can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObservationPoint {
    /// CloudTrail's event history.
    EventHistory,
    /// The log files in the trail's bucket.
    LogFile {
        bucket: String,
        /// Account ID of the bucket's owner.
        owner: String,
        /// Key prefix of the log files of all accounts, with a slash at the end.
        log_prefix: String,
    },
    /// A temporary queue that is subscribed to the topic.
    Notification {
        /// ARN of the topic.
        topic: String,
    },
    /// The log group of the trail.
    LogGroup { name: String },
    /// The log of the function that sends events to Heeler's queue.
    Function {
        /// Name of the log group of the function.
        log_group: String,
    },
    /// The number of messages in Heeler's queue. No message is received.
    Queue { name: String },
}

impl ObservationPoint {
    /// The ID that output and documentation use.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::EventHistory => "event_history",
            Self::LogFile { .. } => "log_file",
            Self::Notification { .. } => "notification",
            Self::LogGroup { .. } => "log_group",
            Self::Function { .. } => "function",
            Self::Queue { .. } => "queue",
        }
    }

    /// Returns true if the canary of each region is seen on its own. The messages in the queue are only counted.
    #[must_use]
    pub fn is_per_region(&self) -> bool {
        !matches!(self, Self::Queue { .. })
    }

    /// Name or ARN of the observed resource; empty for the event history.
    #[must_use]
    pub fn resource(&self) -> &str {
        match self {
            Self::EventHistory => "",
            Self::LogFile { bucket, .. } => bucket,
            Self::Notification { topic } => topic,
            Self::LogGroup { name } | Self::Queue { name } => name,
            Self::Function { log_group } => log_group,
        }
    }
}

impl VerifyPlan {
    /// The point at which log files are seen: bucket, its owner and the key prefix.
    #[must_use]
    pub fn log_files(&self) -> Option<(&str, &str, &str)> {
        self.points.iter().find_map(|point| match point {
            ObservationPoint::LogFile {
                bucket,
                owner,
                log_prefix,
            } => Some((&**bucket, &**owner, &**log_prefix)),
            _ => None,
        })
    }

    /// The topic that announces log files.
    #[must_use]
    pub fn topic(&self) -> Option<&str> {
        self.points.iter().find_map(|point| match point {
            ObservationPoint::Notification { topic } => Some(&**topic),
            _ => None,
        })
    }

    /// The log group of the trail.
    #[must_use]
    pub fn log_group(&self) -> Option<&str> {
        self.points.iter().find_map(|point| match point {
            ObservationPoint::LogGroup { name } => Some(&**name),
            _ => None,
        })
    }

    /// The name of Heeler's queue.
    #[must_use]
    pub fn queue(&self) -> Option<&str> {
        self.points.iter().find_map(|point| match point {
            ObservationPoint::Queue { name } => Some(&**name),
            _ => None,
        })
    }

    /// Changes the key prefix of the log files.
    pub fn set_log_prefix(&mut self, prefix: &str) {
        for point in &mut self.points {
            if let ObservationPoint::LogFile { log_prefix, .. } = point {
                prefix.clone_into(log_prefix);
            }
        }
    }
}
