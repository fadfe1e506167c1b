//! The notices of `verify`.

use crate::aws::arn;
use crate::error::Error;
use crate::render::message::{Message, Notice};
use crate::render::status_line::minutes_and_seconds;
use crate::render::verify::delay_text;
use crate::verify::delay::MeasuredDelay;
use crate::verify::{CANARY_TAG, CanaryCall, CanaryId, Sighting, SightingStatus};

/// Something that `verify` reports.
#[derive(Clone, Debug)]
pub enum VerifyNotice {
    /// The delivery delay of the newest events; `None` if there are none.
    DeliveryDelay(Option<MeasuredDelay>),
    TemporaryQueue {
        /// ARN of the topic.
        topic: String,
        queue: String,
    },
    /// The canary is about to be sent.
    Sending {
        id: CanaryId,
        call: CanaryCall,
        regions: Vec<String>,
    },
    /// The canary of an earlier run is looked for.
    Resumed {
        id: CanaryId,
    },
    Sighting(Sighting),
    /// AWS does not respond at the moment.
    Outage(Error),
    EvidenceWritten {
        /// Names of the Markdown file and the JSON file.
        files: [String; 2],
    },
    NotSeenYet {
        /// The points at which the canary was not seen.
        points: Vec<&'static str>,
        /// The command that looks for the canary later.
        command: String,
    },
}

impl Notice for VerifyNotice {
    fn message(&self) -> Message {
        match self {
            Self::DeliveryDelay(delay) => Message::status("delivery_delay", delay_text(*delay)),
            Self::TemporaryQueue { topic, queue } => Message::status(
                "temporary_queue",
                format!(
                    "Receiving from topic {} through the temporary queue {queue}, which is deleted at the end.",
                    arn::resource_name(topic)
                ),
            ),
            Self::Sending { id, call, regions } => {
                let text = match call {
                    CanaryCall::CallerIdentity => format!(
                        "Sending canary {id}: {} in {}. It changes nothing.",
                        call.action(),
                        regions.join(", ")
                    ),
                    CanaryCall::TagQueue { queue } => format!(
                        "Sending canary {id}: {} sets the tag {CANARY_TAG} of queue {queue}. The tag stays, and Heeler \
                         receives the event.",
                        call.action()
                    ),
                };
                Message::status("canary", text).and_text(format!(
                    "If this run is interrupted, `heeler-ec verify --resume {id}` continues."
                ))
            }
            Self::Resumed { id } => {
                Message::status("canary", format!("Looking for canary {id} of an earlier run."))
            }
            Self::Sighting(sighting) => Message::status("sighting", sighting_text(sighting)),
            Self::Outage(error) => {
                Message::warning("outage", format!("{}: {}", error.headline(), error.cause()))
            }
            Self::EvidenceWritten {
                files: [markdown, json],
            } => Message::status(
                "evidence_written",
                format!("Wrote the evidence report to {markdown} and {json}."),
            ),
            Self::NotSeenYet { points, command } => Message::warning(
                "not_seen_yet",
                format!(
                    "Not seen yet at: {}. CloudTrail does not guarantee a delivery time. To look again, run:",
                    points.join(", ")
                ),
            )
            .and_command(command)
            .and_advice("`heeler-ec status` shows whether a hop is broken."),
        }
    }
}

fn sighting_text(sighting: &Sighting) -> String {
    let point = match &sighting.region {
        Some(region) => format!("{} ({region})", sighting.point),
        None => sighting.point.to_owned(),
    };
    let time = sighting.after.map(minutes_and_seconds);
    match (sighting.status, time) {
        (SightingStatus::Seen, Some(time)) => {
            format!("Seen at {point} after {time}: {}", sighting.observed)
        }
        (SightingStatus::Seen, None) => format!("Seen at {point}: {}", sighting.observed),
        _ => format!("Not observable at {point}: {}", sighting.observed),
    }
}
