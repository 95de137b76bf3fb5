//! What came of a script.

/// What came of each `eval` of a script.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One for each `eval`, in order.
    pub verdicts: Vec<Verdict>,
}

/// What came of one `eval`.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The line it starts at, from 1.
    pub line: usize,
    /// The query.
    pub query: String,
    /// What it needs.
    pub class: Class,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

/// What an `eval` needs of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Only what this engine has: it must pass.
    Float,
    /// Native histograms, in the data it reads, the functions it uses or the result it expects.
    NativeHistograms,
    /// Syntax or functions that Prometheus has only behind a feature flag.
    FeatureFlagged,
}

/// How an `eval` failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which of the evaluations: the first, one with `@`, or one as a range.
    pub run: String,
    /// What was expected and what was found.
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
    /// How many passed, of any class.
    #[must_use]
    pub fn passed(&self) -> usize {
        let passed = self
            .verdicts
            .iter()
            .filter(|verdict| verdict.failure.is_none());
        passed.count()
    }

    /// How many of a class passed, and how many there are.
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
