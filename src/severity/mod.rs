//! How grave an event is: a table of services and names, and the few rules around it. Knows nobody.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// The table that the program brings along.
const TABLE: &str = include_str!("table.toml");
/// What all names of services end with in a record.
const DOMAIN: &str = ".amazonaws.com";
/// Calls that begin with one of these change nothing, whatever else is in their names.
const READING: &[&str] = &["BatchGet", "Describe", "Get", "Head", "List", "Lookup"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Low,
    Medium,
    High,
}

impl Level {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// What it comes to when the call was refused or failed: nothing was changed, but somebody tried.
    fn of_an_attempt(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name())
    }
}

/// What of an event counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Event<'e> {
    /// With or without the domain of AWS: `s3`, `s3.amazonaws.com`.
    pub service: &'e str,
    pub name: &'e str,
    pub failed: bool,
    /// Nothing when the record does not say.
    pub reads: Option<bool>,
}

/// The built-in table, and what an operator has laid over it.
#[derive(Clone, Debug)]
pub struct Table {
    /// The operator's entries: they win over every rule.
    own: Entries,
    entries: Entries,
    unlisted: Level,
    everyday: Everyday,
    taking: Taking,
}

/// Levels by service and by the name of the event.
type Entries = BTreeMap<String, BTreeMap<String, Level>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    unlisted: Option<Level>,
    everyday: Option<Everyday>,
    taking: Option<Taking>,
    #[serde(default)]
    events: BTreeMap<String, Names>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Everyday {
    services: Vec<String>,
    events: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Taking {
    level: Level,
    #[serde(default)]
    begin: Vec<String>,
    #[serde(default)]
    contain: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Names {
    high: Vec<String>,
    medium: Vec<String>,
    low: Vec<String>,
}

impl Table {
    /// The table that the program brings along.
    ///
    /// # Errors
    /// Never: a test reads it.
    pub fn built_in() -> Result<Self, String> {
        let file = read(TABLE)?;
        Ok(Self {
            own: Entries::new(),
            unlisted: file.unlisted.unwrap_or(Level::Low),
            everyday: file.everyday.unwrap_or_default(),
            taking: file.taking.unwrap_or(Taking {
                level: Level::High,
                begin: Vec::new(),
                contain: Vec::new(),
            }),
            entries: entries(file.events)?,
        })
    }

    /// Lays a file of the same form over it. An entry there wins over every rule; a rule there replaces the one here.
    ///
    /// # Errors
    /// The line that is wrong, and why.
    pub fn overlaid(self, file: &str) -> Result<Self, String> {
        let file = read(file)?;
        Ok(Self {
            own: entries(file.events)?,
            unlisted: file.unlisted.unwrap_or(self.unlisted),
            everyday: file.everyday.unwrap_or(self.everyday),
            taking: file.taking.unwrap_or(self.taking),
            entries: self.entries,
        })
    }

    #[must_use]
    pub fn level(&self, event: &Event<'_>) -> Level {
        let level = self.of_a_success(event);
        if event.failed {
            level.of_an_attempt()
        } else {
            level
        }
    }

    /// The first rule that applies decides.
    fn of_a_success(&self, event: &Event<'_>) -> Level {
        let service = short(event.service);
        let listed = |entries: &Entries| entries.get(service)?.get(event.name).copied();
        if let Some(level) = listed(&self.own) {
            return level;
        }
        if contains(&self.everyday.services, service) {
            return listed(&self.entries).unwrap_or(Level::Low);
        }
        if contains(&self.everyday.events, event.name) {
            return self.of_any_service(event.name).unwrap_or(Level::Low);
        }
        if self.takes(event) {
            return self.taking.level;
        }
        if !self.entries.contains_key(service) {
            return self.unlisted;
        }
        // Names such as `TagResource` are listed with one service and mean the same with all that are known.
        listed(&self.entries)
            .or_else(|| self.of_any_service(event.name))
            .unwrap_or(self.unlisted)
    }

    fn of_any_service(&self, name: &str) -> Option<Level> {
        self.entries
            .values()
            .filter_map(|names| names.get(name).copied())
            .max()
    }

    /// Whether the event takes something away, by its name.
    fn takes(&self, event: &Event<'_>) -> bool {
        let reads =
            event.reads == Some(true) || READING.iter().any(|verb| event.name.starts_with(verb));
        let begins = |with: &String| event.name.starts_with(with.as_str());
        let holds = |word: &String| event.name.contains(word.as_str());
        !reads && (self.taking.begin.iter().any(begins) || self.taking.contain.iter().any(holds))
    }
}

fn contains(names: &[String], name: &str) -> bool {
    names.iter().any(|known| short(known) == name)
}

fn short(service: &str) -> &str {
    service.strip_suffix(DOMAIN).unwrap_or(service)
}

fn read(text: &str) -> Result<File, String> {
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
fn entries(events: BTreeMap<String, Names>) -> Result<Entries, String> {
    let mut entries = Entries::new();
    for (service, names) in events {
        let service = short(&service);
        let of_service = entries.entry(service.to_owned()).or_default();
        let levels = [
            (Level::High, names.high),
            (Level::Medium, names.medium),
            (Level::Low, names.low),
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
