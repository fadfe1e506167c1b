//! What went wrong: what was being done, why it failed, and what to do next.

use std::fmt;

pub type Result<T> = std::result::Result<T, Error>;

/// How a run ends, in every output format alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or the answer is yes.
    Success = 0,
    /// The answer is no: a check failed, changes pend, nothing arrived.
    Negative = 1,
    /// Wrong usage or input.
    Usage = 2,
    /// Could not answer: credentials, network, a refused or failed call.
    Failed = 3,
    /// Interrupted, after clean-up.
    Interrupted = 130,
}

/// An error a person can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<ErrorParts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct ErrorParts {
    exit: Exit,
    operation: String,
    reason: String,
    permission: Option<&'static str>,
    code: Option<String>,
    request_id: Option<String>,
    hint: Option<String>,
}

impl Error {
    #[must_use]
    pub fn new(exit: Exit, doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self(Box::new(ErrorParts {
            exit,
            operation: doing.into(),
            reason: why.into(),
            permission: None,
            code: None,
            request_id: None,
            hint: None,
        }))
    }

    /// Wrong input, found before any call was made.
    #[must_use]
    pub fn usage(doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(Exit::Usage, doing, why)
    }

    /// The answer is no.
    #[must_use]
    pub fn negative(doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(Exit::Negative, doing, why)
    }

    /// There is no answer.
    #[must_use]
    pub fn failed(doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(Exit::Failed, doing, why)
    }

    /// The operator asked to stop.
    #[must_use]
    pub fn interrupted(doing: impl Into<String>) -> Self {
        Self::new(Exit::Interrupted, doing, "interrupted")
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same failure with its cause in better words.
    #[must_use]
    pub fn with_reason(mut self, why: impl Into<String>) -> Self {
        self.0.reason = why.into();
        self
    }

    /// Names the permission that the failed call needs, such as `sqs:CreateQueue`.
    #[must_use]
    pub fn with_permission(mut self, action: &'static str) -> Self {
        self.0.permission = Some(action);
        self
    }

    #[must_use]
    pub fn with_code(mut self, code: Option<String>, request_id: Option<String>) -> Self {
        self.0.code = code;
        self.0.request_id = request_id;
        self
    }

    /// Whether the service refused with this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.0.code.as_deref() == Some(code)
    }

    /// Whether the service refused with this code and a message that holds `fragment`.
    #[must_use]
    pub fn matches(&self, code: &str, fragment: &str) -> bool {
        self.has_code(code) && self.0.reason.contains(fragment)
    }

    /// Whether the caller lacks a permission.
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

    /// Whether the service refused because there is one of that name already.
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

    /// Whether there was no answer, so that nobody knows what came of the call.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        self.0.exit == Exit::Failed && self.0.permission.is_some() && self.0.code.is_none()
    }

    /// Whether there was no answer because nobody was reached, and not for want of credentials to ask with.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        let why = self.0.reason.to_ascii_lowercase();
        let of_credentials = ["credential", "sso", "token", "profile"];
        self.is_outcome_unknown() && !of_credentials.iter().any(|word| why.contains(word))
    }

    #[must_use]
    pub fn exit(&self) -> Exit {
        self.0.exit
    }

    #[must_use]
    pub fn operation(&self) -> &str {
        &self.0.operation
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
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The cause in one line: AWS's words, code and request id.
    #[must_use]
    pub fn cause(&self) -> String {
        let mut cause = self.0.reason.clone();
        let marks: Vec<String> = [
            self.0.code.clone(),
            self.0
                .request_id
                .as_ref()
                .map(|id| format!("request id {id}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !marks.is_empty() {
            cause = format!("{cause} ({})", marks.join(", "));
        }
        cause
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.operation(), self.cause())
    }
}

impl std::error::Error for Error {}
