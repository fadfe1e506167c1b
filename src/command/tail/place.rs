//! Where tail looks for events: as the operator says, else where the option has them.

use crate::cli;
use crate::error::{Error, Result};
use crate::pipeline::deployment::Deployment;
use crate::pipeline::site::Site;
use crate::route::Route;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tap,
    Bucket,
    LogGroup,
    HeelersQueue,
}

pub(super) fn place(args: &cli::Tail, site: &Site, deployment: &Deployment) -> Result<Place> {
    let is_s3 = Route::named(&deployment.option) == Some(Route::S3);
    if args.from_heelers_queue {
        return Ok(Place::HeelersQueue);
    }
    let refuse = |what: &str| {
        Err(Error::usage(
            format!("look for events in {what}"),
            format!("option {} is set up, which uses none", deployment.option),
        ))
    };
    match args.source {
        Some(cli::Source::Tap) if !is_s3 => refuse("a topic"),
        Some(cli::Source::Bucket) if !is_s3 => refuse("a bucket"),
        Some(cli::Source::LogGroup) if is_s3 => refuse("a log group"),
        Some(cli::Source::Bucket) => Ok(Place::Bucket),
        None | Some(_) if is_s3 => Ok(Place::Tap),
        None | Some(_) if site.log_group.is_some() => Ok(Place::LogGroup),
        None | Some(_) => Err(Error::unanswered(
            "show events",
            "the role's tags do not tell the log group, whose name holds what no tag may",
        )),
    }
}
