//! Compares the built-in severity table with the published table that it is based on.

use heeler_ec::cloudtrail::log_file::collect_records;
use heeler_ec::cloudtrail::record::Record;
use heeler_ec::severity::{RatedEvent, SeverityLevel, SeverityTable};
use serde::Deserialize;

use testkit::samples;

#[derive(Deserialize)]
struct PublishedTable {
    event: Vec<PublishedEntry>,
}

#[derive(Deserialize)]
struct PublishedEntry {
    service: String,
    name: String,
    severity: String,
    /// The severity according to the published rules, if different.
    effective: Option<String>,
}

#[test]
fn built_in_table_contains_the_published_table() {
    let Some(file) = samples::severities() else {
        return;
    };
    let published: PublishedTable = toml::from_str(&file).expect("the published table");
    let table = SeverityTable::built_in().expect("the built-in table");
    for entry in &published.event {
        // Events that the published rules ignore have the severity of their entry.
        let expected = match entry.effective.as_deref() {
            None | Some("ignored") => &entry.severity,
            Some(effective) => effective,
        };
        let level = table.level(&RatedEvent {
            service: &entry.service,
            name: &entry.name,
            ..RatedEvent::default()
        });
        assert_eq!(level.name(), expected, "{} {}", entry.service, entry.name);
    }
    assert_eq!(published.event.len(), 318);
}

#[test]
fn every_real_record_has_a_level() {
    let Some(folder) = samples::real_logs() else {
        return;
    };
    let table = SeverityTable::built_in().expect("the built-in table");
    let mut counts = [0; 3];
    for (key, bytes) in samples::log_files_below(&folder) {
        for text in collect_records(&bytes, u64::MAX).expect(&key) {
            let record = Record::read(&text).expect("a record");
            counts[table.level_of_record(&record) as usize] += 1;
        }
    }
    let [low, medium, high] = counts;
    assert_eq!(low + medium + high, 2902);
    assert!(low > medium && medium + high > 0, "{counts:?}");
    assert_eq!(SeverityLevel::Low as usize, 0);
}
