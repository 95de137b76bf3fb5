//! The outcome of a script.

use super::parse::ScriptError;

/// The outcome of each `eval` of a script.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One verdict per `eval`, in order.
    pub verdicts: Vec<Verdict>,
    /// The parts of the script that could not be read, and were left out.
    pub errors: Vec<ScriptError>,
}

/// The outcome of one `eval`.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The line it starts at, counted from 1.
    pub line: usize,
    /// The query.
    pub query: String,
    /// The features it requires.
    pub class: Class,
    /// The failure, if any.
    pub failure: Option<Failure>,
}

/// The features that an `eval` requires of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// None beyond this engine's: it must pass.
    Float,
    /// Native histograms, in the data it reads, the functions it uses or the result it expects.
    NativeHistograms,
    /// Syntax or functions that Prometheus has only behind a feature flag.
    FeatureFlagged,
}

/// The failure of an `eval`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The failed evaluation: the first, one with `@`, or one as a range.
    pub run: String,
    /// The expected and the actual result.
    pub reason: String,
}

impl Class {
    /// The class in words.
    #[must_use]
    pub fn described(self) -> &'static str {
        match self {
            Self::Float => "floats",
            Self::NativeHistograms => "native histograms",
            Self::FeatureFlagged => "feature-flagged",
        }
    }
}

impl Report {
    /// The number of evals passed, of any class.
    #[must_use]
    pub fn passed(&self) -> usize {
        let passed = self
            .verdicts
            .iter()
            .filter(|verdict| verdict.failure.is_none());
        passed.count()
    }

    /// The numbers of evals passed and present, of a class.
    #[must_use]
    pub fn of(&self, class: Class) -> (usize, usize) {
        let all = self
            .verdicts
            .iter()
            .filter(|verdict| verdict.class == class);
        let passed = all.clone().filter(|verdict| verdict.failure.is_none());
        (passed.count(), all.count())
    }
}
