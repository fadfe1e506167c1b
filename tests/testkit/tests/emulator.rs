//! The process and the corrections of the emulators.

use aws_sdk_s3::types::{Event, NotificationConfiguration, TopicConfiguration};
use testkit::organization::allow;
use testkit::{Clients, Emulator, Engine, Organization};

use crate::{ENGINES, code};

#[tokio::test]
async fn expected_bucket_owner_is_checked() {
    for engine in ENGINES {
        let org = Organization::on(engine).build().await;
        let s3 = &org.clients().s3;
        let head = || s3.head_bucket().bucket(org.bucket());
        let owned = head().expected_bucket_owner(org.account()).send().await;
        owned.expect("the bucket of the account");
        let other = head().expected_bucket_owner("999988887777").send().await;
        let refused = other.expect_err("a bucket of the wrong owner");
        let status = refused
            .raw_response()
            .map(|answer| answer.status().as_u16());
        assert_eq!(status, Some(403), "{engine:?}");
    }
}

#[tokio::test]
async fn list_trails_covers_all_regions() {
    for engine in ENGINES {
        let org = Organization::on(engine).region("eu-west-1").single_region();
        let org = org.build().await;
        let elsewhere = org.clients_in("us-east-1").cloudtrail;
        let seen = elsewhere.describe_trails().send().await.expect("trails");
        assert!(seen.trail_list().is_empty(), "{engine:?}");
        let listed = elsewhere.list_trails().send().await.expect("trails");
        let trail = &listed.trails()[0];
        assert_eq!(trail.trail_arn(), Some(org.trail_arn().as_str()));
        assert_eq!(trail.home_region(), Some("eu-west-1"), "{engine:?}");
    }
}

#[tokio::test]
async fn simulate_principal_policy_evaluates_policies() {
    for engine in ENGINES {
        let org = Organization::on(engine).build().await;
        let user = org.user("operator", &allow("sqs:*")).await;
        let arn = format!("arn:aws:iam::{}:user/operator", org.account());
        assert_ne!(user.access_key_id(), org.credentials().access_key_id());
        let simulated = org
            .clients()
            .iam
            .simulate_principal_policy()
            .policy_source_arn(arn)
            .action_names("sqs:CreateQueue")
            .action_names("sns:CreateTopic");
        let simulated = simulated.send().await.expect("a simulation");
        let decisions: Vec<&str> = simulated
            .evaluation_results()
            .iter()
            .map(|result| result.eval_decision().as_str())
            .collect();
        assert_eq!(decisions, ["allowed", "implicitDeny"], "{engine:?}");
    }
}

#[tokio::test]
async fn iam_policies_are_enforced() {
    let org = Organization::on(Engine::Ministack).build().await;
    let user = org.user("operator", &allow("sqs:ListQueues")).await;
    let clients = Clients::without_retries(&org.endpoint(), user, org.region());
    clients.sqs.list_queues().send().await.expect("queues");
    let refused = clients.sns.list_topics().send().await;
    assert_eq!(code(refused), Some("AuthorizationError".to_owned()));
}

#[tokio::test]
async fn notification_to_a_missing_topic_is_rejected() {
    let org = Organization::on(Engine::Ministack).build().await;
    let entry = TopicConfiguration::builder()
        .topic_arn(format!("arn:aws:sns:us-east-1:{}:none", org.account()))
        .events(Event::S3ObjectCreated)
        .build()
        .expect("an entry");
    let put = org
        .clients_through_proxy()
        .s3
        .put_bucket_notification_configuration()
        .bucket(org.bucket())
        .notification_configuration(
            NotificationConfiguration::builder()
                .topic_configurations(entry)
                .build(),
        )
        .send()
        .await;
    assert_eq!(code(put), Some("InvalidArgument".to_owned()));
}

#[tokio::test]
async fn emulator_ends_with_its_standard_input() {
    for engine in ENGINES {
        let mut emulator = Emulator::own(engine);
        assert!(emulator.is_ready());
        assert!(emulator.end(), "{engine:?} had to be killed");
        assert!(!emulator.is_ready(), "{engine:?}");
    }
}
