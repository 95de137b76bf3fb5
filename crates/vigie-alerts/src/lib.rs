//! Prometheus rule files: a parser that keeps positions, checks for mistakes, and the rule [`engine`].
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
//! [`load`] reports what Prometheus refuses, and what it reads differently than written: an alias as an expression, a
//! second document, duplicate rules. [`check`] reports what only newer versions than Prometheus 2.42 accept, and rules
//! that never fire, or fire without cause. The crate does not contain metrics; the caller provides them as [`Known`].

mod check;
pub mod engine;
mod finding;
mod fnv;
mod ignore;
mod lint;
mod rules;
mod suggest;
pub mod template;
pub mod unit;
pub mod yaml;

pub use check::{Kind, Known, Metric, States, check};
pub use finding::{Finding, Span};
pub use fnv::fnv1a;
pub use ignore::{Remaining, suppress};
pub use lint::{Level, Lint};
pub use rules::names::{is_label as is_label_name, is_metric as is_metric_name};
pub use rules::{
    Entry, Expression, Group, Loaded, MAX_FILE_BYTES, Rule, RuleFile, RuleKind, load, load_with,
    parse_duration,
};
pub use yaml::Text;
