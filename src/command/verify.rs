//! Sends a canary and follows it through each hop. A timeout is no failure: the canary can be looked for again later.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep, sleep_until};

use super::evidence::EvidenceFiles;
use super::existing_deployment::require_deployment;
use super::tail::subscription_target;
use super::temporary_queue::TemporaryQueueSession;
use super::{CommandOutcome, Context};
use crate::aws::Aws;
use crate::aws::queue_url::require_queue_url;
use crate::cli;
use crate::error::{Error, Exit, Result};
use crate::inventory::pipeline;
use crate::inventory::regions::enabled_regions;
use crate::option::{Target, existing_target};
use crate::render::evidence::{Evidence, evidence_texts};
use crate::render::notices::verify::{VerifyNotice, resume_command};
use crate::render::status_line::{StatusLine, verify_status};
use crate::render::verify::{VerifyReport, verify_document};
use crate::tail::source::temporary_queue::{SubscriptionTarget, TemporaryQueue};
use crate::verify::delay::{self, MeasuredDelay};
use crate::verify::sighting::is_complete;
use crate::verify::{
    CANARY_TAG, Canary, CanaryCall, CanaryId, FollowRequest, QueueCounters, Sighting,
    SightingBoard, SightingStatus, VerifyPlan, count_messages, follow,
};

/// The time after which an outage of AWS ends the deletion of the temporary queue.
const GIVE_UP_AFTER: Duration = Duration::from_secs(300);
/// The region in which AWS records the events of most global services, in the partition `aws`.
const GLOBAL_REGION: &str = "us-east-1";
/// The clock of the machine that sent a canary may be fast by this time.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(300);

pub(super) async fn run(context: &Context, args: cli::VerifyArgs) -> Result<CommandOutcome> {
    if let Some(id) = &args.resume
        && id.sent_at() > SystemTime::now() + CLOCK_TOLERANCE
    {
        return Err(
            Error::usage(format!("the canary {id} has a time in the future")).with_hint(
                "copy the ID from the output of verify, and check the clock of this machine",
            ),
        );
    }
    let evidence = args
        .evidence
        .as_deref()
        .map(EvidenceFiles::new)
        .transpose()?;
    let prepared = context.cancellable(prepare(context, &args)).await?;
    if args.no_canary {
        let report = prepared.report(context, None, &[]);
        let document = verify_document(&context.ui, &report);
        let exit = exit_code(prepared.delay.is_some());
        let outcome = CommandOutcome::result(document).with_exit(exit);
        return Ok(prepared.write_evidence(context, evidence.as_ref(), &report, outcome));
    }
    VerifyRun {
        context,
        args: &args,
        prepared: &prepared,
        evidence: evidence.as_ref(),
        deadline: Instant::now() + args.timeout,
    }
    .run()
    .await
}

fn exit_code(is_seen: bool) -> Exit {
    if is_seen {
        Exit::Success
    } else {
        Exit::NotSeen
    }
}

/// The facts that are known before the canary is sent.
struct PreparedVerification {
    /// Clients for the region of the deployment.
    aws: Aws,
    option: &'static str,
    plan: VerifyPlan,
    /// The regions in which the canary is sent.
    regions: Vec<String>,
    /// The topic for a temporary queue; `None` if the option has no topic.
    subscription: Option<SubscriptionTarget>,
    delay: Option<MeasuredDelay>,
    is_delay_announced: bool,
    /// ARN of the caller.
    caller: String,
    /// The version of heeler-ec that created the deployment.
    deployed_version: Option<String>,
}

/// Finds the deployment and measures the delivery delay.
async fn prepare(context: &Context, args: &cli::VerifyArgs) -> Result<PreparedVerification> {
    let (aws, caller, deployment) = require_deployment(context).await?;
    let target = existing_target(&deployment, &caller, context.names())?;
    let mut plan = target.verify_plan();
    if target.may_narrow_log_prefix() {
        let request = target.pipeline_request();
        if let Some(prefix) = pipeline::current_log_prefix(&aws, &request).await? {
            plan.set_log_prefix(&prefix);
        }
    }
    let regions = regions(&aws, &*target, &plan, args.all_regions).await?;
    let delay = delay::measure(&aws, &plan, &regions).await?;
    // Without a canary, the result follows at once and has the delay.
    if !args.no_canary {
        context.ui.notify(&VerifyNotice::DeliveryDelay(delay));
    }
    let subscription = subscription_target(&*target);
    Ok(PreparedVerification {
        aws,
        option: target.option().name(),
        regions,
        subscription: subscription.map(|subscription| SubscriptionTarget {
            extra_tags: deployment.extra_tags(),
            ..subscription
        }),
        plan,
        delay,
        is_delay_announced: !args.no_canary,
        deployed_version: deployment.version().map(str::to_owned),
        caller: caller.arn,
    })
}

