//! How a command ends when it does not succeed.

use patchbay_model::Problem;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked in a way that cannot be: exit status 64 (`EX_USAGE` of sysexits).
    Usage(String),
    /// It was asked well and failed: exit status 1.
    Problem(Box<Problem>),
    /// A problem that came in its wire form, inside an answer: exit status 1.
    Wire(serde_json::Value),
    /// It did its work, found that something is wrong, and has printed so: exit status 1.
    Found,
}

impl Failure {
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self::Usage(sentence.into())
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}
