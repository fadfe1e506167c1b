//! The notification configuration of a bucket is shared: setup and destroy preserve the entries of others.

use crate::commands::{destroy, json, names, on_both_engines, plan, setup, setup_again};
use crate::whole_output::assert_stderr;
use aws_sdk_s3::types::{
    Event, FilterRule, FilterRuleName, NotificationConfiguration, NotificationConfigurationFilter,
    S3KeyFilter, TopicConfiguration,
};
use serde_json::Value;
use snapbox::str;
use std::sync::Arc;
use testkit::{Clients, Engine, Fault, FaultAction, Organization};

const PUT: &str = "s3:PutBucketNotificationConfiguration";

/// The notification configuration without one entry.
async fn entries_except(org: &Organization, entry: &str) -> NotificationConfiguration {
    let read = org.clients().s3.get_bucket_notification_configuration();
    let read = read
        .bucket(org.bucket())
        .send()
        .await
        .expect("a configuration");
    let mut topics = read.topic_configurations.unwrap_or_default();
    topics.retain(|topic| topic.id() != Some(entry));
    NotificationConfiguration::builder()
        .set_topic_configurations(Some(topics))
        .set_queue_configurations(read.queue_configurations)
        .set_lambda_function_configurations(read.lambda_function_configurations)
        .set_event_bridge_configuration(read.event_bridge_configuration)
        .build()
}

/// Another writer, who adds an entry or removes all entries while the program runs.
#[derive(Clone)]
struct OtherWriter {
    clients: Clients,
    bucket: String,
    topic: String,
}

impl OtherWriter {
    fn new(org: &Organization) -> Arc<Self> {
        Arc::new(Self {
            clients: org.clients().clone(),
            bucket: org.bucket().to_owned(),
            topic: format!("arn:aws:sns:{}:{}:reports", org.region(), org.account()),
        })
    }

    async fn add_entry(&self, id: &str, prefix: &str) {
        let s3 = &self.clients.s3;
        let read = s3
            .get_bucket_notification_configuration()
            .bucket(&self.bucket);
        let read = read.send().await.expect("a configuration");
        let rule = FilterRule::builder()
            .name(FilterRuleName::Prefix)
            .value(prefix)
            .build();
        let key = S3KeyFilter::builder().filter_rules(rule).build();
        let entry = TopicConfiguration::builder()
            .id(id)
            .topic_arn(&self.topic)
            .events(Event::S3ObjectCreatedPut)
            .filter(NotificationConfigurationFilter::builder().key(key).build())
            .build()
            .expect("an entry");
        let topics = read.topic_configurations.unwrap_or_default().into_iter();
        let configuration = NotificationConfiguration::builder()
            .set_topic_configurations(Some(topics.chain([entry]).collect()))
            .set_queue_configurations(read.queue_configurations)
            .set_lambda_function_configurations(read.lambda_function_configurations)
            .set_event_bridge_configuration(read.event_bridge_configuration)
            .build();
        self.put(configuration).await;
    }

    async fn remove_all_entries(&self) {
        self.put(NotificationConfiguration::builder().build()).await;
    }

    async fn put(&self, configuration: NotificationConfiguration) {
        let s3 = &self.clients.s3;
        let put = s3
            .put_bucket_notification_configuration()
            .bucket(&self.bucket);
        let put = put.notification_configuration(configuration);
        put.skip_destination_validation(true)
            .send()
            .await
            .expect("a configuration");
    }

    /// Runs `act` after AWS has answered this call, and before the program receives the response.
    fn during_call<F>(
        self: Arc<Self>,
        act: impl Fn(Arc<Self>) -> F + Send + Sync + 'static,
    ) -> FaultAction
    where
        F: Future<Output = ()> + Send + 'static,
    {
        FaultAction::edit_response(move |_| {
            let act = act(Arc::clone(&self));
            let thread = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                runtime.expect("a runtime").block_on(act);
            });
            thread.join().expect("the other writer is done");
        })
    }
}