/// The regions in which the canary is sent: that of the deployment first.
async fn regions(
    aws: &Aws,
    target: &dyn Target,
    plan: &VerifyPlan,
    all: bool,
) -> Result<Vec<String>> {
    let mut regions = vec![plan.region.clone()];
    if plan.call != CanaryCall::CallerIdentity {
        if all {
            return Err(Error::usage(format!(
                "--all-regions does not apply to option {}: its canary tags the queue of the deployment",
                target.option().name()
            )));
        }
        return Ok(regions);
    }
    if target.scope().partition == "aws" {
        regions.push(GLOBAL_REGION.to_owned());
    }
    if all {
        regions.extend(enabled_regions(aws).await?);
    }
    let mut known = Vec::new();
    regions.retain(|region| {
        let is_new = !known.contains(region);
        known.push(region.clone());
        is_new
    });
    Ok(regions)
}

impl PreparedVerification {
    fn report<'a>(
        &'a self,
        context: &'a Context,
        canary: Option<&'a Canary>,
        sightings: &'a [Sighting],
    ) -> VerifyReport<'a> {
        VerifyReport {
            option: self.option,
            name_prefix: &context.global.name_prefix,
            plan: &self.plan,
            canary,
            delay: self.delay,
            is_delay_announced: self.is_delay_announced,
            sightings,
            resume: None,
        }
    }

    /// Writes the evidence report, if there is one.
    fn write_evidence(
        &self,
        context: &Context,
        files: Option<&EvidenceFiles>,
        report: &VerifyReport<'_>,
        outcome: CommandOutcome,
    ) -> CommandOutcome {
        let Some(files) = files else { return outcome };
        let evidence = Evidence {
            report,
            caller: &self.caller,
            deployed_version: self.deployed_version.as_deref(),
            generated_at: SystemTime::now(),
        };
        match files.write(&evidence_texts(&context.ui, &evidence)) {
            Ok(()) => outcome.and_notice(&VerifyNotice::EvidenceWritten {
                files: files.names(),
            }),
            Err(error) => {
                if outcome.exit_code() == Exit::Interrupted {
                    // The outcome keeps the interruption.
                    context.ui.error(&error);
                }
                outcome.and_error(Some(error))
            }
        }
    }
}

/// The points at which the canary of a region was not seen, each once.
fn awaited_points(sightings: &[Sighting]) -> Vec<&'static str> {
    let mut points = Vec::new();
    for sighting in sightings {
        if sighting.status == SightingStatus::NotSeen && !points.contains(&sighting.point) {
            points.push(sighting.point);
        }
    }
    points
}

/// The end of the observation.
enum VerifyEnd {
    /// All observers have ended.
    Observed,
    TimedOut,
    Interrupted,
}

/// A run that sends a canary or looks for an earlier one.
struct VerifyRun<'a> {
    context: &'a Context,
    args: &'a cli::VerifyArgs,
    prepared: &'a PreparedVerification,
    evidence: Option<&'a EvidenceFiles>,
    deadline: Instant,
}

