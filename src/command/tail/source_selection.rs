//! Where tail looks for events: as the operator says, else where the option has them.

use crate::cli;
use crate::deployment::Deployment;
use crate::deployment::target::DeploymentTarget;
use crate::error::{Error, Result};
use crate::inventory::trail_destination::TrailDestination;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceKind {
    Queue,
    Bucket,
    LogGroup,
    HeelerQueue,
}

pub(super) fn select_source(
    args: &cli::TailArgs,
    site: &DeploymentTarget,
    deployment: &Deployment,
) -> Result<SourceKind> {
    let is_s3 = TrailDestination::from_name(&deployment.option) == Some(TrailDestination::Bucket);
    if args.from_heelers_queue {
        return Ok(SourceKind::HeelerQueue);
    }
    let refuse = |what: &str| {
        Err(Error::usage(
            format!("look for events in {what}"),
            format!("option {} is set up, which uses none", deployment.option),
        ))
    };
    match args.source {
        Some(cli::SourceArg::Tap) if !is_s3 => refuse("a topic"),
        Some(cli::SourceArg::Bucket) if !is_s3 => refuse("a bucket"),
        Some(cli::SourceArg::LogGroup) if is_s3 => refuse("a log group"),
        Some(cli::SourceArg::Bucket) => Ok(SourceKind::Bucket),
        None | Some(_) if is_s3 => Ok(SourceKind::Queue),
        None | Some(_) if site.log_group.is_some() => Ok(SourceKind::LogGroup),
        None | Some(_) => Err(Error::failed(
            "show events",
            "the role's tags do not tell the log group, whose name holds what no tag may",
        )),
    }
}
