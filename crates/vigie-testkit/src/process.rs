//! Child processes that do not outlive their owner.

mod family;

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use family::{descendants, guard, has_ended, send};
pub use rustix::process::Signal;
use rustix::process::{kill_process, kill_process_group};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use crate::{Error, SOON};

/// The number of lines of standard output that are kept for a reader; the oldest are dropped.
const LINES: usize = 50_000;
/// The number of lines of each output that are kept for failure messages.
const TAIL: usize = 40;
const POLL: Duration = Duration::from_millis(10);

/// A child process in its own process group.
///
/// Dropping it kills the group and all descendants, including frozen ones, and waits for their end. If the owner
/// itself is killed, a guard process does the same.
pub struct Process {
    name: String,
    child: Child,
    guard: Child,
    stdin: Option<ChildStdin>,
    output: Arc<Output>,
    status: Option<ExitStatus>,
}

#[derive(Default)]
struct Output {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    lines: VecDeque<String>,
    lost: usize,
    ended: bool,
    tail: VecDeque<String>,
}

impl Output {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tail(&self) -> String {
        Vec::from_iter(self.lock().tail.iter().cloned()).join("\n")
    }
}

impl Process {
    /// Starts `command`; `name` is used in failure messages.
    ///
    /// # Errors
    /// If the system cannot start it.
    pub fn spawn(name: impl Into<String>, mut command: Command) -> Result<Self, Error> {
        let name = name.into();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(Error::io(format!("cannot start {name}")))?;
        let guard = match guard(child.id()) {
            Ok(guard) => guard,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        };
        let output = Arc::new(Output::default());
        if let Some(stdout) = child.stdout.take() {
            read_lines(stdout, &output, true);
        }
        if let Some(stderr) = child.stderr.take() {
            read_lines(stderr, &output, false);
        }
        Ok(Self {
            name,
            stdin: child.stdin.take(),
            child,
            guard,
            output,
            status: None,
        })
    }

    /// The process ID, which is also the group's.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its last lines, of both outputs.
    pub fn tail(&self) -> String {
        self.output.tail()
    }

    /// The next line of its standard output.
    ///
    /// # Errors
    /// If the process ends or is silent, or if lines were dropped.
    pub async fn next_line(&mut self, within: Duration) -> Result<String, Error> {
        self.take(within, VecDeque::pop_front).await
    }

    /// The next line of its standard output, which must be JSON.
    ///
    /// # Errors
    /// As [`Process::next_line`], or if the line is not JSON.
    pub async fn next_json(&mut self, within: Duration) -> Result<Value, Error> {
        let line = self.next_line(within).await?;
        serde_json::from_str(&line)
            .map_err(|error| Error::protocol(&self.name, format!("not JSON ({error}): {line}")))
    }

    /// Writes one line of JSON to its standard input.
    ///
    /// # Errors
    /// If the process does not read it.
    pub fn send_json(&mut self, message: &Value) -> Result<(), Error> {
        let name = &self.name;
        let stdin = self
            .stdin
            .as_mut()
            .ok_or_else(|| Error::protocol(name, "its standard input is closed"))?;
        stdin
            .write_all(format!("{message}\n").as_bytes())
            .and_then(|()| stdin.flush())
            .map_err(Error::io(format!("cannot write to {name}")))
    }

