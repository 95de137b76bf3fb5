//! Why the jobs of a queue failed. Everything here is pure.
//!
//! | module | contents |
//! | --- | --- |
//! | `text` | texts written by jobs, made fit to be shown |
//! | `shapes` | recognition of secrets, addresses, tokens and numbers by their shape |
//! | `redact` | replacement of personal data and secrets in them |
//! | `frame` | the first line of a stack trace |
//! | `reasons` | the latest distinct reasons, in bounded memory |

pub(crate) mod frame;
pub(crate) mod reasons;
mod redact;
mod shapes;
mod text;
