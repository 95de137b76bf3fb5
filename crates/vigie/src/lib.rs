//! Observability and alerting for realtime backends: the program.
//!
//! A newcomer starts at [`app`]: it builds everything from the [settings](config::Settings) and runs it.
//!
//! ```
//! use vigie::config::Settings;
//!
//! let settings = Settings::from_toml("[gateway]\napp = \"http://127.0.0.1:3000\"\n")?;
//! assert_eq!(settings.admin.listen.port(), 9850);
//! # Ok::<(), vigie::config::ConfigError>(())
//! ```

pub mod admin;
mod api;
pub mod app;
pub mod catalogue;
pub mod cli;
pub mod commands;
pub mod config;
mod election;
mod history;
pub mod logging;
pub mod memory;
pub mod metrics;
mod process;
mod queues;
pub mod rules;
