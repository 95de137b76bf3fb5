//! The bounds of one run.

/// The bounds of one run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest output and the longest intermediate string, in bytes. All intermediate strings together take at
    /// most 64 times as much.
    pub bytes: usize,
    /// The most nodes and commands.
    pub steps: usize,
    /// How deep named templates may call each other.
    pub depth: usize,
}

impl Default for Limits {
    /// 64 KiB of output and 100,000 steps.
    fn default() -> Self {
        Self {
            bytes: 64 << 10,
            steps: 100_000,
            depth: 100,
        }
    }
}

/// The work that a run has done.
pub(super) struct Budget {
    pub(super) limits: Limits,
    steps: usize,
    bytes: usize,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            steps: 0,
            bytes: 0,
        }
    }

    pub(super) fn steps(&mut self, steps: usize) -> Result<(), String> {
        self.steps = self.steps.saturating_add(steps);
        match self.steps > self.limits.steps {
            true => Err(format!("more than {} steps", self.limits.steps)),
            false => Ok(()),
        }
    }

    /// A text or output of `bytes` bytes.
    pub(super) fn length(&self, bytes: usize) -> Result<(), String> {
        match bytes > self.limits.bytes {
            true => Err(format!("the text exceeds {} bytes", self.limits.bytes)),
            false => Ok(()),
        }
    }

    /// An intermediate string of `bytes` bytes.
    pub(super) fn string(&mut self, bytes: usize) -> Result<(), String> {
        self.length(bytes)?;
        self.bytes = self.bytes.saturating_add(bytes);
        let most = self.limits.bytes.saturating_mul(64);
        match self.bytes > most {
            true => Err(format!("the texts exceed {most} bytes")),
            false => Ok(()),
        }
    }
}
