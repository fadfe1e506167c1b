//! The provisioned organization, its deliveries and its leftovers.

use aws_sdk_account::types::RegionOptStatus;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use testkit::log_file::event;
use testkit::organization::allow;
use testkit::{Clients, Engine, LogFile, Organization};

use crate::ENGINES;

#[tokio::test]
async fn organizations_are_isolated() {
    for engine in ENGINES {
        let (one, other) = tokio::join!(
            Organization::on(engine).build(),
            Organization::on(engine).build()
        );
        assert_ne!(one.account(), other.account());
        one.clients()
            .sqs
            .create_queue()
            .queue_name("heeler-cloudtrail")
            .send()
            .await
            .expect("a queue");
        assert_eq!(one.leftovers().await, ["queue heeler-cloudtrail"]);
        assert_eq!(other.leftovers().await, [""; 0], "{engine:?}");
    }
}

#[tokio::test]
async fn builder_options_are_provisioned() {
    for engine in ENGINES {
        let org = Organization::on(engine)
            .region("eu-central-1")
            .bucket_key()
            .single_region()
            .single_account_trail()
            .logging_stopped()
            .write_only_events()
            .prefix("logs")
            .topic("existing-topic")
            .other_notifications()
            .overlapping_queue()
            .build()
            .await;
        let cloudtrail = &org.clients().cloudtrail;
        let trails = cloudtrail.describe_trails().send().await.expect("trails");
        let trail = &trails.trail_list()[0];
        assert_eq!(trail.name(), Some(org.trail()));
        assert_eq!(trail.trail_arn(), Some(org.trail_arn().as_str()));
        assert_eq!(trail.s3_bucket_name(), Some(org.bucket()));
        assert_eq!(trail.s3_key_prefix(), Some("logs"));
        assert_eq!(trail.home_region(), Some("eu-central-1"));
        assert_eq!(trail.is_multi_region_trail(), Some(false));
        assert_eq!(trail.is_organization_trail(), Some(false));
        assert_eq!(trail.kms_key_id(), org.bucket_key());
        let status = cloudtrail.get_trail_status().name(org.trail());
        let status = status.send().await.expect("the trail's status");
        assert_eq!(status.is_logging(), Some(false));
        assert_eq!(org.members().len(), 3, "{engine:?}");

        let topic = org.topic().expect("a topic");
        let prefix = format!("eu-central-1:{}", org.account());
        let created = json!(["s3:ObjectCreated:*"]);
        assert_eq!(
            org.notification().await,
            json!({
                "topics": [
                    {
                        "destination": topic,
                        "events": created,
                        "id": "cloudtrail-topic",
                        "rules": []
                    },
                    {
                        "destination": format!("arn:aws:sns:{prefix}:reports"),
                        "events": created,
                        "id": "reports",
                        "rules": [["prefix", "reports/"]]
                    }
                ],
                "queues": [
                    {
                        "destination": format!("arn:aws:sqs:{prefix}:everything"),
                        "events": created,
                        "id": "everything",
                        "rules": []
                    },
                    {
                        "destination": format!("arn:aws:sqs:{prefix}:exports"),
                        "events": created,
                        "id": "exports",
                        "rules": [["prefix", "exports/"], ["suffix", ".csv"]]
                    }
                ],
                "functions": [{
                    "destination": format!("arn:aws:lambda:{prefix}:function:uploads"),
                    "events": created,
                    "id": "uploads",
                    "rules": [["prefix", "uploads/"]]
                }],
                "event_bridge": true
            }),
            "{engine:?}"
        );
        assert_eq!(org.leftovers().await, [""; 0], "{engine:?}");
    }
}

#[tokio::test]
async fn default_organization_meets_the_prerequisites() {
    for engine in ENGINES {
        let org = Organization::on(engine).build().await;
        let Clients {
            account,
            cloudtrail,
            lambda,
            logs,
            organizations,
            s3,
            ..
        } = org.clients();

        let trusted = organizations.list_aws_service_access_for_organization();
        let trusted = trusted.send().await.expect("trusted services");
        let trusted = trusted.enabled_service_principals()[0].service_principal();
        assert_eq!(trusted, Some("cloudtrail.amazonaws.com"), "{engine:?}");
        let admins = organizations
            .list_delegated_administrators()
            .service_principal("cloudtrail.amazonaws.com");
        let admins = admins.send().await.expect("delegated administrators");
        assert!(admins.delegated_administrators().is_empty());

        let on = account
            .list_regions()
            .region_opt_status_contains(RegionOptStatus::Enabled)
            .region_opt_status_contains(RegionOptStatus::EnabledByDefault);
        let on = on.send().await.expect("regions");
        assert_eq!(on.regions().len(), 17, "{engine:?}");
        let enable = account.enable_region().region_name("af-south-1");
        enable.send().await.expect("an opt-in region");
        let opted = account
            .list_regions()
            .region_opt_status_contains(RegionOptStatus::Enabled);
        let opted = opted.send().await.expect("regions");
        assert_eq!(opted.regions()[0].region_name(), Some("af-south-1"));

        let status = cloudtrail.get_trail_status().name(org.trail_arn());
        let status = status.send().await.expect("the trail's status");
        let delivered = status.latest_delivery_time().expect("a delivery");
        let now = aws_smithy_types::DateTime::from(std::time::SystemTime::now());
        assert!((now.secs() - delivered.secs()).abs() < 60, "{engine:?}");

        let settings = lambda.get_account_settings().send().await.expect("quotas");
        let limit = settings.account_limit().expect("limits");
        assert_eq!(limit.unreserved_concurrent_executions(), Some(1000));
        let policies = logs
            .describe_account_policies()
            .policy_type(aws_sdk_cloudwatchlogs::types::PolicyType::SubscriptionFilterPolicy);
        let policies = policies.send().await.expect("account policies");
        assert!(policies.account_policies().is_empty());
        let paid = s3.get_bucket_request_payment().bucket(org.bucket());
        let paid = paid.send().await.expect("the payer");
        assert_eq!(paid.payer(), Some(&aws_sdk_s3::types::Payer::BucketOwner));
    }
}

