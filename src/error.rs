//! Errors for people: a headline, the cause, and a hint.

use std::fmt;

use crate::hint::Hint;

pub type Result<T> = std::result::Result<T, Error>;

/// The exit code of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Success = 0,
    /// A negative result: a check failed, changes are pending, nothing arrived.
    Negative = 1,
    /// Invalid usage or input.
    Usage = 2,
    /// No result: no credentials, no network, a refused or failed call.
    Failed = 3,
    /// Changes are pending.
    Pending = 4,
    /// The canary was not seen yet at every observation point.
    NotSeen = 5,
    /// Interrupted, after clean-up.
    Interrupted = 130,
}

/// An error that a person can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<ErrorParts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct ErrorParts {
    exit: Exit,
    headline: Headline,
    /// Empty if the headline says everything.
    reason: String,
    permission: Option<&'static str>,
    code: Option<String>,
    request_id: Option<String>,
    hint: Option<Hint>,
    is_transient: bool,
}

/// The first line of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Headline {
    /// Complete as it is.
    Sentence(String),
    /// The operation that failed, such as `read the queue`; shown as `cannot read the queue`.
    Operation(String),
}

impl Error {
    fn new(exit: Exit, headline: Headline, reason: String) -> Self {
        Self(Box::new(ErrorParts {
            exit,
            headline,
            reason,
            permission: None,
            code: None,
            request_id: None,
            hint: None,
            is_transient: false,
        }))
    }

    /// Creates an error for invalid usage or input, found before any call is made.
    #[must_use]
    pub fn usage(headline: impl Into<String>) -> Self {
        let headline = Headline::Sentence(headline.into());
        Self::new(Exit::Usage, headline, String::new())
    }

    /// Creates an error for a negative result.
    #[must_use]
    pub fn negative(headline: impl Into<String>) -> Self {
        let headline = Headline::Sentence(headline.into());
        Self::new(Exit::Negative, headline, String::new())
    }

    /// Creates an error for an operation that failed, such as `read the queue`.
    #[must_use]
    pub fn failed(operation: impl Into<String>, reason: impl Into<String>) -> Self {
        let headline = Headline::Operation(operation.into());
        Self::new(Exit::Failed, headline, reason.into())
    }

    /// Creates an error for a run that the user interrupted; `headline` says what was not done.
    #[must_use]
    pub fn interrupted(headline: impl Into<String>) -> Self {
        let headline = Headline::Sentence(headline.into());
        Self::new(Exit::Interrupted, headline, String::new())
    }

    /// Sets the hint; in a text, backticks mark commands.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Hint>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Sets or replaces the reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.0.reason = reason.into();
        self
    }

    /// Names the permission that the failed call needs, such as `sqs:CreateQueue`.
    #[must_use]
    pub fn with_permission(mut self, action: &'static str) -> Self {
        self.0.permission = Some(action);
        self
    }

    /// Sets the service's error code and request ID.
    #[must_use]
    pub fn with_code(mut self, code: Option<String>, request_id: Option<String>) -> Self {
        self.0.code = code;
        self.0.request_id = request_id;
        self
    }

    /// Marks an error after which the same call may succeed later.
    #[must_use]
    pub fn with_transience(mut self, is_transient: bool) -> Self {
        self.0.is_transient = is_transient;
        self
    }

    /// Returns true if the same call may succeed later: after throttling, an internal error of AWS or without a connection.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.is_transient
    }

    /// Returns true if the service returned this error code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.0.code.as_deref() == Some(code)
    }

    /// Returns true if the service returned one of these error codes.
    #[must_use]
    pub fn has_any_code(&self, codes: &[&str]) -> bool {
        codes.iter().any(|code| self.has_code(code))
    }

    /// Returns true if the service returned this error code with a message that contains `fragment`.
    #[must_use]
    pub fn matches(&self, code: &str, fragment: &str) -> bool {
        self.has_code(code) && self.0.reason.contains(fragment)
    }

    /// Returns true if the caller lacks a permission.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.0.code.as_deref().is_some_and(|code| {
            matches!(
                code,
                "AccessDenied"
                    | "AccessDeniedException"
                    | "AuthorizationError"
                    | "AuthorizationErrorException"
                    | "UnauthorizedOperation"
                    | "Forbidden"
                    | "403"
            )
        })
    }

    /// Returns true if a resource of this name exists already.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        self.0.code.as_deref().is_some_and(|code| match code {
            "AlreadyExistsException"
            | "EntityAlreadyExists"
            | "EntityAlreadyExistsException"
            | "QueueAlreadyExists"
            | "QueueNameExists" => true,
            "InvalidParameter" | "ResourceConflictException" => {
                self.0.reason.contains("already exist")
            }
            _ => false,
        })
    }

    /// Returns true if the call failed without a response, so its outcome is unknown.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        self.0.exit == Exit::Failed && self.0.permission.is_some() && self.0.code.is_none()
    }

    /// Returns true if AWS could not be reached, and the reason is not missing credentials.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        let reason = self.0.reason.to_ascii_lowercase();
        let credential_words = ["credential", "sso", "token", "profile"];
        self.is_outcome_unknown() && !credential_words.iter().any(|word| reason.contains(word))
    }

    #[must_use]
    pub fn exit(&self) -> Exit {
        self.0.exit
    }

    /// The first line of the error, in the user's terms.
    #[must_use]
    pub fn headline(&self) -> String {
        match &self.0.headline {
            Headline::Sentence(sentence) => sentence.clone(),
            Headline::Operation(operation) => format!("cannot {operation}"),
        }
    }

    /// The operation that failed; the headline if there was none.
    #[must_use]
    pub fn operation(&self) -> &str {
        match &self.0.headline {
            Headline::Sentence(text) | Headline::Operation(text) => text,
        }
    }

    /// The operation that failed, such as `read the queue`. `None` if the headline is a complete sentence.
    #[must_use]
    pub fn failed_operation(&self) -> Option<&str> {
        match &self.0.headline {
            Headline::Sentence(_) => None,
            Headline::Operation(operation) => Some(operation),
        }
    }

    /// The cause without AWS's error code and request ID. It contains the headline if no operation failed.
    #[must_use]
    pub fn cause_without_codes(&self) -> String {
        match &self.0.headline {
            Headline::Operation(_) => self.0.reason.clone(),
            Headline::Sentence(text) if self.0.reason.is_empty() => text.clone(),
            Headline::Sentence(text) => format!("{text}: {}", self.0.reason),
        }
    }

    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    #[must_use]
    pub fn required_permission(&self) -> Option<&'static str> {
        self.0.permission
    }

    #[must_use]
    pub fn error_code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    #[must_use]
    pub fn hint(&self) -> Option<&Hint> {
        self.0.hint.as_ref()
    }

    /// The cause in one line: AWS's message, error code and request ID. Empty if the headline says everything.
    #[must_use]
    pub fn cause(&self) -> String {
        let mut cause = self.0.reason.clone();
        let request_id = self.0.request_id.as_ref();
        let details: Vec<String> = [
            self.0.code.clone(),
            request_id.map(|id| format!("request id {id}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !details.is_empty() {
            cause = format!("{cause} ({})", details.join(", "));
        }
        cause
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.headline(), self.cause()) {
            (headline, cause) if cause.is_empty() => f.write_str(&headline),
            (headline, cause) => write!(f, "{headline}: {cause}"),
        }
    }
}

impl std::error::Error for Error {}
