//! Receives notifications about log files from a temporary queue, never from Heeler's queue.

use super::canary::Canary;
use super::log_files::{AccountLogFiles, AnnouncedFiles};
use super::retry::retry_transient;
use super::sighting::SightingBoard;
use crate::aws::Aws;
use crate::cloudtrail::s3_notification;
use crate::error::Result;
use crate::tail::source::temporary_queue::TemporaryQueue;

const POINT: &str = "notification";

/// Receives notifications until they have announced the canary of every region.
pub(super) async fn observe(
    aws: &Aws,
    queue: &TemporaryQueue,
    files: &AccountLogFiles,
    canary: &Canary,
    announced: &AnnouncedFiles,
    board: &SightingBoard<'_>,
) -> Result<()> {
    let receive = async {
        loop {
            let messages = retry_transient(async || queue.receive(aws).await).await?;
            for message in &messages {
                // Other messages, such as the test event of S3, announce no log file.
                let Ok(notification) = s3_notification::parse(&message.body) else {
                    continue;
                };
                let objects = notification.objects.into_iter();
                let in_bucket = objects.filter(|object| object.bucket == files.log_bucket.bucket);
                for object in in_bucket.filter(|object| files.contains(&object.key)) {
                    announced.announce(&object.key, canary.age(), board);
                }
            }
            // A message that is not deleted is received again, and ends with the queue.
            let _ = queue.delete_messages(aws, &messages).await;
        }
    };
    tokio::select! {
        () = board.wait_until(|board| !board.is_awaited(POINT, None)) => Ok(()),
        stopped = receive => stopped,
    }
}