#[tokio::test]
async fn bucket_has_a_log_file_of_today() {
    for engine in ENGINES {
        let org = Organization::on(engine)
            .bucket_key()
            .prefix("logs")
            .build()
            .await;
        let s3 = &org.clients().s3;
        let now = aws_smithy_types::DateTime::from(std::time::SystemTime::now());
        let today = now.fmt(aws_smithy_types::date_time::Format::DateTime);
        let today = today.expect("a date")[..10].replace('-', "/");
        let folder = format!(
            "logs/AWSLogs/{}/{}/CloudTrail/us-east-1/{today}/",
            org.organization_id(),
            org.account()
        );
        let listed = s3.list_objects_v2().bucket(org.bucket());
        let listed = listed.prefix(&folder).send().await.expect("objects");
        let keys: Vec<Option<&str>> = listed.contents().iter().map(|o| o.key()).collect();
        assert_eq!(keys, [org.log_file_key()], "{engine:?}");
        let head = s3.head_object().bucket(org.bucket());
        let head = head.key(keys[0].expect("a key")).send().await;
        let head = head.expect("a log file");
        assert_eq!(head.ssekms_key_id(), org.bucket_key(), "{engine:?}");

        let empty = Organization::on(engine).without_log_file().build().await;
        assert_eq!(empty.log_file_key(), None);
    }
}

#[tokio::test]
async fn trail_delivers_to_a_log_group() {
    for engine in ENGINES {
        let org = Organization::on(engine).region("eu-west-1").log_group();
        let org = org.build().await;
        let Clients {
            cloudtrail, logs, ..
        } = org.clients();
        let trails = cloudtrail.describe_trails().send().await.expect("trails");
        let trail = &trails.trail_list()[0];
        let arn = format!("{}:*", org.log_group_arn());
        assert_eq!(trail.cloud_watch_logs_log_group_arn(), Some(arn.as_str()));
        assert!(trail.cloud_watch_logs_role_arn().is_some(), "{engine:?}");
        let status = cloudtrail.get_trail_status().name(org.trail());
        let status = status.send().await.expect("the trail's status");
        assert!(status.latest_cloud_watch_logs_delivery_time().is_some());

        let name = org.log_group().expect("a log group");
        let groups = logs.describe_log_groups().log_group_name_prefix(name);
        let groups = groups.send().await.expect("log groups");
        let group = &groups.log_groups()[0];
        assert_eq!(group.retention_in_days(), Some(1), "{engine:?}");
        let class = aws_sdk_cloudwatchlogs::types::LogGroupClass::Standard;
        assert_eq!(group.log_group_class(), Some(&class), "{engine:?}");
        let streams = logs.describe_log_streams().log_group_name(name);
        let streams = streams.log_stream_name_prefix(format!("{}_", org.organization_id()));
        let streams = streams.send().await.expect("log streams");
        assert_eq!(streams.log_streams().len(), 4, "{engine:?}");
    }
}

