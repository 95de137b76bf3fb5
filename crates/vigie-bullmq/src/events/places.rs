//! The places of job names: the bounded number of names with series of their own.
//!
//! Most places are open to any name. The rest is reserved for names of a second job, and for names of jobs that fail.
//! When no place is free, such a name replaces one that has been idle for long.

/// Idle time in milliseconds after which a name may lose its place: the usual range of history queries.
const IDLE: u64 = 24 * 3_600_000;
/// The same for a name that only one job had.
const IDLE_ONCE: u64 = 3_600_000;

/// The reason for giving a name a place, which sets the share of the places it may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Merit {
    First,
    Again,
    Failed,
    /// The name of the production tick.
    Wanted,
}

/// A name that has a place and may lose it.
pub(super) struct Tenant {
    /// The index of the name.
    pub(super) index: usize,
    pub(super) place: usize,
    /// Number of jobs with this name.
    pub(super) jobs: u64,
    /// Time of its last event, by the server's clock in milliseconds.
    pub(super) last: u64,
}

/// The places and their labels.
pub(super) struct Places {
    labels: Vec<Box<str>>,
    /// Places in use, without the fixed labels.
    taken: usize,
    max: usize,
    /// No name is idle before this time.
    busy_until: u64,
}

impl Places {
    /// At most `max` places, and in addition those of fixed labels and of [`Merit::Wanted`].
    pub(super) fn new(max: usize) -> Self {
        Self {
            labels: Vec::new(),
            taken: 0,
            max,
            busy_until: 0,
        }
    }

    /// The labels, by place. The label of a reused place is replaced; the number of places never decreases.
    pub(super) fn labels(&self) -> &[Box<str>] {
        &self.labels
    }

    /// Adds a place that is not counted, for a fixed label.
    pub(super) fn add_fixed(&mut self, label: &str) -> usize {
        self.labels.push(label.into());
        self.labels.len() - 1
    }

    /// Gives a label a free place, if there is one for its merit.
    pub(super) fn take_free(&mut self, label: &str, merit: Merit) -> Option<usize> {
        let most = match merit {
            Merit::First => self.max - self.max / 4,
            Merit::Again => self.max - self.max / 8,
            Merit::Failed => self.max,
            Merit::Wanted => usize::MAX,
        };
        if self.taken >= most {
            return None;
        }
        self.taken += 1;
        Some(self.add_fixed(label))
    }

    /// Gives a label the place of the name that has been idle longest, if one has been idle for long enough.
    ///
    /// Returns that name.
    pub(super) fn take_idle<I: Iterator<Item = Tenant>>(
        &mut self,
        label: &str,
        merit: Merit,
        now: u64,
        tenants: impl FnOnce() -> I,
    ) -> Option<Tenant> {
        if merit == Merit::First || now < self.busy_until {
            return None;
        }
        // A name that gets a place from now on is not idle before this time.
        let mut busy_until = now.saturating_add(IDLE_ONCE);
        let mut longest: Option<Tenant> = None;
        for tenant in tenants() {
            let limit = if tenant.jobs > 1 { IDLE } else { IDLE_ONCE };
            let idle_from = tenant.last.saturating_add(limit);
            if idle_from > now {
                busy_until = busy_until.min(idle_from);
            } else if longest
                .as_ref()
                .is_none_or(|longest| tenant.last < longest.last)
            {
                longest = Some(tenant);
            }
        }
        match &longest {
            Some(longest) => self.labels[longest.place] = label.into(),
            None => self.busy_until = busy_until,
        }
        longest
    }
}