impl VerifyRun<'_> {
    async fn run(&self) -> Result<CommandOutcome> {
        let context = self.context;
        let (plan, regions) = (&self.prepared.plan, &self.prepared.regions);
        let board = SightingBoard::new(&plan.points, regions, |sighting| {
            context.ui.notify(&VerifyNotice::Sighting(sighting.clone()));
        });
        let (canary, end) = match (&self.args.resume, &self.prepared.subscription) {
            (Some(id), _) => {
                let canary = Canary::resumed(id.clone(), SystemTime::now());
                context.ui.notify(&VerifyNotice::Resumed { id: id.clone() });
                let end = self.follow(&canary, None, None, &board).await?;
                (Some(canary), end)
            }
            (None, None) => self.send_and_follow(None, &board).await?,
            (None, Some(target)) => {
                let session = TemporaryQueueSession {
                    context,
                    aws: &self.prepared.aws,
                    target,
                    give_up_after: GIVE_UP_AFTER,
                    on_outage: &|error| {
                        context.ui.notify(&VerifyNotice::Outage(error.clone()));
                    },
                };
                session
                    .run(async |queue| {
                        context.ui.notify(&VerifyNotice::TemporaryQueue {
                            topic: target.topic.clone(),
                            queue: queue.name.clone(),
                        });
                        self.send_and_follow(Some(queue), &board).await
                    })
                    .await?
            }
        };
        Ok(self.outcome(canary.as_ref(), &board, &end))
    }

    /// Sends the canary and follows it. Returns no canary after an interruption before it was sent.
    async fn send_and_follow(
        &self,
        queue: Option<&TemporaryQueue>,
        board: &SightingBoard<'_>,
    ) -> Result<(Option<Canary>, VerifyEnd)> {
        let cancellation = self.context.interrupt.cancellation();
        let sent = tokio::select! {
            sent = self.send() => sent,
            () = cancellation.cancelled() => return Ok((None, VerifyEnd::Interrupted)),
        };
        let (canary, before) = sent?;
        let end = self.follow(&canary, queue, Some(before), board).await?;
        Ok((Some(canary), end))
    }

    /// Counts the messages in Heeler's queue and sends the canary.
    async fn send(&self) -> Result<(Canary, QueueCounters)> {
        let PreparedVerification {
            aws, plan, regions, ..
        } = self.prepared;
        let before = match plan.queue() {
            Some(queue) => count_messages(aws, queue).await?,
            None => QueueCounters::default(),
        };
        let mut canary = Canary::new(CanaryId::generate(SystemTime::now()));
        let name = canary.id.app_name();
        self.context.ui.notify(&VerifyNotice::Sending {
            id: canary.id.clone(),
            call: plan.call.clone(),
            regions: regions.clone(),
            all_regions: self.args.all_regions,
        });
        match &plan.call {
            CanaryCall::CallerIdentity => {
                for region in regions {
                    let aws = aws.in_region(region);
                    let call = aws.send_caller_identity_canary(&name).await?;
                    canary.calls.push((region.clone(), call));
                }
            }
            CanaryCall::TagQueue { queue } => {
                let url = require_queue_url(aws, queue).await?;
                let tag = (CANARY_TAG, &*canary.id.to_string());
                let call = aws.send_tag_queue_canary(&name, &url, tag).await?;
                canary.calls.push((plan.region.clone(), call));
            }
        }
        Ok((canary, before))
    }

    /// Follows the canary until all observers end, the time is up, or the user interrupts.
    async fn follow(
        &self,
        canary: &Canary,
        temporary_queue: Option<&TemporaryQueue>,
        messages_before: Option<QueueCounters>,
        board: &SightingBoard<'_>,
    ) -> Result<VerifyEnd> {
        let request = FollowRequest {
            aws: &self.prepared.aws,
            plan: &self.prepared.plan,
            regions: &self.prepared.regions,
            canary,
            temporary_queue,
            messages_before,
        };
        let cancellation = self.context.interrupt.cancellation();
        tokio::select! {
            observed = follow(&request, board) => observed.map(|()| VerifyEnd::Observed),
            () = cancellation.cancelled() => Ok(VerifyEnd::Interrupted),
            () = sleep_until(self.deadline) => Ok(VerifyEnd::TimedOut),
            never = self.show_status(canary, board) => match never {},
        }
    }

    /// Shows the time since the call and the awaited points at the end of the terminal.
    async fn show_status(&self, canary: &Canary, board: &SightingBoard<'_>) -> Infallible {
        const INTERVAL: Duration = Duration::from_secs(1);
        let line = StatusLine::start(self.context.ui);
        let expected = self.prepared.delay.map(|delay| delay.max);
        loop {
            let awaited = awaited_points(&board.sightings());
            line.set_text(&verify_status(canary.age(), &awaited, expected));
            sleep(INTERVAL).await;
        }
    }

    fn outcome(
        &self,
        canary: Option<&Canary>,
        board: &SightingBoard<'_>,
        end: &VerifyEnd,
    ) -> CommandOutcome {
        let context = self.context;
        let sightings = board.sightings();
        let is_seen = is_complete(&sightings);
        let resume = canary
            .filter(|_| !is_seen)
            .map(|canary| resume_command(&canary.id, self.args.all_regions));
        let report = VerifyReport {
            resume: resume.as_deref(),
            ..self.prepared.report(context, canary, &sightings)
        };
        let document = verify_document(&context.ui, &report);
        // The first error decides the exit code: an interruption precedes an evidence report that cannot be written.
        let interrupted = match end {
            VerifyEnd::Interrupted => {
                Some(Error::interrupted("the canary was not followed to the end"))
            }
            VerifyEnd::Observed | VerifyEnd::TimedOut => None,
        };
        let mut outcome = CommandOutcome::result(document)
            .with_exit(exit_code(is_seen))
            .and_error(interrupted);
        outcome = self
            .prepared
            .write_evidence(context, self.evidence, &report, outcome);
        if let Some(command) = resume.clone() {
            let points = awaited_points(&sightings);
            outcome = outcome.and_notice(&VerifyNotice::NotSeenYet { points, command });
        }
        outcome
    }
}
