//! A Redis server, and what it says of its own work.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use redis::Connection;
use rustix::process::Pid;
use vigie_testkit::{Redis, RedisOptions};

use crate::pinned;

/// A server that writes nothing to the disk, on a core of its own choice.
pub(super) struct Server {
    pub(super) redis: Redis,
    pub(super) connection: Connection,
}

/// What the server has done since it started.
pub(super) struct Work {
    /// Calls of a command, and the time they took, by its name.
    commands: BTreeMap<String, (u64, Duration)>,
    /// The processor time of the whole process.
    pub(super) cpu: Duration,
}

impl Server {
    pub(super) async fn start(core: usize) -> anyhow::Result<Self> {
        let options = RedisOptions {
            args: ["--appendonly", "no"].map(String::from).to_vec(),
            ..RedisOptions::default()
        };
        let redis = Redis::start_with(options).await?;
        let mut connection = redis::Client::open(redis.url())?.get_connection()?;
        let process = field(&info(&mut connection, "server")?, "process_id")?;
        pinned::move_to(core, Pid::from_raw(process as i32))?;
        Ok(Self { redis, connection })
    }

    pub(super) fn work(&mut self) -> anyhow::Result<Work> {
        let cpu = info(&mut self.connection, "cpu")?;
        let cpu = field(&cpu, "used_cpu_user")? + field(&cpu, "used_cpu_sys")?;
        let commands = info(&mut self.connection, "commandstats")?;
        Ok(Work {
            commands: commands.lines().filter_map(command).collect(),
            cpu: Duration::from_secs_f64(cpu),
        })
    }
}

impl Work {
    /// What was done from an earlier time on.
    pub(super) fn since(mut self, earlier: &Self) -> Self {
        for (name, (calls, time)) in &mut self.commands {
            if let Some((calls_then, time_then)) = earlier.commands.get(name) {
                *calls -= calls_then;
                *time = time.saturating_sub(*time_then);
            }
        }
        self.cpu = self.cpu.saturating_sub(earlier.cpu);
        self
    }

    pub(super) fn calls(&self, name: &str) -> u64 {
        self.commands.get(name).map_or(0, |(calls, _)| *calls)
    }

    /// The time inside of all commands but the one that asks for it.
    pub(super) fn all_commands(&self) -> Duration {
        let others = self.commands.iter().filter(|(name, _)| *name != "info");
        others.map(|(_, (_, time))| *time).sum()
    }

    /// The time inside of commands. What a script calls is within the script's own time already.
    pub(super) fn commands(&self, names: &[&str]) -> Duration {
        let times = names.iter().filter_map(|name| self.commands.get(*name));
        times.map(|(_, time)| *time).sum()
    }
}

fn info(connection: &mut Connection, section: &str) -> anyhow::Result<String> {
    Ok(redis::cmd("INFO").arg(section).query(connection)?)
}

fn field(info: &str, name: &str) -> anyhow::Result<f64> {
    let mut lines = info.lines().filter_map(|line| line.split_once(':'));
    let value = lines.find_map(|(found, value)| (found == name).then_some(value.trim()));
    let value = value.with_context(|| format!("INFO without {name}"))?;
    Ok(value.parse()?)
}

/// `cmdstat_llen:calls=3,usec=4,…`; a subcommand has its parent's name, `|` and its own.
fn command(line: &str) -> Option<(String, (u64, Duration))> {
    let (name, fields) = line.strip_prefix("cmdstat_")?.split_once(':')?;
    let number = |field: &str| {
        let mut fields = fields.split(',').filter_map(|pair| pair.split_once('='));
        let found = fields.find_map(|(found, value)| (found == field).then_some(value));
        found?.parse().ok()
    };
    let time = Duration::from_micros(number("usec")?);
    Some((name.to_owned(), (number("calls")?, time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_redis_says() {
        let line = "cmdstat_xinfo|stream:calls=3,usec=40,usec_per_call=13.33,rejected_calls=0";
        let micros = Duration::from_micros(40);
        assert_eq!(command(line), Some(("xinfo|stream".into(), (3, micros))));
        assert_eq!(command("# Commandstats"), None);
        let cpu = "# CPU\r\nused_cpu_sys:1.5\r\nused_cpu_user:2.25\r\n";
        assert_eq!(field(cpu, "used_cpu_user").ok(), Some(2.25));
    }
}