on_both_engines! {
    async fn entries_of_others_survive_unchanged(engine: Engine) {
        let org = Organization::on(engine).other_notifications().build().await;
        OtherWriter::new(&org).add_entry("uploads of photos", "photos/2026 and before/").await;
        let before = entries_except(&org, "heeler-ec").await;
        assert_eq!(before.topic_configurations().len(), 2);
        assert!(before.event_bridge_configuration().is_some());
        setup(&org).run().await.expect_status(0);
        assert_eq!(entries_except(&org, "heeler-ec").await, before);
        setup_again(&org).run().await.expect_status(0);
        assert_eq!(entries_except(&org, "heeler-ec").await, before);
        destroy(&org).run().await.expect_status(0);
        assert_eq!(entries_except(&org, "none").await, before);
    }

    async fn entry_added_after_plan_stops_the_write(engine: Engine) {
        let org = Organization::on(engine).other_notifications().build().await;
        let meanwhile = OtherWriter::new(&org).during_call(|writer| async move {
            writer.add_entry("other", "other/").await;
        });
        org.proxy().fault(Fault::new("sns", "Subscribe", meanwhile).times(1));
        let run = setup(&org).run().await.expect_status(3);
        assert!(!names(&run.writes()).contains(&PUT.to_owned()));
        for expected in ["it changed after the plan was made", "\"other\" (", "was added", "run the same command again"] {
            assert!(run.stderr.contains(expected), "{expected}\n{}", run.stderr);
        }
        let after = entries_except(&org, "none").await;
        setup_again(&org).run().await.expect_status(0);
        assert_eq!(entries_except(&org, "heeler-ec").await, after);
    }

    async fn entry_removed_after_plan_is_not_restored(engine: Engine) {
        let org = Organization::on(engine).other_notifications().build().await;
        let meanwhile = OtherWriter::new(&org)
            .during_call(|writer| async move { writer.remove_all_entries().await });
        org.proxy().fault(Fault::new("sns", "Subscribe", meanwhile).times(1));
        let run = setup(&org).run().await.expect_status(3);
        assert!(!names(&run.writes()).contains(&PUT.to_owned()));
        assert!(run.stderr.contains("was removed"), "{}", run.stderr);
    }

    async fn changes_during_write_are_listed_by_entry(engine: Engine) {
        let org = Organization::on(engine).other_notifications().build().await;
        let meanwhile = OtherWriter::new(&org).during_call(|writer| async move {
            writer.add_entry("other", "other/").await;
        });
        org.proxy().fault(Fault::new("s3", "PutBucketNotificationConfiguration", meanwhile).times(1));
        let run = setup(&org).run().await.expect_status(3);
        for expected in ["S3 now returns", "\"other\" (", "was added"] {
            assert!(run.stderr.contains(expected), "{expected}\n{}", run.stderr);
        }
        setup_again(&org).run().await.expect_status(0);
        plan(&org).args(["--check"]).run().await.expect_status(0);
    }

    async fn overlapping_entry_stops_setup_before_writes(engine: Engine) {
        let org = Organization::on(engine).other_notifications().build().await;
        OtherWriter::new(&org).add_entry("other", "AWSLogs/o-").await;
        // The checks see the bucket as it was before the overlapping entry.
        let unseen = FaultAction::edit_text(|_| {
            "<?xml version=\"1.0\"?><NotificationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>".into()
        });
        org.proxy().fault(Fault::new("s3", "GetBucketNotificationConfiguration", unseen).times(1));
        let before = entries_except(&org, "none").await;
        let run = setup(&org).run().await;
        assert_eq!(names(&run.writes()), Vec::<String>::new());
        assert!(run.stderr.contains("overlaps that of setup"), "{}", run.stderr);
        assert_eq!(run.expect_status(1).stdout, "");
        assert_eq!(entries_except(&org, "none").await, before);
    }

    async fn changed_entries_stop_destroy(engine: Engine) {
        let org = Organization::on(engine).other_notifications().build().await;
        setup(&org).run().await.expect_status(0);
        let meanwhile = OtherWriter::new(&org).during_call(|writer| async move {
            writer.add_entry("other", "other/").await;
        });
        // The last read before the deletions lists the subscriptions of the topic.
        org.proxy().fault(Fault::new("sns", "ListSubscriptionsByTopic", meanwhile).after(1).times(1));
        let run = destroy(&org).run().await.expect_status(3);
        assert_eq!(names(&run.writes()), Vec::<String>::new());
        let other_entries = entries_except(&org, "heeler-ec").await;
        assert_eq!(other_entries.topic_configurations().len(), 2);
        destroy(&org).run().await.expect_status(0);
        assert_eq!(entries_except(&org, "none").await, other_entries);
    }
}