#[tokio::test]
async fn leftovers_include_every_resource_type() {
    for engine in ENGINES {
        let org = Organization::on(engine).bucket_key().build().await;
        let Clients {
            iam, kms, sns, sqs, ..
        } = org.clients();
        let key = kms
            .create_key()
            .tags(
                aws_sdk_kms::types::Tag::builder()
                    .tag_key("managed-by")
                    .tag_value("heeler-ec")
                    .build()
                    .expect("a tag"),
            )
            .send()
            .await
            .expect("a key");
        let key = key.key_metadata().expect("a key").key_id().to_owned();
        kms.create_alias()
            .alias_name("alias/heeler-events")
            .target_key_id(&key)
            .send()
            .await
            .expect("an alias");
        kms.create_grant()
            .key_id(org.bucket_key().expect("the bucket's key"))
            .name("heeler-read")
            .grantee_principal(format!("arn:aws:iam::{}:root", org.account()))
            .operations(aws_sdk_kms::types::GrantOperation::Decrypt)
            .send()
            .await
            .expect("a grant");
        sqs.create_queue()
            .queue_name("tagged")
            .tags("managed-by", "heeler-ec")
            .send()
            .await
            .expect("a queue");
        let topic = sns.create_topic().name("heeler-events").send().await;
        let topic = topic
            .expect("a topic")
            .topic_arn()
            .expect("an ARN")
            .to_owned();
        sns.subscribe()
            .topic_arn(&topic)
            .protocol("sqs")
            .endpoint(format!("arn:aws:sqs:us-east-1:{}:tagged", org.account()))
            .send()
            .await
            .expect("a subscription");
        iam.create_role()
            .role_name("heeler-harvest")
            .assume_role_policy_document(allow("sts:AssumeRole").to_string())
            .send()
            .await
            .expect("a role");
        iam.create_policy()
            .policy_name("heeler-harvest")
            .policy_document(allow("sqs:ReceiveMessage").to_string())
            .send()
            .await
            .expect("a policy");
        assert_eq!(
            org.leftovers().await,
            [
                "alias/heeler-events".to_owned(),
                "grant heeler-read".to_owned(),
                format!("key {key}"),
                "policy heeler-harvest".to_owned(),
                "queue tagged".to_owned(),
                "role heeler-harvest".to_owned(),
                "subscription heeler-events tagged".to_owned(),
                "topic heeler-events".to_owned(),
            ],
            "{engine:?}"
        );
    }
}

#[tokio::test]
async fn delivered_log_file_reaches_heeler() {
    let org = Organization::on(Engine::Ministack)
        .region("eu-west-1")
        .topic("existing-topic")
        .prefix("logs")
        .build()
        .await;
    let Clients { iam, sns, sqs, .. } = org.clients();
    let topic = org.topic().expect("a topic");
    let queue_arn = format!("arn:aws:sqs:eu-west-1:{}:events", org.account());
    let queue = sqs
        .create_queue()
        .queue_name("events")
        .attributes(
            QueueAttributeName::Policy,
            json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue_arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": topic}}
                }]
            })
            .to_string(),
        )
        .send()
        .await
        .expect("a queue");
    let queue = queue.queue_url().expect("the queue's URL");
    sns.subscribe()
        .topic_arn(topic)
        .protocol("sqs")
        .endpoint(&queue_arn)
        .attributes("RawMessageDelivery", "true")
        .send()
        .await
        .expect("a subscription");
    let role = iam
        .create_role()
        .role_name("harvest")
        .assume_role_policy_document(
            json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"AWS": org.heeler_role_arn()},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"sts:ExternalId": "right"}}
                }]
            })
            .to_string(),
        )
        .send()
        .await
        .expect("a role");
    let role = role.role().expect("a role").arn();
    iam.put_role_policy()
        .role_name("harvest")
        .policy_name("harvest")
        .policy_document(
            json!({
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"],
                        "Resource": queue_arn
                    },
                    {
                        "Effect": "Allow",
                        "Action": "s3:GetObject",
                        "Resource": format!("arn:aws:s3:::{}/*", org.bucket())
                    }
                ]
            })
            .to_string(),
        )
        .send()
        .await
        .expect("the role's policy");

    let object = LogFile::new(
        &org.members()[0],
        "us-west-2",
        vec![event(
            &org.members()[0],
            "us-west-2",
            "ec2.amazonaws.com",
            "RunInstances",
            false,
        )],
    );
    let key = org.deliver(&object.stamp("20260102T0304Z")).await;
    let start = format!(
        "logs/AWSLogs/{}/{}/CloudTrail/us-west-2/2026/01/02/",
        org.organization_id(),
        org.members()[0]
    );
    assert!(key.starts_with(&start), "{key}");

    let wrong = org.assume_as_heeler(role, "wrong").await;
    assert!(wrong.is_err_and(|why| why.contains("AccessDenied")));
    let harvest = org.assume_as_heeler(role, "right").await.expect("the role");
    let received = harvest.receive(queue, 1).await.expect("messages");
    let notification: Value = serde_json::from_str(&received[0]).expect("a notification");
    assert_eq!(notification["Records"][0]["s3"]["object"]["key"], key);
    let read = harvest.object(org.bucket(), &key).await.expect("an object");
    assert_eq!(&read[..2], [0x1f, 0x8b]);
}

#[tokio::test]
async fn files_of_a_folder_get_cloudtrail_keys() {
    let org = Organization::on(Engine::Moto).build().await;
    let folder = tempfile::tempdir().expect("a folder");
    let below = folder.path().join("below");
    std::fs::create_dir(&below).expect("a folder");
    let object = LogFile::new("111122223333", "us-east-1", Vec::new()).stamp("20260102T0304Z");
    std::fs::write(below.join(object.name()), object.gzipped()).expect("a file");
    std::fs::write(below.join("README.md"), "not a log file").expect("a file");
    let keys = org.deliver_files(folder.path()).await;
    let key = format!(
        "AWSLogs/{}/111122223333/CloudTrail/us-east-1/2026/01/02/{}",
        org.organization_id(),
        object.name()
    );
    assert_eq!(keys, [key.as_str()]);
    let head = org.clients().s3.head_object();
    let head = head.bucket(org.bucket()).key(key).send().await;
    head.expect("an object");
}
