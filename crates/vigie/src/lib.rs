//! Observability and alerting for realtime backends: the program.
//!
//! Start reading at [`app`]: it builds everything from the [settings](vigie_config::Settings) and runs it.
//!
//! ```
//! use vigie_config::Settings;
//!
//! let settings = Settings::from_toml("[gateway]\napp = \"http://127.0.0.1:3000\"\n")?;
//! assert_eq!(settings.admin.listen.port(), 9850);
//! # Ok::<(), vigie_config::ConfigError>(())
//! ```

pub mod admin;
pub mod alerting;
mod api;
pub mod app;
pub mod catalogue;
mod checks;
pub mod cli;
pub mod commands;
mod election;
mod history;
pub mod logging;
pub mod memory;
pub mod metrics;
mod missing_tick;
mod process;
mod queues;
mod routes_file;
pub mod rules;
