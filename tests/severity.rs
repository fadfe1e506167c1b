//! The levels of events against the published table that they come from.

use heeler_ec::severity::{Event, Level, Table};
use heeler_ec::tail::object::records;
use heeler_ec::tail::record::Record;
use serde::Deserialize;

use testkit::samples;

#[derive(Deserialize)]
struct Published {
    event: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    service: String,
    name: String,
    severity: String,
    /// What the published rules make of it, where that is something else.
    effective: Option<String>,
}

#[test]
fn the_published_table_is_kept_and_nothing_of_it_is_hidden() {
    let Some(file) = samples::severities() else {
        return;
    };
    let published: Published = toml::from_str(&file).expect("the published table");
    let table = Table::built_in().expect("the built-in table");
    for entry in &published.event {
        // What an everyday service or name hid has the level that the table gave it.
        let wanted = match entry.effective.as_deref() {
            None | Some("ignored") => &entry.severity,
            Some(effective) => effective,
        };
        let level = table.level(&Event {
            service: &entry.service,
            name: &entry.name,
            ..Event::default()
        });
        assert_eq!(level.name(), wanted, "{} {}", entry.service, entry.name);
    }
    assert_eq!(published.event.len(), 318);
}

#[test]
fn every_real_record_has_a_level() {
    let Some(folder) = samples::real_logs() else {
        return;
    };
    let table = Table::built_in().expect("the built-in table");
    let mut counts = [0; 3];
    for (key, bytes) in samples::log_files_below(&folder) {
        for text in records(&bytes, u64::MAX).expect(&key) {
            let record = Record::read(&text).expect("a record");
            counts[record.level(&table) as usize] += 1;
        }
    }
    let [low, medium, high] = counts;
    assert_eq!(low + medium + high, 2902);
    assert!(low > medium && medium + high > 0, "{counts:?}");
    assert_eq!(Level::Low as usize, 0);
}
