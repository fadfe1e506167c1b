//! All real sample records are read.

use std::collections::HashSet;

use heeler_ec::cloudtrail::log_file::collect_records;
use heeler_ec::cloudtrail::record::Record;

use testkit::samples;

const CAP: u64 = 64 * 1024 * 1024;

/// The account in the samples with a complete set of records.
const ACCOUNT: &str = "/218007301253/";

#[test]
fn every_real_record_is_read() {
    let Some(folder) = samples::real_logs() else {
        return;
    };
    let mut all = Vec::new();
    let mut of_account = Vec::new();
    for (key, bytes) in samples::log_files_below(&folder) {
        let read = collect_records(&bytes, CAP).unwrap_or_else(|error| panic!("{key}: {error}"));
        if key.contains(ACCOUNT) {
            of_account.extend(read.iter().cloned());
        }
        all.extend(read);
    }
    assert_eq!((all.len(), of_account.len()), (2902, 2900));
    let record = |text| Record::read(text).expect("a record");
    let all: Vec<Record> = all.iter().map(|text| record(text)).collect();
    let of_account: Vec<Record> = of_account.iter().map(|text| record(text)).collect();
    assert!(all.iter().all(is_complete));
    let keys: HashSet<_> = of_account.iter().filter_map(Record::dedup_key).collect();
    assert_eq!(keys.len(), 2900);
    let writes = of_account
        .iter()
        .filter(|record| record.read_only() == Some(false));
    assert_eq!(writes.count(), 574);
    let errors = of_account
        .iter()
        .filter(|record| record.error_code().is_some());
    assert_eq!(errors.count(), 300);
}

/// Returns true if all fields of a table line are present.
fn is_complete(record: &Record<'_>) -> bool {
    let fields = [
        record.event_time(),
        record.event_name(),
        record.service(),
        record.account(),
        record.region(),
        record.actor(),
    ];
    fields.iter().all(Option::is_some)
}
