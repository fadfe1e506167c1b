//! Eventual consistency of AWS: setup, tail, destroy and rollback with the rules that `Rule` names, and other forms of
//! responses.

use std::time::Duration;

use testkit::log_file::event;
use testkit::{Fault, FaultAction, ListForm, LogFile, Organization, Rule, Run};

use crate::commands::{
    DIRECT, destroy, heeler_ec, keys, organization_for, plan_of, run_concurrently, setup_again_of,
    setup_of_with,
};
use crate::vendor_terraform;

const ID: &str = "id-of-the-setup";
const NOTHING: [String; 0] = [];

/// An organization in which a rule is played. The duration is that of `Rule::ALL`.
async fn organization_with(option: &str, rules: &[Rule]) -> Organization {
    let org = organization_for(option).await;
    let played: Vec<(Rule, Duration)> = Rule::ALL
        .into_iter()
        .filter(|(rule, _)| rules.contains(rule))
        .collect();
    org.proxy().eventual_consistency(&played);
    org
}

#[track_caller]
fn assert_played(org: &Organization, rules: &[Rule]) {
    let played = org.proxy().played_rules();
    for rule in rules {
        assert!(
            played.contains(rule),
            "{rule:?} was not played, only {played:?}"
        );
    }
}

/// Sets up, checks and destroys a deployment while a rule is played.
async fn assert_life_cycle_survives(option: &str, rules: &[Rule]) {
    let org = organization_with(option, rules).await;
    setup_of_with(&org, option, ID).run().await.expect_status(0);
    let plan = plan_of(&org, option).args(["--check", "--external-id", ID]);
    plan.run().await.expect_status(0);
    assert_eq!(keys(&org).await, 1, "{rules:?}");
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING, "{rules:?}");
    assert_played(&org, rules);
}

#[tokio::test]
async fn setup_waits_until_new_queues_exist() {
    assert_life_cycle_survives("s3", &[Rule::NewQueueIsUnknown]).await;
    assert_life_cycle_survives(DIRECT, &[Rule::NewQueueIsUnknown]).await;
}

#[tokio::test]
async fn setup_survives_queue_replica_that_lags() {
    assert_life_cycle_survives("s3", &[Rule::QueueReplicaLags]).await;
    assert_life_cycle_survives(DIRECT, &[Rule::QueueReplicaLags]).await;
}

#[tokio::test]
async fn setup_waits_for_new_dead_letter_queue() {
    assert_life_cycle_survives("cloudwatch", &[Rule::NewDeadLetterQueueIsUnknown]).await;
}

#[tokio::test]
async fn setup_waits_until_deleted_queue_names_are_free() {
    let org = organization_with("s3", &[Rule::QueueNameIsBlocked]).await;
    setup_of_with(&org, "s3", ID).run().await.expect_status(0);
    destroy(&org).run().await.expect_status(0);
    setup_of_with(&org, "s3", ID).run().await.expect_status(0);
    assert_played(&org, &[Rule::QueueNameIsBlocked]);
}

#[tokio::test]
async fn setup_survives_stale_reads() {
    run_concurrently(
        ["s3", "cloudwatch", DIRECT]
            .map(|option| assert_life_cycle_survives(option, &[Rule::ReadsAreStale])),
    )
    .await;
}

#[tokio::test]
async fn setup_waits_until_new_key_exists() {
    assert_life_cycle_survives("s3", &[Rule::NewKeyIsUnknown]).await;
}

#[tokio::test]
async fn setup_waits_until_key_tags_count() {
    assert_life_cycle_survives("s3", &[Rule::KeyTagsDoNotCount]).await;
}

#[tokio::test]
async fn rollback_waits_until_key_tags_count() {
    for option in ["s3", "cloudwatch"] {
        let org = organization_with(option, &[Rule::KeyTagsDoNotCount]).await;
        assert_rollback_leaves_nothing(option, &org).await;
        assert_played(&org, &[Rule::KeyTagsDoNotCount]);
    }
}

/// The key of the module is old. Only the tags that adoption writes are new.
#[tokio::test]
async fn adoption_waits_until_key_tags_count() {
    let org = organization_for("s3").await;
    vendor_terraform::s3(&org).await;
    org.proxy()
        .eventual_consistency(&[(Rule::KeyTagsDoNotCount, Duration::from_secs(4))]);
    let adopt = setup_again_of(&org, "s3").args(["--adopt"]);
    adopt.run().await.expect_status(0);
    assert_played(&org, &[Rule::KeyTagsDoNotCount]);
    plan_of(&org, "s3")
        .args(["--check"])
        .run()
        .await
        .expect_status(0);
}

#[tokio::test]
async fn setup_waits_until_new_role_is_known() {
    let rules = [
        Rule::NewRoleIsUnknown,
        Rule::NewRoleIsNoGrantee,
        Rule::DetachedPolicyIsAttached,
    ];
    assert_life_cycle_survives("s3", &rules).await;
}

#[tokio::test]
async fn setup_waits_until_function_can_be_created() {
    let rules = [
        Rule::NewRoleCannotBeAssumed,
        Rule::NewPermissionIsUnknown,
        Rule::LogGroupIsBusy,
    ];
    assert_life_cycle_survives("cloudwatch", &rules).await;
}

#[tokio::test]
async fn setup_waits_until_new_topic_is_known() {
    assert_life_cycle_survives(
        "s3",
        &[Rule::NewTopicIsUnknown, Rule::NewTopicPolicyIsUnknown],
    )
    .await;
}

