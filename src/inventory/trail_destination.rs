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
}
