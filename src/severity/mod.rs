//! How grave an event is: a table of services and names, and the few rules around it. Knows nobody.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::cloudtrail::record::Record;

/// The table that the program brings along.
const BUILT_IN_TABLE: &str = include_str!("table.toml");
/// What all names of services end with in a record.
const SERVICE_SUFFIX: &str = ".amazonaws.com";
/// Calls that begin with one of these change nothing, whatever else is in their names.
const READ_ONLY_VERBS: &[&str] = &["BatchGet", "Describe", "Get", "Head", "List", "Lookup"];

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

    /// What it comes to when the call was refused or failed: nothing was changed, but somebody tried.
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

/// What of an event counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct RatedEvent<'e> {
    /// With or without the domain of AWS: `s3`, `s3.amazonaws.com`.
    pub service: &'e str,
    pub name: &'e str,
    pub failed: bool,
    /// Nothing when the record does not say.
    pub read_only: Option<bool>,
}

/// The built-in table, and what an operator has laid over it.
#[derive(Clone, Debug)]
pub struct SeverityTable {
    /// The operator's entries: they win over every rule.
    overrides: LevelsByEvent,
    entries: LevelsByEvent,
    /// The gravest level of a name with any service.
    levels_by_name: BTreeMap<String, SeverityLevel>,
    default_level: SeverityLevel,
    routine: RoutineRule,
    destructive: DestructiveRule,
}

/// Levels by service and by the name of the event.
type LevelsByEvent = BTreeMap<String, BTreeMap<String, SeverityLevel>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    unlisted: Option<SeverityLevel>,
    everyday: Option<RoutineRule>,
    taking: Option<DestructiveRule>,
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
    begin: Vec<String>,
    #[serde(default)]
    contain: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NamesByLevel {
    high: Vec<String>,
    medium: Vec<String>,
    low: Vec<String>,
}

impl SeverityTable {
    /// The table that the program brings along.
    ///
    /// # Errors
    /// Never: a test reads it.
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
            routine: file.everyday.unwrap_or_default(),
            destructive: file.taking.unwrap_or(DestructiveRule {
                level: SeverityLevel::High,
                begin: Vec::new(),
                contain: Vec::new(),
            }),
            entries,
        })
    }

    /// Lays a file of the same form over it. An entry there wins over every rule; a rule there replaces the one here.
    ///
    /// # Errors
    /// The line that is wrong, and why.
    pub fn with_overrides(self, file: &str) -> Result<Self, String> {
        let file = parse_file(file)?;
        Ok(Self {
            overrides: levels_by_event(file.events)?,
            default_level: file.unlisted.unwrap_or(self.default_level),
            routine: file.everyday.unwrap_or(self.routine),
            destructive: file.taking.unwrap_or(self.destructive),
            entries: self.entries,
            levels_by_name: self.levels_by_name,
        })
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

    /// The first rule that applies decides.
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
        // Names such as `TagResource` are listed with one service and mean the same with all that are known.
        listed(&self.entries)
            .or_else(|| self.levels_by_name.get(event.name).copied())
            .unwrap_or(self.default_level)
    }

    /// Whether the event takes something away, by its name.
    fn is_destructive(&self, event: &RatedEvent<'_>) -> bool {
        let reads = event.read_only == Some(true)
            || READ_ONLY_VERBS
                .iter()
                .any(|verb| event.name.starts_with(verb));
        let begins = |with: &String| event.name.starts_with(with.as_str());
        let holds = |word: &String| event.name.contains(word.as_str());
        !reads
            && (self.destructive.begin.iter().any(begins)
                || self.destructive.contain.iter().any(holds))
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

/// A name has one level with a service.
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
                return Err(format!("{name} of {service} is both {other} and {level}"));
            }
        }
    }
    Ok(entries)
}