#[tokio::test]
async fn notification_write_waits_for_other_writer() {
    let org = organization_with("s3", &[Rule::BucketIsBusy]).await;
    setup_of_with(&org, "s3", ID).run().await.expect_status(0);
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn function_update_waits_for_earlier_update() {
    let org = organization_with("cloudwatch", &[Rule::FunctionIsUpdating]).await;
    setup_of_with(&org, "cloudwatch", ID)
        .run()
        .await
        .expect_status(0);
    let lambda = &org.clients_through_proxy().lambda;
    let name = "heeler_event_collection_lambda";
    let changed = lambda
        .update_function_configuration()
        .function_name(name)
        .timeout(7);
    while changed.clone().send().await.is_err() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    setup_of_with(&org, "cloudwatch", ID)
        .run()
        .await
        .expect_status(0);
    assert_played(&org, &[Rule::FunctionIsUpdating]);
    let plan = plan_of(&org, "cloudwatch").args(["--check", "--external-id", ID]);
    plan.run().await.expect_status(0);
}

#[tokio::test]
async fn setup_survives_throttling_of_every_service() {
    run_concurrently(
        ["s3", "cloudwatch"]
            .map(|option| assert_life_cycle_survives(option, &[Rule::CallsAreThrottled])),
    )
    .await;
}

/// Runs tail until it has shown one event.
async fn tail_one_event(org: &Organization) -> Run {
    let tail = heeler_ec(org)
        .args(["tail", "--limit", "1", "--timeout", "1h"])
        .run();
    let deliveries = async {
        loop {
            let record = event(
                org.account(),
                org.region(),
                "iam.amazonaws.com",
                "CreateUser",
                false,
            );
            if org.log_group().is_some() {
                org.put_log_events(&[record.to_string()]).await;
            }
            org.deliver(&LogFile::new(org.account(), org.region(), vec![record]))
                .await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        run = Box::pin(tail) => run,
        () = deliveries => unreachable!("deliveries have no end"),
    }
}

#[tokio::test]
async fn tail_waits_until_its_queue_exists() {
    let org = organization_for("s3").await;
    setup_of_with(&org, "s3", ID).run().await.expect_status(0);
    let before = org.leftovers().await;
    org.proxy()
        .eventual_consistency(&[(Rule::NewQueueIsUnknown, Duration::from_secs(2))]);
    tail_one_event(&org).await.expect_status(0);
    assert_played(&org, &[Rule::NewQueueIsUnknown]);
    assert_eq!(org.leftovers().await, before);
}

/// Refuses a late write, so that setup rolls back.
async fn assert_rollback_leaves_nothing(option: &str, org: &Organization) {
    let (service, operation) = match option {
        "s3" => ("s3", "PutBucketNotificationConfiguration"),
        _ => ("logs", "PutSubscriptionFilter"),
    };
    let refusal = FaultAction::refuse(
        403,
        "AccessDenied",
        "with an explicit deny in an identity-based policy",
    );
    org.proxy().fault(Fault::new(service, operation, refusal));
    let run = setup_of_with(org, option, ID)
        .args(["--on-failure", "rollback"])
        .run()
        .await;
    let run = run.expect_status(3);
    org.proxy().clear_faults();
    assert_eq!(org.leftovers().await, NOTHING, "{}", run.stderr);
}

/// All rules together.
async fn assert_everything_survives_all_rules(option: &str) {
    let org = organization_for(option).await;
    let before = org.notification().await;
    org.proxy().eventual_consistency(&Rule::ALL);
    assert_rollback_leaves_nothing(option, &org).await;
    setup_of_with(&org, option, ID).run().await.expect_status(0);
    tail_one_event(&org).await.expect_status(0);
    let plan = plan_of(&org, option).args(["--check", "--external-id", ID]);
    plan.run().await.expect_status(0);
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
    assert_eq!(org.notification().await, before);
}

#[tokio::test]
async fn all_delays_together_are_survived_s3() {
    assert_everything_survives_all_rules("s3").await;
}

#[tokio::test]
async fn all_delays_together_are_survived_cloudwatch() {
    assert_everything_survives_all_rules("cloudwatch").await;
}

/// Attributes in another order, unknown attributes, and the other form of lists in policies are no drift.
#[tokio::test]
async fn other_forms_of_responses_are_no_drift() {
    let cases = ["s3", "cloudwatch"]
        .into_iter()
        .flat_map(|option| [ListForm::List, ListForm::Value].map(|form| (option, form)));
    run_concurrently(cases.map(|(option, form)| async move {
        let org = organization_for(option).await;
        org.proxy().vary_responses(Some(form));
        setup_of_with(&org, option, ID).run().await.expect_status(0);
        let plan = plan_of(&org, option).args(["--check", "--external-id", ID]);
        plan.run().await.expect_status(0);
        let again = setup_of_with(&org, option, ID).run().await.expect_status(0);
        assert!(
            again.writes().is_empty(),
            "{option} {form:?}: {:?}",
            again.writes()
        );
        heeler_ec(&org)
            .args(["outputs"])
            .run()
            .await
            .expect_status(0);
        destroy(&org).run().await.expect_status(0);
        assert_eq!(org.leftovers().await, NOTHING, "{option} {form:?}");
    }))
    .await;
}
