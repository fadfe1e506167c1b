//! What went wrong: what was being done, why it failed, and what to do next.

use std::fmt;

pub type Result<T> = std::result::Result<T, Error>;

/// How a run ends, in every output format alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or the answer is yes.
    Yes = 0,
    /// The answer is no: a check failed, changes pend, nothing arrived.
    No = 1,
    /// Wrong usage or input.
    Usage = 2,
    /// Could not answer: credentials, network, a refused or failed call.
    Unanswered = 3,
    /// Interrupted, after clean-up.
    Interrupted = 130,
}

/// An error a person can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    exit: Exit,
    doing: String,
    why: String,
    action: Option<&'static str>,
    code: Option<String>,
    request_id: Option<String>,
    hint: Option<String>,
}

impl Error {
    #[must_use]
    pub fn new(exit: Exit, doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            exit,
            doing: doing.into(),
            why: why.into(),
            action: None,
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
    pub fn no(doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(Exit::No, doing, why)
    }

    /// There is no answer.
    #[must_use]
    pub fn unanswered(doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(Exit::Unanswered, doing, why)
    }

    /// The operator asked to stop.
    #[must_use]
    pub fn interrupted(doing: impl Into<String>) -> Self {
        Self::new(Exit::Interrupted, doing, "interrupted")
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same failure with its cause in better words.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.0.why = why.into();
        self
    }

    /// Names the permission that the failed call needs, such as `sqs:CreateQueue`.
    #[must_use]
    pub fn action(mut self, action: &'static str) -> Self {
        self.0.action = Some(action);
        self
    }

    #[must_use]
    pub fn code(mut self, code: Option<String>, request_id: Option<String>) -> Self {
        self.0.code = code;
        self.0.request_id = request_id;
        self
    }

    /// Whether the service refused with this code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.0.code.as_deref() == Some(code)
    }

    /// Whether the service refused with this code and a message that holds `fragment`.
    #[must_use]
    pub fn says(&self, code: &str, fragment: &str) -> bool {
        self.is(code) && self.0.why.contains(fragment)
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
    pub fn is_taken(&self) -> bool {
        self.0.code.as_deref().is_some_and(|code| match code {
            "AlreadyExistsException"
            | "EntityAlreadyExists"
            | "EntityAlreadyExistsException"
            | "QueueAlreadyExists"
            | "QueueNameExists" => true,
            "InvalidParameter" | "ResourceConflictException" => {
                self.0.why.contains("already exist")
            }
            _ => false,
        })
    }

    /// Whether there was no answer, so that nobody knows what came of the call.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        self.0.exit == Exit::Unanswered && self.0.action.is_some() && self.0.code.is_none()
    }

    /// Whether there was no answer because nobody was reached, and not for want of credentials to ask with.
    #[must_use]
    pub fn lacks_network(&self) -> bool {
        let why = self.0.why.to_ascii_lowercase();
        let of_credentials = ["credential", "sso", "token", "profile"];
        self.is_silence() && !of_credentials.iter().any(|word| why.contains(word))
    }

    #[must_use]
    pub fn exit(&self) -> Exit {
        self.0.exit
    }

    #[must_use]
    pub fn doing(&self) -> &str {
        &self.0.doing
    }

    #[must_use]
    pub fn why(&self) -> &str {
        &self.0.why
    }

    #[must_use]
    pub fn needed_action(&self) -> Option<&'static str> {
        self.0.action
    }

    #[must_use]
    pub fn service_code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    #[must_use]
    pub fn what_to_do(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The cause in one line: AWS's words, code and request id.
    #[must_use]
    pub fn cause(&self) -> String {
        let mut cause = self.0.why.clone();
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
        write!(f, "cannot {}: {}", self.doing(), self.cause())
    }
}

impl std::error::Error for Error {}
