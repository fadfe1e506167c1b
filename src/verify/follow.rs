//! Follows a canary: starts the observer of each point, and ends when all of them have ended.

use futures_util::future::{LocalBoxFuture, try_join_all};

use super::canary::Canary;
use super::log_files::{AccountLogFiles, AnnouncedFiles};
use super::plan::{ObservationPoint, VerifyPlan};
use super::queue_counters::QueueCounters;
use super::sighting::SightingBoard;
use super::{event_history, function_log, log_files, log_group, notification, queue_counters};
use crate::aws::Aws;
use crate::error::Result;
use crate::tail::source::temporary_queue::TemporaryQueue;

/// The reason why a point does not show the canary of an earlier run.
const AFTER_INTERRUPTION: &str = "not observable after an interruption";

/// A canary to follow, and the resources for it.
pub struct FollowRequest<'a> {
    /// Clients for the region of the deployment.
    pub aws: &'a Aws,
    pub plan: &'a VerifyPlan,
    /// The regions of the calls.
    pub regions: &'a [String],
    pub canary: &'a Canary,
    /// The temporary queue; `None` if an earlier run sent the canary.
    pub temporary_queue: Option<&'a TemporaryQueue>,
    /// The messages in Heeler's queue before the canary; `None` if an earlier run sent it.
    pub messages_before: Option<QueueCounters>,
}

/// Follows the canary until it was seen at every point that can show it. Dropping the future stops the observers.
///
/// # Errors
/// The error of a call, unless it is transient.
pub async fn follow(request: &FollowRequest<'_>, board: &SightingBoard<'_>) -> Result<()> {
    let FollowRequest {
        aws,
        plan,
        regions,
        canary,
        ..
    } = *request;
    let announced = AnnouncedFiles::default();
    let files = plan.log_files();
    let files = files.map(|log_files| AccountLogFiles::new(log_files, &plan.account));
    let mut observers: Vec<LocalBoxFuture<'_, Result<()>>> = Vec::new();
    for point in &plan.points {
        match (point, &files) {
            (ObservationPoint::EventHistory, _) => {
                for region in regions {
                    let observer = event_history::observe(aws, region, canary, &plan.call, board);
                    observers.push(Box::pin(observer));
                }
            }
            (ObservationPoint::LogFile { .. }, Some(files)) => {
                for region in regions {
                    let observer =
                        log_files::observe(aws, files, region, canary, &announced, board);
                    observers.push(Box::pin(observer));
                }
            }
            (ObservationPoint::Notification { .. }, Some(files)) => match request.temporary_queue {
                Some(queue) => {
                    let observer =
                        notification::observe(aws, queue, files, canary, &announced, board);
                    observers.push(Box::pin(observer));
                }
                None => set_not_observable(point, regions, board),
            },
            (ObservationPoint::LogGroup { name }, _) => {
                for region in regions {
                    let observer = log_group::observe(aws, name, region, canary, board);
                    observers.push(Box::pin(observer));
                }
            }
            (ObservationPoint::Function { log_group }, _) => {
                for region in regions {
                    let observer = function_log::observe(aws, log_group, region, canary, board);
                    observers.push(Box::pin(observer));
                }
            }
            (ObservationPoint::Queue { name }, _) => match request.messages_before {
                Some(before) => {
                    let earlier = points_before_queue(plan);
                    let observer =
                        queue_counters::observe(aws, name, before, earlier, canary, board);
                    observers.push(Box::pin(observer));
                }
                None => set_not_observable(point, regions, board),
            },
            (ObservationPoint::LogFile { .. } | ObservationPoint::Notification { .. }, None) => {}
        }
    }
    try_join_all(observers).await.map(|_| ())
}

/// The points of which one must be seen before a new message in the queue can be the canary.
fn points_before_queue(plan: &VerifyPlan) -> &'static [&'static str] {
    let has_other = plan.points.iter().any(|point| {
        matches!(
            point,
            ObservationPoint::Notification { .. } | ObservationPoint::Function { .. }
        )
    });
    if has_other {
        &["notification", "function"]
    } else {
        // S3 sends the event of a log file directly to the queue.
        &["log_file"]
    }
}

fn set_not_observable(point: &ObservationPoint, regions: &[String], board: &SightingBoard<'_>) {
    if point.is_per_region() {
        for region in regions {
            board.record_not_observable(point.id(), Some(region), AFTER_INTERRUPTION);
        }
    } else {
        board.record_not_observable(point.id(), None, AFTER_INTERRUPTION);
    }
}
