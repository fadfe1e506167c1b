//! The severity of events: a table of services and event names, and a few rules. See `docs/severity.md`.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::cloudtrail::record::Record;

/// The built-in table.
const BUILT_IN_TABLE: &str = include_str!("table.toml");
/// Suffix of all service names in records.
const SERVICE_SUFFIX: &str = ".amazonaws.com";
/// Prefixes of the names of read-only calls.
const READ_ONLY_VERBS: &[&str] = &["BatchGet", "Describe", "Get", "Head", "List", "Lookup"];

/// A severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeverityLevel {
    Low,
    Medium,
    High,
}

impl SeverityLevel {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The level of a failed call: nothing was changed, but somebody tried.
    fn for_failed_call(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
        }
    }
}

impl fmt::Display for SeverityLevel {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name())
    }
}

/// The properties of an event that determine its severity.
#[derive(Clone, Copy, Debug, Default)]
pub struct RatedEvent<'e> {
    /// With or without the suffix: `s3`, `s3.amazonaws.com`.
    pub service: &'e str,
    pub name: &'e str,
    pub failed: bool,
    /// `None` if the record does not contain the field.
    pub read_only: Option<bool>,
}

/// The built-in table with the overrides of a custom table.
#[derive(Clone, Debug)]
pub struct SeverityTable {
    /// Entries of the custom table. They take precedence over every rule.
    overrides: LevelsByEvent,
    entries: LevelsByEvent,
    /// The highest level of an event name in any service.
    levels_by_name: BTreeMap<String, SeverityLevel>,
    default_level: SeverityLevel,
    routine: RoutineRule,
    destructive: DestructiveRule,
}

/// The entries and rules of a table, for translation into another language.
#[derive(Clone, Debug)]
pub struct SeverityRules<'t> {
    /// Services, event names and levels, in the order of their names. Services have no suffix.
    pub entries: Vec<(&'t str, &'t str, SeverityLevel)>,
    /// The level of events that no rule and no entry covers.
    pub default_level: SeverityLevel,
    /// Services whose events count only with their own entries.
    pub routine_services: &'t [String],
    /// Events that count only with the entries of their names.
    pub routine_events: &'t [String],
    pub destructive_level: SeverityLevel,
    pub destructive_prefixes: &'t [String],
    pub destructive_substrings: &'t [String],
    /// Prefixes of the names of calls that are never destructive.
    pub read_only_verbs: &'static [&'static str],
}

