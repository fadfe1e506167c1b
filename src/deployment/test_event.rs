//! Properties of a plan that decide what setup does after it: the test event that S3 sends, and a first setup.

use crate::reconcile::plan::{Action, PlanStep};
use crate::resource::kind::ResourceKind;

/// Returns true if applying the steps makes S3 send a test event into a new queue with this name. An existing queue may
/// have other messages, and Heeler may receive from it.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>.
#[must_use]
pub fn sends_test_event(steps: &[PlanStep], queue: &str) -> bool {
    let creates_queue = steps.iter().any(|step| {
        step.id == ResourceKind::SqsQueue.id(queue) && matches!(step.action, Action::Create)
    });
    let writes_notification = steps.iter().any(|step| {
        ResourceKind::of(&step.id) == Some(ResourceKind::S3Notification)
            && matches!(
                step.action,
                Action::Create | Action::Update(_) | Action::Adopt(_)
            )
    });
    creates_queue && writes_notification
}

/// Returns true if the steps create a role. This is the case in a first setup.
#[must_use]
pub fn creates_role(steps: &[PlanStep]) -> bool {
    steps.iter().any(|step| {
        ResourceKind::of(&step.id) == Some(ResourceKind::IamRole)
            && matches!(step.action, Action::Create)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::plan::DesiredPreview;

    fn step(kind: ResourceKind, name: &str, action: Action) -> PlanStep {
        PlanStep {
            id: kind.id(name),
            action,
            actual: None,
            deletion_delay: None,
            preserved: Vec::new(),
            duplicates: Vec::new(),
            preview: DesiredPreview::default(),
        }
    }

    #[test]
    fn test_event_needs_new_queue_and_written_notification() {
        let queue = |action| step(ResourceKind::SqsQueue, "q", action);
        let notification = |action| step(ResourceKind::S3Notification, "n", action);
        let update = || Action::Update(Vec::new());
        for (steps, expected) in [
            (
                vec![queue(Action::Create), notification(Action::Create)],
                true,
            ),
            (vec![queue(Action::Create), notification(update())], true),
            (
                vec![queue(Action::Keep), notification(Action::Create)],
                false,
            ),
            (
                vec![queue(Action::Create), notification(Action::Keep)],
                false,
            ),
            (vec![queue(Action::Create)], false),
        ] {
            assert_eq!(sends_test_event(&steps, "q"), expected, "{steps:?}");
        }
        let other = [queue(Action::Create), notification(Action::Create)];
        assert!(!sends_test_event(&other, "other"));
    }
}
