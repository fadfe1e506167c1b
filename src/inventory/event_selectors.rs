//! Event selectors and the management events that they record. Selectors add up: a trail records an event if any
//! selector matches it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// A basic or advanced event selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventSelector {
    Basic {
        read: bool,
        write: bool,
        includes_management: bool,
        excluded_sources: Vec<String>,
    },
    Advanced {
        fields: Vec<FieldSelector>,
    },
}

/// A condition of an advanced event selector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    pub name: String,
    pub equals: Vec<String>,
    pub not_equals: Vec<String>,
    /// True if the condition has other operators than `Equals` and `NotEquals`.
    pub has_other_operators: bool,
}

/// The recorded management events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    pub read: bool,
    pub write: bool,
    /// Event sources that are not recorded.
    pub excluded_sources: BTreeSet<String>,
    /// Other fields that narrow a selector of management events.
    pub narrowing_fields: BTreeSet<String>,
}

/// The management events that one selector records.
struct SelectedEvents {
    read: bool,
    write: bool,
    excluded_sources: BTreeSet<String>,
}

impl Coverage {
    #[must_use]
    pub fn from_selectors(selectors: &[EventSelector]) -> Self {
        if selectors.is_empty() {
            // By default, a trail records all management events.
            return Self {
                read: true,
                write: true,
                ..Self::default()
            };
        }
        let mut coverage = Self::default();
        let mut parts = Vec::new();
        for selector in selectors {
            match selected_events(selector) {
                Ok(Some(part)) => parts.push(part),
                Ok(None) => {}
                Err(field) => {
                    coverage.narrowing_fields.insert(field);
                }
            }
        }
        let (read, lost_reads) = combine(parts.iter().filter(|part| part.read));
        let (write, lost_writes) = combine(parts.iter().filter(|part| part.write));
        coverage.read = read;
        coverage.write = write;
        coverage.excluded_sources = &lost_reads | &lost_writes;
        coverage
    }
}

/// Returns true if any selector matches, and the sources that all of them exclude.
fn combine<'a>(parts: impl Iterator<Item = &'a SelectedEvents>) -> (bool, BTreeSet<String>) {
    parts
        .map(|part| part.excluded_sources.clone())
        .reduce(|left, right| &left & &right)
        .map_or_else(|| (false, BTreeSet::new()), |lost| (true, lost))
}

/// Returns the management events that a selector records. If a field narrows the selector, returns its name as the
/// error.
fn selected_events(selector: &EventSelector) -> Result<Option<SelectedEvents>, String> {
    match selector {
        EventSelector::Basic {
            includes_management: false,
            ..
        } => Ok(None),
        EventSelector::Basic {
            read,
            write,
            excluded_sources: excluded,
            ..
        } => Ok(Some(SelectedEvents {
            read: *read,
            write: *write,
            excluded_sources: excluded.iter().cloned().collect(),
        })),
        EventSelector::Advanced { fields } => advanced_events(fields),
    }
}

fn advanced_events(fields: &[FieldSelector]) -> Result<Option<SelectedEvents>, String> {
    let category = fields.iter().find(|field| field.name == "eventCategory");
    if category.is_none_or(|field| field.equals != ["Management"]) {
        return Ok(None);
    }
    let mut part = SelectedEvents {
        read: true,
        write: true,
        excluded_sources: BTreeSet::new(),
    };
    for field in fields {
        let simple =
            !field.has_other_operators && (field.equals.is_empty() || field.not_equals.is_empty());
        match field.name.as_str() {
            "eventCategory" if simple => {}
            "readOnly" if simple && field.not_equals.is_empty() => {
                part.read = field.equals.iter().any(|value| value == "true");
                part.write = field.equals.iter().any(|value| value == "false");
            }
            "eventSource" if simple && field.equals.is_empty() => {
                part.excluded_sources
                    .extend(field.not_equals.iter().cloned());
            }
            name => return Err(name.to_owned()),
        }
    }
    Ok(Some(part))
}

