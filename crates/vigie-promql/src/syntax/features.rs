//! The parts of the language that a caller permits.

/// The part of PromQL that a query may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Features {
    /// The language of Prometheus without feature flags.
    #[default]
    Stable,
    /// Also what Prometheus has behind `promql-experimental-functions`, `promql-extended-range-selectors` and
    /// `promql-binop-fill-modifiers`.
    Experimental,
}