#[tokio::test]
async fn subscription_filter_added_after_plan_is_kept() {
    use crate::commands::setup_of;
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    let clients = org.clients().clone();
    let group = org.log_group().expect("a log group");
    let target = format!(
        "arn:aws:lambda:{}:{}:function:other",
        org.region(),
        org.account()
    );
    let put: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
        let (clients, target) = (clients.clone(), target.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let put = clients.logs.put_subscription_filter().log_group_name(group);
            let put = put.filter_name("heeler_cloudwatch_log_subscription_filter");
            let put = put.filter_pattern("").destination_arn(target);
            drop(runtime.expect("a runtime").block_on(put.send()));
        });
        thread.join().expect("the other writer is done");
    });
    let meanwhile = FaultAction::edit_response(move |_| put());
    org.proxy()
        .fault(Fault::new("lambda", "AddPermission", meanwhile).times(1));
    let run = setup_of(&org, "cloudwatch").run().await.expect_status(1);
    assert_stderr(
        &org,
        &run,
        str![[r"
...
Plan: 14 to create.
  ! failed to create subscription filter heeler_cloudwatch_log_subscription_filter: cannot create subscription filter heeler_cloudwatch_log_subscription_filter: a filter of this name was created on log group organization/cloudtrail after the plan was made; it was not changed
  + created iam attachment heeler_event_collection_lambda_policy -> heeler_event_collection_lambda_role (0.1 s)
  + created iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role (0.1 s)
  + created iam policy heeler_event_collection_lambda_policy (0.1 s)
  + created iam policy heeler_event_collection_sqs_policy (0.1 s)
  + created iam role heeler_event_collection_lambda_role (0.1 s)
  + created iam role heeler_event_collection_sqs_role (0.1 s)
  + created kms alias alias/heeler_kms_key_sqs (0.1 s)
  + created kms key heeler_kms_key_sqs (0.1 s)
  + created lambda function heeler_event_collection_lambda (0.1 s)
  + created lambda permission InvokePermissionsForCW of heeler_event_collection_lambda (0.1 s)
  + created sqs queue heeler_event_collection_queue.fifo (0.1 s)
  + created sqs queue heeler_event_collection_queue_dlq.fifo (0.1 s)
  + created sqs queue policy heeler_event_collection_queue.fifo (0.1 s)
Created 13 resources (0.1 s).

Stopped after 13 of 14 steps. Resources created so far were kept.
Run the same command again to complete the setup. To remove it, run:
  heeler-ec destroy
error: cannot create subscription filter heeler_cloudwatch_log_subscription_filter
  cause: a filter of this name was created on log group organization/cloudtrail after the plan was made; it was not changed
  hint:  run the same command again to make a new plan

"]],
    );
    let filters = org.subscription_filters(group).await;
    let destinations: Vec<Option<&str>> = filters
        .iter()
        .map(|filter| filter.destination_arn())
        .collect();
    assert!(
        destinations
            .iter()
            .all(|arn| arn.is_some_and(|arn| arn.ends_with(":other"))),
        "{destinations:?}"
    );
}

#[tokio::test]
async fn plan_describes_preserved_entries() {
    let org = Organization::on(Engine::Ministack)
        .other_notifications()
        .build()
        .await;
    OtherWriter::new(&org).add_entry("other", "other/").await;
    let run = plan(&org).args(["-o", "json"]).run().await.expect_status(0);
    let steps = json(&run)["steps"].as_array().expect("steps").clone();
    let stays = steps
        .iter()
        .find(|step| step["kind"] == "s3 notification")
        .expect("a step")["preserved"]
        .clone();
    let lines: Vec<&str> = stays
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("\"other\" (s3:ObjectCreated:Put to topic ")),
        "{lines:?}"
    );
}