/// Levels by service and event name.
type LevelsByEvent = BTreeMap<String, BTreeMap<String, SeverityLevel>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    unlisted: Option<SeverityLevel>,
    routine: Option<RoutineRule>,
    destructive: Option<DestructiveRule>,
    #[serde(default)]
    events: BTreeMap<String, NamesByLevel>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RoutineRule {
    services: Vec<String>,
    events: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DestructiveRule {
    level: SeverityLevel,
    #[serde(default)]
    prefixes: Vec<String>,
    #[serde(default)]
    substrings: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NamesByLevel {
    high: Vec<String>,
    medium: Vec<String>,
    low: Vec<String>,
}

impl SeverityTable {
    /// The built-in table.
    ///
    /// # Errors
    /// Returns an error only if the built-in table is invalid, which a test excludes.
    pub fn built_in() -> Result<Self, String> {
        let file = parse_file(BUILT_IN_TABLE)?;
        let entries = levels_by_event(file.events)?;
        let mut names = BTreeMap::new();
        for (name, level) in entries.values().flatten() {
            let known = names.entry(name.clone()).or_insert(*level);
            *known = (*level).max(*known);
        }
        Ok(Self {
            overrides: LevelsByEvent::new(),
            levels_by_name: names,
            default_level: file.unlisted.unwrap_or(SeverityLevel::Low),
            routine: file.routine.unwrap_or_default(),
            destructive: file.destructive.unwrap_or(DestructiveRule {
                level: SeverityLevel::High,
                prefixes: Vec::new(),
                substrings: Vec::new(),
            }),
            entries,
        })
    }

    /// Applies a custom table. Its entries take precedence over every rule; its rules replace the built-in rules.
    ///
    /// # Errors
    /// Returns the line with the error, and the reason.
    pub fn with_overrides(self, file: &str) -> Result<Self, String> {
        let file = parse_file(file)?;
        Ok(Self {
            overrides: levels_by_event(file.events)?,
            default_level: file.unlisted.unwrap_or(self.default_level),
            routine: file.routine.unwrap_or(self.routine),
            destructive: file.destructive.unwrap_or(self.destructive),
            entries: self.entries,
            levels_by_name: self.levels_by_name,
        })
    }

    /// The built-in entries and the rules. The entries of a custom table are not among them.
    #[must_use]
    pub fn rules(&self) -> SeverityRules<'_> {
        let entries = self.entries.iter().flat_map(|(service, events)| {
            let events = events.iter();
            events.map(move |(name, level)| (service.as_str(), name.as_str(), *level))
        });
        SeverityRules {
            entries: entries.collect(),
            default_level: self.default_level,
            routine_services: &self.routine.services,
            routine_events: &self.routine.events,
            destructive_level: self.destructive.level,
            destructive_prefixes: &self.destructive.prefixes,
            destructive_substrings: &self.destructive.substrings,
            read_only_verbs: READ_ONLY_VERBS,
        }
    }

    /// The severity of the event that a record describes.
    #[must_use]
    pub fn level_of_record(&self, record: &Record<'_>) -> SeverityLevel {
        self.level(&RatedEvent {
            service: &record.service().unwrap_or_default(),
            name: &record.event_name().unwrap_or_default(),
            failed: record.is_error(),
            read_only: record.read_only(),
        })
    }

    /// The severity of an event.
    #[must_use]
    pub fn level(&self, event: &RatedEvent<'_>) -> SeverityLevel {
        let level = self.for_successful_call(event);
        if event.failed {
            level.for_failed_call()
        } else {
            level
        }
    }

    /// The level of a successful call. The first rule that applies decides.
    fn for_successful_call(&self, event: &RatedEvent<'_>) -> SeverityLevel {
        let service = strip_service_suffix(event.service);
        let listed = |entries: &LevelsByEvent| entries.get(service)?.get(event.name).copied();
        if let Some(level) = listed(&self.overrides) {
            return level;
        }
        if contains_service(&self.routine.services, service) {
            return listed(&self.entries).unwrap_or(SeverityLevel::Low);
        }
        if contains_service(&self.routine.events, event.name) {
            return self
                .levels_by_name
                .get(event.name)
                .copied()
                .unwrap_or(SeverityLevel::Low);
        }
        if self.is_destructive(event) {
            return self.destructive.level;
        }
        if !self.entries.contains_key(service) {
            return self.default_level;
        }
        // Names such as `TagResource` are listed for one service and have the same meaning in all listed services.
        listed(&self.entries)
            .or_else(|| self.levels_by_name.get(event.name).copied())
            .unwrap_or(self.default_level)
    }

    /// Returns true if the event deletes or revokes something, according to its name.
    fn is_destructive(&self, event: &RatedEvent<'_>) -> bool {
        let is_read_only = event.read_only == Some(true)
            || READ_ONLY_VERBS
                .iter()
                .any(|verb| event.name.starts_with(verb));
        let has_prefix = |prefix: &String| event.name.starts_with(prefix.as_str());
        let contains = |substring: &String| event.name.contains(substring.as_str());
        !is_read_only
            && (self.destructive.prefixes.iter().any(has_prefix)
                || self.destructive.substrings.iter().any(contains))
    }
}

fn contains_service(names: &[String], name: &str) -> bool {
    names
        .iter()
        .any(|known| strip_service_suffix(known) == name)
}

fn strip_service_suffix(service: &str) -> &str {
    service.strip_suffix(SERVICE_SUFFIX).unwrap_or(service)
}

fn parse_file(text: &str) -> Result<TableFile, String> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        match before {
            Some(before) => format!(
                "line {}: {}",
                before.matches('\n').count() + 1,
                error.message()
            ),
            None => error.message().to_owned(),
        }
    })
}

/// Builds the table and rejects an event name with two levels in one service.
fn levels_by_event(events: BTreeMap<String, NamesByLevel>) -> Result<LevelsByEvent, String> {
    let mut entries = LevelsByEvent::new();
    for (service, names) in events {
        let service = strip_service_suffix(&service);
        let of_service = entries.entry(service.to_owned()).or_default();
        let levels = [
            (SeverityLevel::High, names.high),
            (SeverityLevel::Medium, names.medium),
            (SeverityLevel::Low, names.low),
        ];
        for (level, name) in levels
            .into_iter()
            .flat_map(|(level, names)| names.into_iter().map(move |name| (level, name)))
        {
            if let Some(other) = of_service.insert(name.clone(), level)
                && other != level
            {
                return Err(format!(
                    "{name} of {service} is listed as both {other} and {level}"
                ));
            }
        }
    }
    Ok(entries)
}