    /// Takes the first JSON line that `wanted` accepts; the others are left for [`Process::next_json`].
    ///
    /// # Errors
    /// As [`Process::next_line`].
    pub async fn find_json(
        &mut self,
        within: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value, Error> {
        let parse = |line: &String| serde_json::from_str(line).ok().filter(&wanted);
        let pick = |lines: &mut VecDeque<String>| {
            let mut numbered = lines.iter().enumerate();
            let (at, value) = numbered.find_map(|(at, line)| Some((at, parse(line)?)))?;
            lines.remove(at);
            Some(value)
        };
        self.take(within, pick).await
    }

    /// Sends a command, `{"cmd": …}`, and returns the answer, which repeats `cmd`.
    ///
    /// # Errors
    /// As [`Process::send_json`] and [`Process::find_json`], or if the answer is an error.
    pub async fn ask(&mut self, command: &Value, within: Duration) -> Result<Value, Error> {
        self.send_json(command)?;
        let is_answer = |line: &Value| line.get("cmd").is_some() && line["cmd"] == command["cmd"];
        let answer = self.find_json(within, is_answer).await?;
        match answer.get("error") {
            Some(error) => Err(Error::protocol(&self.name, format!("{command}: {error}"))),
            None => Ok(answer),
        }
    }

    /// Closes its standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal to the process alone.
    pub fn signal(&self, signal: Signal) {
        if self.status.is_none() {
            send(kill_process, self.id(), signal);
        }
    }

    /// SIGSTOP to the process and all its descendants.
    pub fn freeze(&self) {
        // The parent first, so that it cannot create new children.
        self.signal_all(Signal::STOP);
    }

    /// SIGCONT to the process and all its descendants.
    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    /// SIGKILL to the process and all its descendants, and waits for their end.
    pub fn kill9(&mut self) {
        if self.status.is_some() {
            return;
        }
        send(kill_process, self.id(), Signal::STOP);
        let family = descendants(self.id());
        send(kill_process_group, self.id(), Signal::KILL);
        for pid in &family {
            send(kill_process, *pid, Signal::KILL);
        }
        self.status = self.child.wait().ok();
        // They hold locks, ports and shared memory until they have ended.
        let deadline = Instant::now() + SOON;
        while !family.iter().all(|pid| has_ended(*pid)) && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
    }

    /// Its exit status, if it has ended.
    pub fn status(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status
    }

    /// Waits until it ends.
    ///
    /// # Errors
    /// If it does not.
    pub async fn wait(&mut self, within: Duration) -> Result<ExitStatus, Error> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.status() {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err(self.late("end", within));
            }
            sleep(POLL).await;
        }
    }

    /// SIGTERM, then SIGKILL if it does not end in time.
    pub async fn stop(&mut self, within: Duration) -> Option<ExitStatus> {
        self.signal(Signal::TERM);
        if self.wait(within).await.is_err() {
            self.kill9();
        }
        self.status
    }

    /// The error of a process that has ended.
    pub(crate) fn exited(&mut self) -> Error {
        let status = match self.status() {
            Some(status) => status.signal().map_or(status.to_string(), |number| {
                format!("killed by signal {number}")
            }),
            None => "output closed".into(),
        };
        Error::Exited {
            name: self.name.clone(),
            status,
            tail: self.tail(),
        }
    }

    /// The error of a timeout.
    pub(crate) fn late(&self, what: &'static str, within: Duration) -> Error {
        Error::Late {
            name: self.name.clone(),
            what,
            within,
            tail: self.tail(),
        }
    }

    /// Tries again after each new line until `pick` takes something.
    async fn take<T>(
        &mut self,
        within: Duration,
        pick: impl Fn(&mut VecDeque<String>) -> Option<T>,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + within;
        loop {
            let news = self.output.news.notified();
            {
                let mut state = self.output.lock();
                if std::mem::take(&mut state.lost) > 0 {
                    let what = format!("more than {LINES} lines were written and not read");
                    return Err(Error::protocol(&self.name, what));
                }
                if let Some(taken) = pick(&mut state.lines) {
                    return Ok(taken);
                }
                if state.ended {
                    break;
                }
            }
            if timeout_at(deadline, news).await.is_err() {
                return Err(self.late("such line on standard output", within));
            }
        }
        let _ = self.wait(Duration::from_secs(1)).await;
        Err(self.exited())
    }

    fn signal_all(&self, signal: Signal) {
        if self.status.is_some() {
            return;
        }
        send(kill_process_group, self.id(), signal);
        // PostgreSQL's children lead their own groups.
        for pid in descendants(self.id()) {
            send(kill_process, pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard first: once the child is waited for, its ID may be reused.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
        self.kill9();
    }
}

/// A thread that drains the stream, so that the child never blocks on a reader.
fn read_lines(stream: impl Read + Send + 'static, output: &Arc<Output>, queue: bool) {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            bytes.clear();
            let mut state = output.lock();
            if state.tail.len() == TAIL {
                state.tail.pop_front();
            }
            state.tail.push_back(line.clone());
            if queue {
                if state.lines.len() == LINES {
                    state.lines.pop_front();
                    state.lost += 1;
                }
                state.lines.push_back(line);
            }
            drop(state);
            output.news.notify_waiters();
        }
        if queue {
            output.lock().ended = true;
            output.news.notify_waiters();
        }
    });
}

#[cfg(test)]
mod tests;
