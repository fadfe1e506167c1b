//! Every real record that is at hand is read, and none is lost.

use std::collections::HashSet;

use heeler_ec::tail::decode::records;
use heeler_ec::tail::record::Record;

use crate::harness::samples;

const CAP: u64 = 64 * 1024 * 1024;

/// Where the samples' account has all its records.
const ACCOUNT: &str = "/218007301253/";

#[test]
fn every_real_record_is_read() {
    let Some(folder) = samples::real_logs() else {
        return;
    };
    let mut all = Vec::new();
    let mut of_account = Vec::new();
    for (key, bytes) in samples::below(&folder) {
        let read = records(&bytes, CAP).unwrap_or_else(|error| panic!("{key}: {error}"));
        all.extend(read.iter().cloned());
        if key.contains(ACCOUNT) {
            of_account.extend(read);
        }
    }
    assert_eq!((all.len(), of_account.len()), (2902, 2900));
    assert!(all.iter().all(is_complete));
    let keys: HashSet<_> = of_account.iter().filter_map(Record::key).collect();
    assert_eq!(keys.len(), 2900);
    let writes = of_account
        .iter()
        .filter(|record| record.read_only == Some(false));
    assert_eq!(writes.count(), 574);
    let errors = of_account
        .iter()
        .filter(|record| record.error_code.is_some());
    assert_eq!(errors.count(), 300);
}

/// Whether a line about it has nothing missing.
fn is_complete(record: &Record) -> bool {
    record.is_readable()
        && [
            &record.event_time,
            &record.event_name,
            &record.event_source,
            &record.account,
            &record.region,
            &record.actor,
        ]
        .iter()
        .all(|field| field.is_some())
}
