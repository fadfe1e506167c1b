//! The ways for events to reach Heeler: the values of `--option`.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrailDestination {
    Bucket,
    LogGroup,
}

impl TrailDestination {
    pub const ALL: [Self; 2] = [Self::Bucket, Self::LogGroup];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bucket => "s3",
            Self::LogGroup => "cloudwatch",
        }
    }

    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Self::Bucket => "S3 → SNS → SQS (recommended)",
            Self::LogGroup => "CloudWatch Logs → Lambda → SQS FIFO",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|route| route.name() == name)
    }
}
