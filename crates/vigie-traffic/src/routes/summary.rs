//! The templates or names that are folded most often, in bounded memory (Space-Saving: Metwally, Agrawal and El Abbadi,
//! 2005).
//!
//! With a capacity of N, a template that has more than one of N requests is always in the summary, whatever came first,
//! and its count is at most `over` too high.

use super::answer::Evidence;

/// The folded templates.
#[derive(Debug)]
pub(super) struct Summary {
    entries: Vec<Entry>,
    capacity: usize,
}

/// A folded template.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) template: Box<str>,
    /// At least the number of its requests.
    pub(super) count: u64,
    /// How much of the count may belong to templates that were in this place before.
    pub(super) over: u64,
    /// Failures that only a handler gives, since the template is in the summary.
    pub(super) failures: u32,
    /// The method and the code of the latest request.
    pub(super) latest: (&'static str, u16),
}

impl Entry {
    /// Its requests were at least these.
    pub(super) fn at_least(&self) -> u64 {
        self.count - self.over
    }
}

impl Summary {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: Vec::new(),
            capacity: capacity.max(1),
        }
    }

    /// Counts a folded request. Returns the entry, and whether its template is new.
    pub(super) fn count(
        &mut self,
        template: &str,
        latest: (&'static str, u16),
        evidence: Evidence,
    ) -> (&Entry, bool) {
        let found = self
            .entries
            .iter()
            .position(|entry| *entry.template == *template);
        let place = found.unwrap_or_else(|| self.place(template, latest));
        let entry = &mut self.entries[place];
        entry.count += 1;
        entry.latest = latest;
        if matches!(evidence, Evidence::Failure(_)) {
            entry.failures = entry.failures.saturating_add(1);
        }
        (entry, found.is_none())
    }

    /// A place for a new template: a free one, or that of the template with the fewest requests.
    fn place(&mut self, template: &str, latest: (&'static str, u16)) -> usize {
        let mut entry = Entry {
            template: template.into(),
            count: 0,
            over: 0,
            failures: 0,
            latest,
        };
        if self.entries.len() < self.capacity {
            self.entries.push(entry);
            return self.entries.len() - 1;
        }
        let counts = self.entries.iter().map(|entry| entry.count);
        let least = counts.enumerate().min_by_key(|(_, count)| *count);
        let (place, count) = least.unwrap_or_default();
        (entry.count, entry.over) = (count, count);
        self.entries[place] = entry;
        place
    }

    /// Removes a template that has become a route.
    pub(super) fn remove(&mut self, template: &str) {
        self.entries.retain(|entry| *entry.template != *template);
    }

    /// The templates, the most frequent first.
    pub(super) fn most_frequent(&self) -> Vec<Entry> {
        let mut entries = self.entries.clone();
        entries.sort_by(|a, b| b.count.cmp(&a.count).then(a.template.cmp(&b.template)));
        entries
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const CAPACITY: usize = 100;

    fn count(summary: &mut Summary, template: &str) {
        summary.count(template, ("GET", 200), Evidence::Nothing);
    }

    #[test]
    fn a_frequent_template_is_found_however_late_it_comes() {
        let mut summary = Summary::new(CAPACITY);
        for n in 0..5_000 {
            count(&mut summary, &format!("/once/{n}"));
        }
        for n in 0..5_000 {
            count(&mut summary, &format!("/again/{n}"));
            if n % 10 == 0 {
                count(&mut summary, "/late");
            }
        }
        let first = &summary.most_frequent()[0];
        assert_eq!(&*first.template, "/late");
        assert!(first.at_least() <= 500 && first.count >= 500, "{first:?}");
    }

    proptest! {
        #[test]
        fn counts_are_at_most_over_too_high(numbers in proptest::collection::vec(0..300_u32, 0..2_000)) {
            let mut summary = Summary::new(CAPACITY);
            for number in &numbers {
                // Squared, so that some numbers are frequent.
                count(&mut summary, &format!("/{}", number * number / 300));
            }
            let entries = summary.most_frequent();
            prop_assert!(entries.len() <= CAPACITY);
            prop_assert_eq!(entries.iter().map(|entry| entry.count).sum::<u64>(), numbers.len() as u64);
            for entry in entries {
                let is_it = |number: &&u32| format!("/{}", **number * **number / 300) == *entry.template;
                let truth = numbers.iter().filter(is_it).count() as u64;
                prop_assert!(entry.count >= truth && entry.at_least() <= truth);
            }
        }
    }
}