/// Returns the option and value of `put-event-selectors` that record all management events and keep all other selectors.
/// `raw` has the format of that command, which replaces the whole list. Returns `None` if the list would be too long.
#[must_use]
pub fn complete_selectors(raw: &[Value]) -> Option<(&'static str, Vec<Value>)> {
    let is_advanced = raw
        .iter()
        .any(|selector| selector.get("FieldSelectors").is_some());
    if is_advanced {
        let others = raw
            .iter()
            .filter(|selector| !selects_management_events(selector));
        let all = json!({
            "Name": "All management events",
            "FieldSelectors": [{ "Field": "eventCategory", "Equals": ["Management"] }],
        });
        return Some((
            "--advanced-event-selectors",
            [all].into_iter().chain(others.cloned()).collect(),
        ));
    }
    // A selector with data events stays unchanged, because its read/write type applies to the data events, too.
    let others = raw.iter().filter(|selector| {
        selector["DataResources"]
            .as_array()
            .is_some_and(|data| !data.is_empty())
    });
    let all =
        json!({ "ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": [] });
    let list: Vec<Value> = [all].into_iter().chain(others.cloned()).collect();
    (list.len() <= MAX_BASIC_SELECTORS).then_some(("--event-selectors", list))
}

/// Maximum number of basic event selectors of a trail.
const MAX_BASIC_SELECTORS: usize = 5;

