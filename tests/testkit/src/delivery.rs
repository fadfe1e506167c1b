//! Delivers events as CloudTrail does: log files to the bucket, records to the log group.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_s3::primitives::ByteStream;

use crate::organization::LOG_GROUP;
use crate::{LogFile, Organization, log_file};

impl Organization {
    /// Delivers a log file to the bucket as CloudTrail does, and returns its key.
    pub async fn deliver(&self, file: &LogFile) -> String {
        self.deliver_named(&file.name(), file.gzipped()).await
    }

    /// Delivers every `.json.gz` file of a folder, in name order, and returns the keys.
    pub async fn deliver_files(&self, folder: &Path) -> Vec<String> {
        let mut keys = Vec::new();
        for file in log_files(folder) {
            let name = file.file_name().expect("a file's name").to_string_lossy();
            let bytes = std::fs::read(&file).expect("a log file");
            keys.push(self.deliver_named(&name, bytes).await);
        }
        keys
    }

    async fn deliver_named(&self, name: &str, bytes: Vec<u8>) -> String {
        let key = log_file::key(self.built.prefix.as_deref(), &self.id, name)
            .unwrap_or_else(|| panic!("{name} is not named as CloudTrail names its files"));
        self.put(&key, bytes).await;
        key
    }

    /// Writes records to the management account's stream in the trail's log group.
    pub async fn put_log_events(&self, records: &[String]) {
        let stream = format!("{}_{}_CloudTrail_{}", self.id, self.account, self.region());
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("a time after 1970").as_millis();
        let now = i64::try_from(now).expect("a time of this age");
        // A call accepts at most one megabyte.
        for records in records.chunks(200) {
            let events = records.iter().map(|record| {
                let event = InputLogEvent::builder().timestamp(now).message(record);
                event.build().expect("an event")
            });
            let put = self.clients.logs.put_log_events();
            let put = put.log_group_name(LOG_GROUP).log_stream_name(&stream);
            let put = put.set_log_events(Some(events.collect())).send().await;
            put.expect("records in the log group");
        }
    }

    /// Reads every record in the trail's log group.
    pub async fn log_events(&self) -> Vec<String> {
        let read = self.clients.logs.filter_log_events();
        let mut pages = read.log_group_name(LOG_GROUP).into_paginator().send();
        let mut records = Vec::new();
        while let Some(page) = pages.next().await {
            let events = page.expect("the log group's events").events;
            let events = events.unwrap_or_default().into_iter();
            records.extend(events.filter_map(|event| event.message));
        }
        records
    }

    /// Puts an object into the trail's bucket.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) {
        self.clients
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type("application/x-gzip")
            .body(ByteStream::from(bytes))
            .send()
            .await
            .expect("an object in the bucket");
    }
}

/// Every log file in a folder and its subfolders, in name order.
fn log_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of log files");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a file of the folder").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| {
            if path.is_dir() {
                log_files(&path)
            } else if path.to_string_lossy().ends_with(".json.gz") {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect()
}
