//! The notices of `verify`.

use crate::aws::arn;
use crate::error::Error;
use crate::render::message::{Message, Notice};
use crate::render::status_line::minutes_and_seconds;
use crate::render::verify::delay_text;
use crate::sanitize::escape_control_chars;
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
        /// The run has the option `--all-regions`.
        all_regions: bool,
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
            Self::Sending {
                id,
                call,
                regions,
                all_regions,
            } => {
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
                    "If this run is interrupted, `{}` continues.",
                    resume_command(id, *all_regions)
                ))
            }
            Self::Resumed { id } => {
                Message::status("canary", format!("Looking for canary {id} of an earlier run."))
            }
            Self::Sighting(sighting) => Message::status("sighting", sighting_text(sighting)),
            Self::Outage(error) => {
                Message::warning("outage", outage_text(error))
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

/// Returns the command that looks for the canary later.
#[must_use]
pub fn resume_command(id: &CanaryId, all_regions: bool) -> String {
    let option = if all_regions { " --all-regions" } else { "" };
    format!("heeler-ec verify --resume {id}{option}")
}

fn outage_text(error: &Error) -> String {
    escape_control_chars(&format!("{}: {}", error.headline(), error.cause()))
}

fn sighting_text(sighting: &Sighting) -> String {
    let point = match &sighting.region {
        Some(region) => format!("{} ({region})", sighting.point),
        None => sighting.point.to_owned(),
    };
    let time = sighting.after.map(minutes_and_seconds);
    // Names of log streams and of log files come from AWS's responses and from messages.
    let observed = escape_control_chars(&sighting.observed);
    match (sighting.status, time) {
        (SightingStatus::Seen, Some(time)) => {
            format!("Seen at {point} after {time}: {observed}")
        }
        (SightingStatus::Seen, None) => format!("Seen at {point}: {observed}"),
        _ => format!("Not observable at {point}: {observed}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        for status in [SightingStatus::Seen, SightingStatus::NotObservable] {
            let text = sighting_text(&Sighting {
                point: "log_group",
                region: None,
                status,
                after: None,
                observed: "in log stream \x1b[2Ja\nb".to_owned(),
                resource: "g".to_owned(),
            });
            assert!(text.ends_with(r"in log stream \u{1b}[2Ja\nb"), "{text}");
        }
        let text = outage_text(&Error::failed("read the queue", "\x1b]0;title\x07"));
        assert_eq!(text, r"cannot read the queue: \u{1b}]0;title\u{7}");
    }

    #[test]
    fn announced_resume_command_keeps_all_regions() {
        let id = CanaryId::parse("20261127T210305-9f2c71d0").expect("an ID");
        for (all_regions, end) in [(true, "9f2c71d0 --all-regions`"), (false, "9f2c71d0`")] {
            let sending = VerifyNotice::Sending {
                id: id.clone(),
                call: CanaryCall::CallerIdentity,
                regions: vec!["us-east-1".to_owned()],
                all_regions,
            };
            let message = format!("{:?}", sending.message());
            let command = format!("`heeler-ec verify --resume 20261127T210305-{end}");
            assert!(message.contains(&command), "{message}");
        }
    }
}
