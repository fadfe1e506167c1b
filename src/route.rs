//! The ways for events to reach Heeler: the values of `--option`.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    S3,
    CloudWatch,
}

impl Route {
    pub const ALL: [Self; 2] = [Self::S3, Self::CloudWatch];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::CloudWatch => "cloudwatch",
        }
    }

    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Self::S3 => "S3 → SNS → SQS (recommended)",
            Self::CloudWatch => "CloudWatch Logs → Lambda → SQS FIFO",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|route| route.name() == name)
    }
}
