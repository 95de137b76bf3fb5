//! Prometheus rule files: read with the place of everything, and checked for what would bite later.
//!
//! ```
//! use vigie_alerts::{Known, check, load};
//!
//! let text = "\
//! groups:
//!   - name: backend
//!     rules:
//!       - alert: Slow
//!         expr: rate(requests_total[5m]) > 5
//!         labels: {severity: warning}
//!         anotations: {summary: slow}
//! ";
//! let loaded = load(text);
//! assert_eq!(loaded.findings[0].title, "unknown key `anotations` in a rule");
//! assert_eq!(&text[loaded.findings[0].span.clone()], "anotations");
//! assert_eq!(loaded.findings[0].help.as_deref(), Some("did you mean `annotations`?"));
//!
//! let findings = check(&loaded.rules, &Known::default());
//! assert_eq!(findings[0].title, "unknown metric `requests_total`");
//! ```
//!
//! [`load`] reports what Prometheus 2.42 refuses, and what it reads differently from what is written: an alias as an expression,
//! a second document, two rules that give the same series. [`check`] refuses what Prometheus would take without a word, and what
//! would then never fire, or fire for nothing. The crate knows no metrics; what there is, it is told as [`Known`].

mod check;
mod finding;
mod rules;
mod suggest;
pub mod template;
pub mod yaml;

pub use check::{Kind, Known, Metric, States, check};
pub use finding::{Finding, Span};
pub use rules::{
    Entry, Expression, Group, Loaded, MAX_FILE_BYTES, Rule, RuleFile, RuleKind, load,
    parse_duration,
};
pub use yaml::Text;