fn selects_management_events(selector: &Value) -> bool {
    selector["FieldSelectors"].as_array().is_some_and(|fields| {
        fields.iter().any(|field| {
            field["Field"] == "eventCategory" && field["Equals"] == json!(["Management"])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_selectors_keep_advanced_data_selectors() {
        let data = json!({ "Name": "bodies", "FieldSelectors": [
            { "Field": "eventCategory", "Equals": ["Data"] },
            { "Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::it's/"] },
        ]});
        let network = json!({ "FieldSelectors": [{ "Field": "eventCategory", "Equals": ["NetworkActivity"] }] });
        let cheap = json!({ "Name": "cheap", "FieldSelectors": [
            { "Field": "eventCategory", "Equals": ["Management"] },
            { "Field": "readOnly", "Equals": ["false"] },
        ]});
        let (option, list) =
            complete_selectors(&[data.clone(), cheap, network.clone()]).expect("a list");
        assert_eq!(option, "--advanced-event-selectors");
        assert_eq!(list[1..], [data, network]);
        assert_eq!(
            list[0]["FieldSelectors"],
            json!([{ "Field": "eventCategory", "Equals": ["Management"] }])
        );
    }

    #[test]
    fn complete_selectors_keep_basic_data_selectors() {
        let data = json!({
            "ReadWriteType": "WriteOnly", "IncludeManagementEvents": true,
            "DataResources": [{ "Type": "AWS::S3::Object", "Values": ["arn:aws:s3"] }],
            "ExcludeManagementEventSources": [],
        });
        let writes = json!({
            "ReadWriteType": "WriteOnly", "IncludeManagementEvents": true, "DataResources": [],
            "ExcludeManagementEventSources": ["kms.amazonaws.com"],
        });
        let (option, list) = complete_selectors(&[writes, data.clone()]).expect("a list");
        assert_eq!(option, "--event-selectors");
        assert_eq!(list.len(), 2);
        assert_eq!(list[0]["ReadWriteType"], "All");
        assert_eq!(list[1], data);
    }

    #[test]
    fn complete_selectors_reject_too_many() {
        let data =
            json!({ "DataResources": [{ "Type": "AWS::S3::Object", "Values": ["arn:aws:s3"] }] });
        assert_eq!(complete_selectors(&vec![data; 5]), None);
    }

    const KMS: &str = "kms.amazonaws.com";
    const RDS: &str = "rdsdata.amazonaws.com";

    fn basic(kind: &str, management: bool, excluded: &[&str]) -> EventSelector {
        EventSelector::Basic {
            read: kind != "WriteOnly",
            write: kind != "ReadOnly",
            includes_management: management,
            excluded_sources: excluded.iter().map(ToString::to_string).collect(),
        }
    }

    fn equals(name: &str, values: &[&str]) -> FieldSelector {
        FieldSelector {
            name: name.into(),
            equals: values.iter().map(ToString::to_string).collect(),
            ..FieldSelector::default()
        }
    }

    fn differs(name: &str, values: &[&str]) -> FieldSelector {
        FieldSelector {
            name: name.into(),
            not_equals: values.iter().map(ToString::to_string).collect(),
            ..FieldSelector::default()
        }
    }

    fn advanced(fields: &[FieldSelector]) -> EventSelector {
        EventSelector::Advanced {
            fields: fields.to_vec(),
        }
    }

    fn management(more: &[FieldSelector]) -> EventSelector {
        let mut fields = vec![equals("eventCategory", &["Management"])];
        fields.extend_from_slice(more);
        advanced(&fields)
    }

    /// The recorded reads and writes, the excluded event sources, and the fields that narrow the selectors.
    fn covers(selectors: &[EventSelector]) -> (bool, bool, Vec<String>, Vec<String>) {
        let coverage = Coverage::from_selectors(selectors);
        (
            coverage.read,
            coverage.write,
            coverage.excluded_sources.into_iter().collect(),
            coverage.narrowing_fields.into_iter().collect(),
        )
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn event_selector_coverage_table() {
        let data = || {
            advanced(&[
                equals("eventCategory", &["Data"]),
                equals("resources.type", &["AWS::S3::Object"]),
            ])
        };
        let network = || {
            advanced(&[
                equals("eventCategory", &["NetworkActivity"]),
                equals("eventSource", &["ec2.amazonaws.com"]),
            ])
        };
        let none: &[&str] = &[];
        #[expect(clippy::type_complexity, reason = "a table, written once")]
        let table: [(u8, Vec<EventSelector>, bool, bool, &[&str], &[&str]); 17] = [
            (1, vec![], true, true, none, none),
            (2, vec![basic("All", true, &[])], true, true, none, none),
            (
                3,
                vec![basic("WriteOnly", true, &[])],
                false,
                true,
                none,
                none,
            ),
            (
                4,
                vec![basic("ReadOnly", true, &[])],
                true,
                false,
                none,
                none,
            ),
            (
                5,
                vec![basic("ReadOnly", true, &[]), basic("WriteOnly", true, &[])],
                true,
                true,
                none,
                none,
            ),
            (6, vec![basic("All", false, &[])], false, false, none, none),
            (
                7,
                vec![basic("All", true, &[KMS])],
                true,
                true,
                &[KMS],
                none,
            ),
            (
                8,
                vec![basic("All", true, &[KMS]), basic("WriteOnly", true, &[])],
                true,
                true,
                &[KMS],
                none,
            ),
            (9, vec![management(&[])], true, true, none, none),
            (
                10,
                vec![
                    management(&[equals("readOnly", &["true"])]),
                    management(&[equals("readOnly", &["false"])]),
                ],
                true,
                true,
                none,
                none,
            ),
            (
                11,
                vec![management(&[equals("readOnly", &["false"])])],
                false,
                true,
                none,
                none,
            ),
            (
                12,
                vec![management(&[differs("eventSource", &[KMS, RDS])])],
                true,
                true,
                &[KMS, RDS],
                none,
            ),
            (13, vec![data()], false, false, none, none),
            (
                14,
                vec![
                    management(&[]),
                    advanced(&[
                        equals("eventCategory", &["Data"]),
                        equals("readOnly", &["true"]),
                    ]),
                ],
                true,
                true,
                none,
                none,
            ),
            (
                15,
                vec![management(&[equals("eventSource", &["iam.amazonaws.com"])])],
                false,
                false,
                none,
                &["eventSource"],
            ),
            (
                16,
                vec![management(&[equals("readOnly", &["true", "false"])])],
                true,
                true,
                none,
                none,
            ),
            (17, vec![network()], false, false, none, none),
        ];
        for (number, selectors, read, write, excluded, narrowed) in table {
            let (reads, writes, left_out, narrow) = covers(&selectors);
            assert_eq!((reads, writes), (read, write), "vector {number}");
            assert_eq!(left_out, excluded, "vector {number}");
            assert_eq!(narrow, narrowed, "vector {number}");
        }
    }

    #[test]
    fn full_selector_outweighs_narrowed_selector() {
        let whole = Coverage::from_selectors(&[
            management(&[]),
            management(&[equals("eventName", &["RunInstances"])]),
        ]);
        assert!(whole.read && whole.write);
    }

    #[test]
    fn unknown_operator_counts_as_narrowing() {
        let field = FieldSelector {
            has_other_operators: true,
            ..equals("eventSource", &[])
        };
        assert!(!Coverage::from_selectors(&[management(&[field])]).read);
    }
}
